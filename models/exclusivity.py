"""Whom a brand is not offered because they have just worked for its competitor."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.schema import Tables

# A judgement: viewers should not meet one face for two rivals in one month. Contracts often lock a creator up for
# longer, but the ledger does not hold contracts, and a default for every brand had better be a mild one.
WITHIN = pd.Timedelta(days=30)
WORK = ("ACCEPTED", "CONTRACTED", "CONTENT_SUBMITTED", "REVISION_REQUESTED", "CONTENT_APPROVED", "PUBLISHED")


@dataclass(frozen=True)
class Rivals:
    """The brands of each industry, and ``work``: creator_id, brand_id and event_time of what was done for a brand less
    than WITHIN ago."""

    industries: Mapping[str, frozenset[str]]
    work: pd.DataFrame

    @classmethod
    def of(cls, seen: Tables, latest: pd.Timestamp) -> "Rivals":
        """From tables as they were known at ``latest``."""
        events = seen["collaboration_events"]
        work = events[events[c.EVENT_TYPE].isin(WORK) & events[c.BRAND_ID].notna()]
        return cls(industries(seen["briefs"]), _since(work[[c.CREATOR_ID, c.BRAND_ID, c.EVENT_TIME]], latest))

    def renewed(self, fresh: "Rivals", ids: pd.Index, latest: pd.Timestamp) -> "Rivals":
        """With the ``fresh`` work of the creators ``ids`` in the place of theirs."""
        others = self.work[~self.work[c.CREATOR_ID].isin(ids)]
        return replace(self, work=_since(pd.concat([others, fresh.work], ignore_index=True), latest))

    def bound(self, brief: pd.Series) -> list[str]:
        """The creators who have worked for a competitor of the brief's brand."""
        brands, codes, creators = self._columns
        wanted = np.zeros(len(brands), bool)
        wanted[[brands[one] for one in self.competitors(brief) if one in brands]] = True
        return list(creators[wanted[codes]])

    def competitors(self, brief: pd.Series) -> frozenset[str]:
        """The other brands that have written a brief in the brief's industry, in whatever case it is written; without
        brand or industry there are none."""
        brand, industry = brief[c.BRAND_ID], brief[c.INDUSTRY]
        if not (isinstance(brand, str) and isinstance(industry, str)):
            return frozenset()
        return self.industries.get(industry.strip().casefold(), frozenset()) - {brand}

    @cached_property
    def _columns(self) -> tuple[Mapping[str, int], npt.NDArray[np.int64], npt.NDArray[np.object_]]:
        """The brands with their places, and for each row of ``work`` which of them it is about, and which creator."""
        codes, brands = pd.factorize(self.work[c.BRAND_ID])
        return {name: place for place, name in enumerate(brands)}, codes, self.work[c.CREATOR_ID].to_numpy(object)


def industries(briefs: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Industry, trimmed and without case → the brands that have written a brief in it."""
    known = briefs[[c.BRAND_ID, c.INDUSTRY]].dropna().drop_duplicates()
    by_industry = known[c.BRAND_ID].groupby(known[c.INDUSTRY].str.strip().str.casefold())
    return {str(name): frozenset(brands) for name, brands in by_industry}


def _since(work: pd.DataFrame, latest: pd.Timestamp) -> pd.DataFrame:
    return work[work[c.EVENT_TIME] > latest - WITHIN].reset_index(drop=True)
