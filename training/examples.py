"""What brands did, as graded examples: per brief the creators it could choose from and how far each one got."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.collaborations import collaborations
from features.schema import Tables
from models.success import WITHIN

# The relevance grade of an impression's outcome.
GRADES = {
    "NONE": 0, "CLICKED": 1, "FAILED": 1, "SHORTLISTED": 2, "INVITED": 2, "DECLINED": 2, "ACCEPTED": 3, "COMPLETED": 4,
}  # fmt: skip
POSITIVE = 2  # a shortlisted creator was wanted


@dataclass(frozen=True, eq=False)
class Example:
    """One brief at the time of its choice: ``grades`` (k,) and ``positions`` (k,) of ``creator_ids`` (NaN: not shown in
    a list)."""

    brief_id: str
    brand_id: str
    as_of: pd.Timestamp
    creator_ids: tuple[str, ...]
    grades: npt.NDArray[np.int64]
    positions: npt.NDArray[np.float64]


def ranking_examples(tables: Tables) -> list[Example]:
    """Logged impressions, a brief each; where none of them says whom a brief wanted, collaborations as of their first
    event. Those without a time are left out. Sorted by time."""
    found = list(_shown(tables))
    if not any((example.grades >= POSITIVE).any() for example in found):
        found = list(_hired(tables))
    dated = [example for example in found if not pd.isna(example.as_of)]
    return sorted(dated, key=lambda example: (example.as_of, example.brief_id))


def invitations(tables: Tables, end: pd.Timestamp) -> pd.DataFrame:
    """Collaborations (features.collaborations) of known briefs whose invitation is at least 90 days old at ``end``."""
    done = collaborations(tables["collaboration_events"])
    known = done[c.BRIEF_ID].isin(tables["briefs"][c.BRIEF_ID])
    return done[known & (done["invited_at"] <= end - WITHIN)].sort_values("invited_at").reset_index(drop=True)


def _shown(tables: Tables) -> Iterator[Example]:
    brands = tables["briefs"].set_index(c.BRIEF_ID)[c.BRAND_ID]
    shown = tables["impressions"].sort_values([c.BRIEF_ID, c.POSITION], kind="stable")
    shown = shown.assign(grade=shown[c.OUTCOME].map(GRADES).fillna(0).astype(int))
    first = shown.groupby(c.BRIEF_ID)[c.SHOWN_AT].min()
    best = shown.groupby([c.BRIEF_ID, c.CREATOR_ID]).agg(grade=("grade", "max"), position=(c.POSITION, "min"))
    ids, grades, positions = best.index.get_level_values(c.CREATOR_ID), best["grade"], best["position"]
    for brief_id, rows in best.groupby(level=c.BRIEF_ID).indices.items():
        yield Example(
            str(brief_id),
            brands.get(brief_id, ""),
            first[brief_id],
            tuple(ids[rows]),
            grades.to_numpy(np.int64)[rows],
            positions.to_numpy(np.float64)[rows],
        )


def _hired(tables: Tables) -> Iterator[Example]:
    done = collaborations(tables["collaboration_events"]).dropna(subset=[c.BRIEF_ID])
    grades = np.select(
        [done["failed_at"].notna(), done["completed_at"].notna(), done["accepted_at"].notna()], [1, 4, 3], default=2
    )
    for row, grade in zip(done.itertuples(index=False), grades, strict=True):
        positive = np.array([grade], np.int64)
        yield Example(row.brief_id, row.brand_id, row.first_event_at, (row.creator_id,), positive, np.array([np.nan]))
