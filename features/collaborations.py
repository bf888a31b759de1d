"""The life cycle of a collaboration: which event may follow which, what each has come to, who has open orders.

The state is the last life-cycle event that moves work forward. RATED and METRICS_REPORTED are remarks: they say
something about the state and leave it as it is.
"""

from collections.abc import Callable, Sequence

import pandas as pd

from features import columns as c
from features.vocabulary import LIFE_CYCLE_EVENTS

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
_ORDER = [c.COLLABORATION_ID, c.EVENT_TIME, c.EVENT_ID]
_Legal = Callable[[Sequence[str]], tuple[str, ...]]


def next_legal(history: Sequence[str]) -> tuple[str, ...]:
    """The event types that may follow ``history``, the life-cycle event types of one collaboration in order of time."""
    state = next((event for event in reversed(history) if event not in REMARKS), START)
    return tuple(event for event in TRANSITIONS[state] if event != "RATED" or "RATED" not in history)


def verdicts(stored: pd.DataFrame, batch: pd.DataFrame, backfill: bool) -> list[str | None]:
    """For each row of ``batch`` what makes it illegal among the ``stored`` events, None where it is legal.

    Events are read in order of (event_time, event_id). An event must be legal at its place and leave every event after
    it as legal as it was. With ``backfill`` gaps are allowed: only what may not follow the end it came to and a second
    contract are illegal. Events outside the life cycle are always legal.
    """
    legal = _uncontradicted if backfill else next_legal
    kept = {key: list(_steps(rows)) for key, rows in _life_cycle(stored).groupby(c.COLLABORATION_ID)}
    found: dict[object, str | None] = {}
    new = _life_cycle(batch.reset_index(drop=True))
    for row, key, step in zip(new.index, new[c.COLLABORATION_ID], _steps(new), strict=True):
        history = kept.setdefault(key, [])
        found[row] = _problem(history, step, legal)
        if found[row] is None:
            history[:] = sorted([*history, step])
    return [found.get(row) for row in range(len(batch))]


def collaborations(events: pd.DataFrame) -> pd.DataFrame:
    """One row per collaboration_id with creator_id, brand_id, brief_id and what its events have come to.

    Times (NaT where it has not happened): first_event_at, invited_at, accepted_at (or contracted), declined_at,
    completed_at (published, measured or settled), failed_at (defaulted, cancelled by the creator, or rated below 3),
    cancelled_by_brand_at, ended_at (the first terminal event). rating is the latest (NaN: none), state the last event
    that is no remark (null where all are), incomplete whether events are missing from the history. Events without a
    collaboration_id and conduct events are not looked at; every event given counts, whatever its time.
    """
    steps = _life_cycle(events)
    by_id = steps.groupby(c.COLLABORATION_ID)
    done = by_id[[c.CREATOR_ID, c.BRAND_ID, c.BRIEF_ID]].first()
    for name, kinds in _MOMENTS.items():
        done[name] = _first(steps, steps[c.EVENT_TYPE].isin(kinds))
    poor = _first(steps, (steps[c.EVENT_TYPE] == "RATED") & (steps[c.RATING] < POOR))
    done["failed_at"] = done["failed_at"].where(~(poor < done["failed_at"]), poor).fillna(poor)
    done[c.RATING] = steps[c.RATING].where(steps[c.EVENT_TYPE] == "RATED").groupby(steps[c.COLLABORATION_ID]).last()
    done["state"] = _moves(steps).groupby(steps[c.COLLABORATION_ID]).last()
    done["incomplete"] = _gaps(steps).groupby(steps[c.COLLABORATION_ID]).any().astype(bool)
    return done.reset_index()


def workload(collabs: pd.DataFrame) -> pd.Series:
    """creator_id → open orders: collaborations (one row each) accepted, neither completed nor ended."""
    running = collabs["accepted_at"].notna() & collabs["completed_at"].isna() & collabs["ended_at"].isna()
    return collabs.loc[running, c.CREATOR_ID].value_counts()


def _life_cycle(events: pd.DataFrame) -> pd.DataFrame:
    chosen = events[c.EVENT_TYPE].isin(LIFE_CYCLE_EVENTS) & events[c.COLLABORATION_ID].notna()
    return events[chosen].sort_values(_ORDER)


def _steps(rows: pd.DataFrame) -> "zip[tuple[pd.Timestamp, str, str]]":
    return zip(rows[c.EVENT_TIME], rows[c.EVENT_ID], rows[c.EVENT_TYPE], strict=True)


def _uncontradicted(history: Sequence[str]) -> tuple[str, ...]:
    """What may follow a history that may have gaps."""
    end = next((event for event in history if event in TERMINAL), None)
    possible = LIFE_CYCLE_EVENTS if end is None else TRANSITIONS[end]
    return tuple(event for event in possible if event != "CONTRACTED" or event not in history)


def _problem(
    history: list[tuple[pd.Timestamp, str, str]], step: tuple[pd.Timestamp, str, str], legal: _Legal
) -> str | None:
    event = step[2]
    before = [known[2] for known in history if known < step]
    after = [known[2] for known in history if known > step]
    possible = legal(before)
    if event not in possible:
        place = f"after {before[-1]}" if before else "as the first event"
        return f"event_type: {event} is illegal {place}; legal: {', '.join(possible) or 'nothing, it has ended'}"
    for i, later in enumerate(after):
        if later in legal(before + after[:i]) and later not in legal([*before, event, *after[:i]]):
            return f"event_type: {event} at this time contradicts the later {later}; send the true event_time"
    return None


def _first(steps: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    return steps[c.EVENT_TIME].where(chosen).groupby(steps[c.COLLABORATION_ID]).min()


def _moves(steps: pd.DataFrame) -> pd.Series:
    """The type of each event that moves its collaboration on; null for a remark."""
    return steps[c.EVENT_TYPE].where(~steps[c.EVENT_TYPE].isin(REMARKS))


def _gaps(steps: pd.DataFrame) -> pd.Series:
    """Whether each event is one that may not follow the state before it."""
    key = steps[c.COLLABORATION_ID]
    state = _moves(steps).groupby(key).ffill().groupby(key).shift().fillna(START)
    legal = {f"{before}>{event}" for before, events in TRANSITIONS.items() for event in events}
    return ~(state + ">" + steps[c.EVENT_TYPE]).isin(legal)
