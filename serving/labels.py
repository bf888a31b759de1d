"""What becomes of each fraud label of a batch, and which events of the ledger follow from those that are new.

A label has no id, it is its content. One without ``known_at`` became known now, and is a duplicate of any that says the
same: to find the same again at a later time, give ``known_at``.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import pandas as pd

from features import columns as c
from features.fraud_labels import END, START, reviewed_period
from features.schema import COLLABORATION_EVENTS, FRAUD_LABELS, conform
from features.validation import row_violations
from serving.ledger import ACCEPTED, DUPLICATE, ERROR, REJECTED, STATUS

CONFIRMED, CLEARED = "FRAUD_CONFIRMED", "FRAUD_CLEARED"
SEEN = 1 / 2  # of a finding's time: a review that looked at less says nothing of it
LABEL = "label"  # of an event: the index of the label that it follows from
_CONTENT = [name for name in FRAUD_LABELS.names if name != c.KNOWN_AT]


def judged(batch: pd.DataFrame, known: pd.DataFrame, creators: Collection[str], now: pd.Timestamp) -> pd.DataFrame:
    """The conformed ``batch``, dated, with ``status`` and ``error`` (None unless REJECTED).

    ``known`` are the stored labels of the same creators and accounts; a label of a creator must be of one of
    ``creators``, keep the contract and not lie after ``now``.
    """
    error = _problems(batch, creators, now)
    dated = batch.assign(**{c.KNOWN_AT: batch[c.KNOWN_AT].fillna(now)})
    sound = error.isna()
    again = _again(batch[sound], dated[sound], known)
    status = pd.Series(REJECTED, index=batch.index).mask(sound, ACCEPTED)
    status[again.index[again]] = DUPLICATE
    return dated.assign(**{STATUS: status, ERROR: error.where(~sound, None)})


def asked(new: pd.DataFrame) -> pd.DataFrame:
    """Events that name the creators of the ``new`` labels and nothing else, to look for theirs."""
    return conform(new[[c.CREATOR_ID]], COLLABORATION_EVENTS)


def settled(verdict: pd.DataFrame, events: pd.DataFrame, fates: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The verdict in which a label is rejected with its events, and the events that are left to append.

    ``fates`` is what :func:`serving.ledger.judged` says of the ``events``.
    """
    refused = fates[ERROR].groupby(events[LABEL]).first().dropna()
    error = verdict[ERROR].where(~verdict.index.isin(refused.index), verdict.index.map(refused))
    status = verdict[STATUS].mask(verdict.index.isin(refused.index), REJECTED)
    new = (fates[STATUS] == ACCEPTED) & ~events[LABEL].isin(refused.index)
    return verdict.assign(**{STATUS: status, ERROR: error}), events[new]


def results(verdict: pd.DataFrame, events: pd.DataFrame) -> list[dict[str, Any]]:
    """The answer for each label of the ``verdict``, with the ids of the ``events`` that it made."""
    told = verdict[[c.CREATOR_ID, c.ACCOUNT_ID, STATUS, ERROR]].astype("object")
    made = {index: list(ids) for index, ids in events.groupby(LABEL)[c.EVENT_ID]}
    rows = told.where(told.notna(), None).to_dict("index")
    return [row | {"event_ids": made.get(index, [])} for index, row in rows.items()]


