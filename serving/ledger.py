"""What becomes of each event of a batch: accepted, a duplicate of a known one, or rejected and why."""

from collections.abc import Collection

import pandas as pd

from features import columns as c
from features.legality import verdicts
from features.schema import COLLABORATION_EVENTS
from features.validation import row_violations
from features.vocabulary import SYSTEM_EVENTS

ACCEPTED, DUPLICATE, REJECTED = "ACCEPTED", "DUPLICATE", "REJECTED"
STATUS, ERROR = "status", "error"
CONTENT = [name for name in COLLABORATION_EVENTS.names if name != c.RECEIVED_AT]
CONFLICT = "event_id: this event is known with other content; send a new event_id"


def judged(
    batch: pd.DataFrame, stored: pd.DataFrame, creators: Collection[str], now: pd.Timestamp, backfill: bool
) -> pd.DataFrame:
    """``event_id``, ``status`` and ``error`` (None unless REJECTED) for each row of ``batch`` (a unique index).

    ``stored`` are the known events of the same creators and collaborations. The ``event_id`` is the identity: the same
    content again is a duplicate, other content a conflict (the time of receipt is no content). What is new must be
    about one of ``creators``, keep the contract, not lie after ``now``, and be legal in the life cycle.
    """
    new = batch[~batch[c.EVENT_ID].isin(stored[c.EVENT_ID]) & ~batch[c.EVENT_ID].duplicated()]
    errors = _problems(new, creators, now)
    if not backfill:
        errors[new[c.EVENT_TYPE].isin(SYSTEM_EVENTS)] = "event_type: is the system's own to write, except in a backfill"
    sound = new[errors.isna()]
    errors[sound.index] = verdicts(stored, sound, backfill)
    error = batch[c.EVENT_ID].map(dict(zip(new[c.EVENT_ID], errors, strict=True))).astype("object")
    error[~_same(batch, pd.concat([stored, new]))] = CONFLICT
    error = error.where(error.notna(), None)
    status = pd.Series(DUPLICATE, index=batch.index).mask(batch.index.isin(new.index), ACCEPTED)
    return pd.DataFrame({c.EVENT_ID: batch[c.EVENT_ID], STATUS: status.mask(error.notna(), REJECTED), ERROR: error})


def _problems(new: pd.DataFrame, creators: Collection[str], now: pd.Timestamp) -> pd.Series:
    """For each event the first thing that is wrong with it by itself, None where nothing is."""
    found = pd.Series(None, index=new.index, dtype="object")
    for one in reversed(row_violations({COLLABORATION_EVENTS.name: new.reset_index(drop=True)}, now)):
        found.iloc[one.row] = f"{one.column}: {one.problem}; {one.remedy}"
    found[~new[c.CREATOR_ID].isin(creators)] = "creator_id: no such creator; upsert it first"
    return found


def _same(batch: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Whether each event has the content that ``known`` has under its id (every id is there once)."""
    there = known.set_index(c.EVENT_ID, drop=False).loc[batch[c.EVENT_ID], CONTENT].set_axis(batch.index)
    here = batch[CONTENT]
    return ((here == there) | (here.isna() & there.isna())).all(axis=1)
