"""What reviews say of a creator at a date: the target of the fraud model."""

import pandas as pd

from features import columns as c
from features.asof import known_at
from features.fraud.window import SPAN
from features.schema import COLLABORATION_EVENTS, Tables

CLEARED_AT = "cleared_at"
START, END = "start", "end"  # of what a label speaks of
CLEARED = pd.Timedelta(days=60)  # a review that found nothing clears a date when it saw at least so much of the 90 days


def reviewed_period(labels: pd.DataFrame) -> pd.DataFrame:
    """What each of the ``labels`` speaks of: start and end; one without a period of the 90 days before it was known."""
    start, known = labels[c.PERIOD_START], labels[c.KNOWN_AT]
    end = labels[c.PERIOD_END].fillna(known).where(start.notna(), known)
    return pd.DataFrame({START: start.fillna(known - SPAN), END: end})


def creator_labels(tables: Tables, end: pd.Timestamp) -> pd.DataFrame:
    """The labels of creators, with ``cleared_at``: when a finding was taken back in the ledger (NaT: it stands).

    One without ``known_at`` was known at ``end``. A finding and its FRAUD_CONFIRMED are of the same creator and moment;
    a label that found the same fraud again has no event of its own and is taken back with the first.
    """
    labels, events = tables["fraud_labels"], tables["collaboration_events"]
    labels = labels[labels[c.CREATOR_ID].notna()].assign(**{c.KNOWN_AT: labels[c.KNOWN_AT].fillna(end)})
    cleared = events[events[c.EVENT_TYPE] == "FRAUD_CLEARED"]
    cleared = cleared[[c.REFERS_TO]].assign(**{CLEARED_AT: known_at(cleared, COLLABORATION_EVENTS)})
    found = events.loc[events[c.EVENT_TYPE] == "FRAUD_CONFIRMED", [c.EVENT_ID, c.CREATOR_ID, c.EVENT_TIME]]
    taken_back = found.merge(cleared, how="left", left_on=c.EVENT_ID, right_on=c.REFERS_TO)
    first = taken_back.groupby([c.CREATOR_ID, c.EVENT_TIME])[CLEARED_AT].min()
    own = pd.MultiIndex.from_frame(labels[[c.CREATOR_ID, c.KNOWN_AT]])
    labels = labels.assign(**{CLEARED_AT: first.reindex(own).to_numpy()})
    return labels.assign(
        **{CLEARED_AT: labels[CLEARED_AT].fillna(_taken_back_with(labels[~own.isin(first.index)], labels))}
    )


def _taken_back_with(again: pd.DataFrame, labels: pd.DataFrame) -> pd.Series:
    """When an earlier finding of the same fraud was taken back, by the index of ``again``; of several the first."""
    again, back = (
        rows.join(reviewed_period(rows)) for rows in (again[again[c.IS_FAKE] == 1], labels.dropna(subset=[CLEARED_AT]))
    )
    pairs = again.reset_index(names="row").merge(back, on=c.CREATOR_ID, suffixes=("", "_first"))
    overlap = (pairs[START] <= pairs[f"{END}_first"]) & (pairs[f"{START}_first"] <= pairs[END])
    same = overlap & pairs[c.KNOWN_AT].between(pairs[f"{c.KNOWN_AT}_first"], pairs[f"{CLEARED_AT}_first"])
    return pairs[same].groupby("row")[f"{CLEARED_AT}_first"].min()


def fraud_target(labels: pd.DataFrame, as_of: pd.Timestamp, label_known_by: pd.Timestamp) -> pd.Series:
    """creator_id → 1.0 or 0.0: was at least a tenth of the engagement in the 90 days before ``as_of`` bought?"""
    return speaking_labels(labels, as_of, label_known_by)[c.IS_FAKE]


def speaking_labels(labels: pd.DataFrame, as_of: pd.Timestamp, label_known_by: pd.Timestamp) -> pd.DataFrame:
    """The row of ``labels`` that speaks for each creator at ``as_of``, indexed by creator_id; ``label`` is its index.

    ``labels`` are those of :func:`creator_labels`; only what was known by ``label_known_by`` counts, and a finding
    taken back by then is innocent. A fake period speaks for dates whose 90 days it touches, a clean one for dates of
    whose 90 days it saw at least 60; a label without period speaks for dates in the 90 days before it became known. The
    latest known of several wins.
    """
    labels = labels[labels[c.KNOWN_AT] <= label_known_by]
    labels = labels.assign(**{c.IS_FAKE: labels[c.IS_FAKE].mask(labels[CLEARED_AT] <= label_known_by, 0.0)})
    start, end = labels[c.PERIOD_START], labels[c.PERIOD_END].fillna(labels[c.KNOWN_AT])
    seen = end.clip(upper=as_of) - start.clip(lower=as_of - SPAN)
    touches = (seen >= CLEARED) | ((labels[c.IS_FAKE] == 1) & (seen > pd.Timedelta(0)))
    near = start.isna() & (labels[c.KNOWN_AT] >= as_of) & (labels[c.KNOWN_AT] <= as_of + SPAN)
    speaking = labels[touches | near].sort_values(c.KNOWN_AT, kind="stable")
    return speaking.assign(label=speaking.index).drop_duplicates(c.CREATOR_ID, keep="last").set_index(c.CREATOR_ID)