def ledger_events(new: pd.DataFrame, stored: pd.DataFrame, known: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """The events that follow from ``new`` labels, received ``now``, with the index of their ``label``; in order.

    FRAUD_CONFIRMED where a creator's engagement was found fake, unless a finding whose period it touches stands: two
    sources that find one fraud make one finding. Where it was found clean, FRAUD_CLEARED for each earlier finding that
    stands, among the ``stored`` events of these creators as among the new ones, of whose period the review saw
    half. The period of a finding is that of its label among those ``known``; without one (:func:`reviewed_period`) it
    is the 90 days before.
    """
    standing = _standing(stored, known)
    rows = []
    new = new.join(reviewed_period(new))
    for index, label in new[new[c.CREATOR_ID].notna()].iterrows():
        mine = standing.setdefault(label[c.CREATOR_ID], {})
        found = _confirmation(label, mine) if label[c.IS_FAKE] else _clearings(label, mine)
        rows += [event | {LABEL: index} for event in found]
    told = pd.DataFrame(rows, columns=[*COLLABORATION_EVENTS.names, LABEL])
    return conform(told.assign(**{c.RECEIVED_AT: now}), COLLABORATION_EVENTS)


def _again(batch: pd.DataFrame, dated: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Whether each label is known, or stands above in the batch; without regard to the time where it gives none."""
    said, then = _keys(batch, _CONTENT), _keys(dated, FRAUD_LABELS.names)
    anytime = said.isin(_keys(known, _CONTENT)) | said.duplicated()
    at_that_time = then.isin(_keys(known, FRAUD_LABELS.names)) | then.duplicated()
    return at_that_time.where(batch[c.KNOWN_AT].notna(), anytime)


def _keys(labels: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """A digest of each label's content in the columns ``names``."""
    rows = labels[[*names]].astype("object").where(labels[[*names]].notna(), None).values.tolist()
    return pd.Series([_digest(row) for row in rows], index=labels.index, dtype="str")


def _digest(content: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()[:32]


class Finding(NamedTuple):
    """When a finding was known, and which time it is about."""

    known_at: pd.Timestamp
    start: pd.Timestamp
    end: pd.Timestamp

    def touches(self, label: pd.Series) -> bool:
        """Whether it and the label have a moment in common."""
        return bool(self.start <= label[END] and label[START] <= self.end)

    def cleared_by(self, label: pd.Series) -> bool:
        """Whether it was known before the clean ``label``, and that saw enough of its time."""
        seen = min(self.end, label[END]) - max(self.start, label[START])
        return bool(
            self.known_at <= label[c.KNOWN_AT] and self.touches(label) and seen >= SEEN * (self.end - self.start)
        )


def _standing(events: pd.DataFrame, known: pd.DataFrame) -> dict[str, dict[str, Finding]]:
    """creator_id → the confirmations that were not cleared, by event_id."""
    cleared = events.loc[events[c.EVENT_TYPE] == CLEARED, c.REFERS_TO]
    stand = events[(events[c.EVENT_TYPE] == CONFIRMED) & ~events[c.EVENT_ID].isin(cleared)]
    periods = {_id(label): found for (_, label), found in zip(known.iterrows(), _findings(known), strict=True)}
    dated = stand.assign(**{c.KNOWN_AT: stand[c.EVENT_TIME], c.PERIOD_START: pd.NaT, c.PERIOD_END: pd.NaT})
    found: dict[str, dict[str, Finding]] = {}
    for creator_id, event_id, alone in zip(stand[c.CREATOR_ID], stand[c.EVENT_ID], _findings(dated), strict=True):
        found.setdefault(creator_id, {})[event_id] = periods.get(event_id, alone)
    return found


def _findings(labels: pd.DataFrame) -> list[Finding]:
    period = reviewed_period(labels)
    return [Finding(*row) for row in zip(labels[c.KNOWN_AT], period[START], period[END], strict=True)]


def _confirmation(label: pd.Series, standing: dict[str, Finding]) -> list[dict[str, Any]]:
    if any(found.touches(label) for found in standing.values()):
        return []
    event = _event(label, CONFIRMED)
    standing[event[c.EVENT_ID]] = Finding(label[c.KNOWN_AT], label[START], label[END])
    return [event]


def _clearings(label: pd.Series, standing: dict[str, Finding]) -> list[dict[str, Any]]:
    meant = [event_id for event_id, found in standing.items() if found.cleared_by(label)]
    for event_id in meant:
        del standing[event_id]
    return [_event(label, CLEARED) | {c.EVENT_ID: _id(label, event_id), c.REFERS_TO: event_id} for event_id in meant]


def _event(label: pd.Series, kind: str) -> dict[str, Any]:
    return {
        c.EVENT_ID: _id(label),
        c.CREATOR_ID: label[c.CREATOR_ID],
        c.EVENT_TYPE: kind,
        c.EVENT_TIME: label[c.KNOWN_AT],
        c.NOTE: label[c.FRAUD_TYPE],
    }


def _id(label: pd.Series, *more: str) -> str:
    """Made of the label's content, so that the same label always makes the same events."""
    content = [None if pd.isna(label[name]) else label[name] for name in FRAUD_LABELS.names]
    return f"fraud-label-{_digest([*content, *more])}"


def _problems(batch: pd.DataFrame, creators: Collection[str], now: pd.Timestamp) -> pd.Series:
    """For each label the first thing that is wrong with it by itself, None where nothing is."""
    found = pd.Series(None, index=batch.index, dtype="object")
    for one in reversed(row_violations({FRAUD_LABELS.name: batch}, now)):
        found.iloc[one.row] = f"{one.column}: {one.problem}; {one.remedy}"
    stranger = batch[c.CREATOR_ID].notna() & ~batch[c.CREATOR_ID].isin(creators)
    found[stranger] = "creator_id: no such creator; upsert it first"
    return found
