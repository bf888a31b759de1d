"""What credit is to foretell: whether a collaboration succeeds, told from the ledger as it was when it began."""

import pandas as pd

from features import columns as c
from features.asof import known_at
from features.collaborations import collaborations
from features.schema import COLLABORATION_EVENTS
from models.success import WITHIN

BEGAN, SUCCEEDED = "began_at", "succeeded"


def cases(events: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """One row per collaboration that began at least 90 days before ``end``, was accepted and ended within 90 days:
    creator_id, brand_id, began_at and succeeded (0 or 1), in order of time.

    It succeeded where it was settled and neither failed nor was rated below 3 by then. What the brand called off, and
    what was still open, says nothing. Ids are the index, ``case`` and a number.
    """
    done = collaborations(events)
    late = done["first_event_at"] + WITHIN
    failed = done["failed_at"] <= late
    settled = (done["state"] == "SETTLED") & (done["ended_at"] <= late)
    told = done["accepted_at"].notna() & done["cancelled_by_brand_at"].isna() & (failed | settled) & (late <= end)
    found = done.assign(**{BEGAN: done["first_event_at"], SUCCEEDED: (settled & ~failed).astype(float)})[told]
    found = found.sort_values([BEGAN, c.COLLABORATION_ID])[[c.CREATOR_ID, c.BRAND_ID, BEGAN, SUCCEEDED]]
    return found.set_axis("case" + pd.RangeIndex(len(found)).astype("str"))


def histories(events: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """The creator's ledger as it was known before each of the cases ``told``, with the case in the place of the
    creator, so that a score of each is one call. Collaborations and events get ids of their own for each case."""
    starts = told[[c.CREATOR_ID, BEGAN]].rename_axis("case").reset_index()
    rows = events.assign(known=known_at(events, COLLABORATION_EVENTS)).merge(starts, on=c.CREATOR_ID)
    rows = rows[rows["known"] < rows[BEGAN]]
    own = {name: rows["case"] + ":" + rows[name] for name in (c.COLLABORATION_ID, c.EVENT_ID, c.REFERS_TO)}
    return rows.assign(**{c.CREATOR_ID: rows["case"], **own}).drop(columns=["case", "known", BEGAN])
