"""The life cycle of a collaboration: which event may follow which, what each has come to, who has open orders.

The state is the last life-cycle event that moves work forward. RATED and METRICS_REPORTED are remarks: they say
something about the state and leave it as it is. Events are read in order of time, at equal times in that of the life
cycle with remarks last, then of event_id: a dataset that knows only days can still be read.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.vocabulary import LIFE_CYCLE_EVENTS

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
START = ""
"""The state before the first event."""
TRANSITIONS = {
    START: ("INVITED",),
    "INVITED": ("ACCEPTED", "DECLINED", "CANCELLED_BY_BRAND"),
    "ACCEPTED": ("CONTRACTED", "CANCELLED_BY_BRAND", "CANCELLED_BY_CREATOR"),
    "DECLINED": (),
    "CONTRACTED": ("CONTENT_SUBMITTED", "CANCELLED_BY_BRAND", "CANCELLED_BY_CREATOR", "DEFAULTED"),
    "CONTENT_SUBMITTED": ("REVISION_REQUESTED", "CONTENT_APPROVED", "CANCELLED_BY_BRAND", "CANCELLED_BY_CREATOR"),
    "REVISION_REQUESTED": ("CONTENT_SUBMITTED", "CANCELLED_BY_BRAND", "CANCELLED_BY_CREATOR", "DEFAULTED"),
    "CONTENT_APPROVED": ("PUBLISHED", "CANCELLED_BY_BRAND", "CANCELLED_BY_CREATOR", "DEFAULTED"),
    "PUBLISHED": ("METRICS_REPORTED", "SETTLED", "RATED"),
    "SETTLED": ("METRICS_REPORTED", "RATED"),
    "CANCELLED_BY_BRAND": (),
    "CANCELLED_BY_CREATOR": ("RATED",),
    "DEFAULTED": ("RATED",),
}
"""State → the events that may follow. A collaboration is RATED once."""
REMARKS = ("RATED", "METRICS_REPORTED")
TERMINAL = ("DECLINED", "CANCELLED_BY_BRAND", "CANCELLED_BY_CREATOR", "DEFAULTED", "SETTLED")
AWAITED = {
    "INVITED": "ACCEPTED",
    "ACCEPTED": "CONTRACTED",
    "CONTRACTED": "CONTENT_SUBMITTED",
    "CONTENT_SUBMITTED": "CONTENT_APPROVED",
    "REVISION_REQUESTED": "CONTENT_SUBMITTED",
    "CONTENT_APPROVED": "PUBLISHED",
    "PUBLISHED": "SETTLED",
}
"""State → the step that leads on to settlement; an end awaits none."""
BY_CREATOR = ("ACCEPTED", "CONTENT_SUBMITTED", "PUBLISHED")
"""The awaited steps that are the creator's; the others are the brand's."""
SETS_DUE = ("INVITED", "ACCEPTED", "CONTRACTED", "REVISION_REQUESTED", "CONTENT_APPROVED")
"""The ``due_at`` of these is when the awaited step is due; that of a delivery says when it was due itself."""
POOR = 3
"""A rating below this is a failure."""
_MOMENTS = {
    "first_event_at": LIFE_CYCLE_EVENTS,
    "invited_at": ("INVITED",),
    "accepted_at": ("ACCEPTED", "CONTRACTED"),
    "declined_at": ("DECLINED",),
    "completed_at": ("PUBLISHED", "METRICS_REPORTED", "SETTLED"),
    "failed_at": ("DEFAULTED", "CANCELLED_BY_CREATOR"),
    "cancelled_by_brand_at": ("CANCELLED_BY_BRAND",),
    "ended_at": TERMINAL,
}
READ = [
    c.COLLABORATION_ID, c.CREATOR_ID, c.BRAND_ID, c.BRIEF_ID, c.EVENT_TYPE, c.EVENT_TIME, c.EVENT_ID, c.RATING
]  # fmt: skip
"""What :func:`collaborations` reads; copying and sorting the other columns along would double its memory."""
_STATES, _EVENTS = pd.Index(list(TRANSITIONS)), pd.Index(list(LIFE_CYCLE_EVENTS))
_LEGAL = np.array([[event in TRANSITIONS[state] for event in _EVENTS] for state in _STATES])
_RANK = {event: rank for rank, event in enumerate(sorted(LIFE_CYCLE_EVENTS, key=REMARKS.__contains__))}


class Progress(NamedTuple):
    """How far a collaboration has come: its state, its first end, and what happens only once."""

    state: str = START
    end: str | None = None
    contracted: bool = False
    rated: bool = False

    def after(self, event: str) -> "Progress":
        """The progress once ``event`` has happened, legal or not."""
        return Progress(
            self.state if event in REMARKS else event,
            self.end or (event if event in TERMINAL else None),
            self.contracted or event == "CONTRACTED",
            self.rated or event == "RATED",
        )

    def legal(self) -> tuple[str, ...]:
        """The events that may follow."""
        return tuple(event for event in TRANSITIONS[self.state] if event != "RATED" or not self.rated)

    def uncontradicted(self) -> tuple[str, ...]:
        """The events that may follow where others may be missing: not what no end allows, not a second contract."""
        possible = LIFE_CYCLE_EVENTS if self.end is None else TRANSITIONS[self.end]
        return tuple(event for event in possible if event != "CONTRACTED" or not self.contracted)


def progress(history: Iterable[str]) -> Progress:
    """How far the life-cycle event types of one collaboration, in order, have led."""
    return reduce(Progress.after, history, Progress())


def ordered(events: pd.DataFrame) -> pd.DataFrame:
    """The life-cycle events that belong to a collaboration, one collaboration after the other, in order."""
    chosen = events[c.EVENT_TYPE].isin(LIFE_CYCLE_EVENTS) & events[c.COLLABORATION_ID].notna()
    steps = events[chosen]
    rank = steps[c.EVENT_TYPE].map(_RANK)
    return steps.assign(rank=rank).sort_values([c.COLLABORATION_ID, c.EVENT_TIME, "rank", c.EVENT_ID])


def gaps(steps: pd.DataFrame) -> pd.Series:
    """For each of ``steps`` (:func:`ordered`) whether it may not follow the state before it."""
    moves, rows = _STATES.get_indexer(steps[c.EVENT_TYPE]), np.arange(len(steps))
    _, starts = _groups(steps)
    before = np.maximum.accumulate(np.where(moves >= 0, rows, -1))  # the last row so far that is no remark
    before = np.concatenate([[-1], before])[: len(rows)]
    inside = before >= np.repeat(starts, np.diff(starts, append=len(rows)))
    states = np.where(inside, moves[before], _STATES.get_loc(START))
    return pd.Series(~_LEGAL[states, _EVENTS.get_indexer(steps[c.EVENT_TYPE])], steps.index)


def collaborations(events: pd.DataFrame) -> pd.DataFrame:
    """One row per collaboration_id with creator_id, brand_id, brief_id and what its events have come to.

    Times (NaT where it has not happened): first_event_at, invited_at, accepted_at (or contracted), declined_at,
    completed_at (published, measured or settled), failed_at (defaulted, cancelled by the creator, or rated below 3),
    cancelled_by_brand_at, ended_at (the first terminal event). rating is the latest (NaN: none), state the last event
    that is no remark (null where all are), incomplete whether events are missing from the history. Events without a
    collaboration_id and conduct events are not looked at; every event given counts, whatever its time.
    """
    steps = ordered(events[READ])
    ids, starts = _groups(steps)
    kinds, rows = _EVENTS.get_indexer(steps[c.EVENT_TYPE]), np.arange(len(steps))
    rated, rating = kinds == _EVENTS.get_loc("RATED"), steps[c.RATING].to_numpy()

    def first(name: str, chosen: Flags) -> Any:
        places = np.minimum.reduceat(np.where(chosen, rows, len(rows)), starts)
        return steps[name].array.take(np.where(places < len(rows), places, -1), allow_fill=True)

    def last(name: str, chosen: Flags) -> Any:
        return steps[name].array.take(np.maximum.reduceat(np.where(chosen, rows, -1), starts), allow_fill=True)

    def any_of(names: Sequence[str]) -> Flags:
        return np.isin(kinds, _EVENTS.get_indexer(names))

    chosen = {name: any_of(names) for name, names in _MOMENTS.items()}
    chosen["failed_at"] |= rated & (rating < POOR)
    return pd.DataFrame(
        {
            c.COLLABORATION_ID: ids,
            **{name: first(name, steps[name].notna().to_numpy()) for name in (c.CREATOR_ID, c.BRAND_ID, c.BRIEF_ID)},
            **{name: first(c.EVENT_TIME, happened) for name, happened in chosen.items()},
            c.RATING: last(c.RATING, rated & ~np.isnan(rating)),
            "state": last(c.EVENT_TYPE, ~any_of(REMARKS)),
            "incomplete": np.logical_or.reduceat(gaps(steps).to_numpy(), starts),
        }
    )


def workload(collabs: pd.DataFrame) -> pd.Series:
    """creator_id → open orders: collaborations (one row each) accepted, neither completed nor ended."""
    running = collabs["accepted_at"].notna() & collabs["completed_at"].isna() & collabs["ended_at"].isna()
    return collabs.loc[running, c.CREATOR_ID].value_counts()


def _groups(steps: pd.DataFrame) -> tuple[pd.Index, Rows]:
    """The collaboration_ids of ordered ``steps``, and the row at which each begins."""
    key, ids = pd.factorize(steps[c.COLLABORATION_ID])
    return ids, np.flatnonzero(np.diff(key, prepend=-1))
