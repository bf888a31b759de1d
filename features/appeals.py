"""Findings against a creator, what undoes them, and the appeals against them.

A finding stands until it is undone. While it stands it may be appealed, one appeal at a time; an appeal is decided by
APPEAL_DECIDED, and the finding undone by an event of its own. A decision refers to the appeal, or to the finding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from features import columns as c

UNDOES = {"VIOLATION_OVERTURNED": "VIOLATION_CONFIRMED", "FRAUD_CLEARED": "FRAUD_CONFIRMED"}
"""Event → the finding that it undoes, as if that had never been."""
UNDONE_BY = {finding: event for event, finding in UNDOES.items()}
OPENED, DECIDED = "APPEAL_OPENED", "APPEAL_DECIDED"
CASE_EVENTS = (*UNDONE_BY, OPENED, DECIDED, *UNDOES)
FINDING_ID = "finding_id"
_RANK = {event: rank for rank, event in enumerate(CASE_EVENTS)}


class Case(NamedTuple):
    """Where a finding stands: what it is (None: not known), whether an appeal is open, whether it was undone."""

    finding: str | None = None
    appealed: bool = False
    undone: bool = False

    def after(self, event: str) -> "Case":
        """The case once ``event`` has happened, legal or not."""
        if event in UNDONE_BY:
            return self._replace(finding=event)
        if event in UNDOES:
            return self._replace(undone=self.undone or UNDOES[event] == self.finding)
        return self._replace(appealed=event == OPENED)

    def legal(self) -> tuple[str, ...]:
        """The events that may follow."""
        if self.finding is None:
            return tuple(UNDONE_BY)
        may = {
            OPENED: not self.appealed and not self.undone,
            DECIDED: self.appealed,
            UNDONE_BY[self.finding]: not self.undone,
        }
        return tuple(event for event, is_legal in may.items() if is_legal)

    def uncontradicted(self) -> tuple[str, ...]:
        """The events that may follow where others may be missing: all."""
        return CASE_EVENTS


def case_events(events: pd.DataFrame, appealed: Mapping[str, str]) -> pd.DataFrame:
    """The findings and what is about them, in order of time, at equal times in that of CASE_EVENTS.

    Adds ``finding_id`` and ``rank``; ``appealed`` tells the finding of an appeal that a decision refers to.
    """
    rows = events[events[c.EVENT_TYPE].isin(CASE_EVENTS)]
    kind, ids = rows[c.EVENT_TYPE], zip(rows[c.EVENT_TYPE], rows[c.EVENT_ID], rows[c.REFERS_TO], strict=True)
    finding = [_finding(*one, appealed) for one in ids]
    found = rows.assign(**{FINDING_ID: pd.Series(finding, rows.index, dtype="str"), "rank": kind.map(_RANK)})
    return found.sort_values([c.EVENT_TIME, "rank", c.EVENT_ID])


def findings_of_appeals(events: pd.DataFrame) -> dict[str, str]:
    """event_id of each APPEAL_OPENED → that of the finding it is against."""
    opened = events[c.EVENT_TYPE] == OPENED
    return dict(zip(events.loc[opened, c.EVENT_ID], events.loc[opened, c.REFERS_TO], strict=True))


@dataclass
class Appeal:
    """One appeal; ``decided_at`` is when the decision or the undoing came, whichever was first (None: neither did).

    The texts are the notes of the events that opened and decided it, what people gave as their reasons.
    """

    appeal_id: str
    creator_id: str
    finding_id: str
    opened_at: pd.Timestamp
    statement: str | None
    decided_at: pd.Timestamp | None = None
    decision: str | None = None
    overturned: bool = False

    def decide(self, event: Any) -> None:
        """Takes a decision or an undoing."""
        self.decided_at = self.decided_at or event.event_time
        self.decision = self.decision or _told(event.note)
        self.overturned = self.overturned or event.event_type in UNDOES


def appeals(events: pd.DataFrame) -> list[Appeal]:
    """Every appeal in ``events``, oldest first."""
    appealed = findings_of_appeals(events)
    if not appealed:
        return []
    rows = case_events(events, appealed)
    against = rows[FINDING_ID].notna() & rows[FINDING_ID].isin(set(appealed.values()))  # an appeal may name nothing
    cases: dict[tuple[str, str], list[Any]] = {}
    for event in rows[against].itertuples():
        cases.setdefault((event.creator_id, event.finding_id), []).append(event)
    found = [one for case in cases.values() for one in _against(case)]
    return sorted(found, key=lambda one: (one.opened_at, one.appeal_id))


def _against(case: Sequence[Any]) -> list[Appeal]:
    """A creator's appeals against one finding, in order of time; a decision is that of the oldest that waits for
    one."""
    found: list[Appeal] = []
    answered, settled, state = 0, 0, Case()
    for event in case:
        if event.event_type == OPENED:
            found.append(_opened(event))
        elif event.event_type == DECIDED and answered < len(found):
            found[answered].decide(event)
            answered += 1
        elif event.event_type in UNDOES and state.finding in (None, UNDOES[event.event_type]):
            for one in found[settled:]:
                one.decide(event)
            settled = len(found)
        state = state.after(event.event_type)
    return found


def _opened(event: Any) -> Appeal:
    return Appeal(event.event_id, event.creator_id, event.finding_id, event.event_time, _told(event.note))


def _finding(event: str, event_id: str, refers_to: str, appealed: Mapping[str, str]) -> str:
    """The finding that an event is, or is about."""
    if event in UNDONE_BY:
        return event_id
    return appealed.get(refers_to, refers_to) if event == DECIDED else refers_to


def _told(note: Any) -> str | None:
    return None if pd.isna(note) else str(note)
