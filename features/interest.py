"""How brands answered when creators were shown to them, beside what the places they were shown at would explain.

A lift is (wanted + PRIOR) / (expected + PRIOR), where expected sums, over a creator's impressions, how often anyone is
wanted at that position: 1 is usual, whatever the position; PRIOR pseudo-wishes keep a few impressions near 1.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from features import columns as c
from features.schema import Tables

Values = npt.NDArray[np.float64]
PRIOR = 1.0
WANTED = ("SHORTLISTED", "INVITED", "DECLINED", "ACCEPTED", "COMPLETED", "FAILED")
LOOKED_AT = ("CLICKED", *WANTED)
DEEPEST = 50  # positions beyond are taken together


@dataclass(frozen=True)
class Interest:
    """``creators`` (n,) lift of each creator with all brands, NaN without impressions; by brand ``looked`` and
    ``expected`` (b, n) sums of impressions that were looked at."""

    creators: Values
    brands: pd.Index
    looked: sparse.csr_matrix
    expected: sparse.csr_matrix

    def of_brand(self, brand_id: object, rows: npt.NDArray[np.int64]) -> Values:
        """(k,) lift of the creators in ``rows`` with one brand, NaN where it was shown none."""
        if brand_id not in self.brands:
            return np.full(len(rows), np.nan)
        place = self.brands.get_loc(brand_id)
        return _lift(*(_picked(sums, place, rows) for sums in (self.looked, self.expected)))


@dataclass(frozen=True)
class Positions:
    """How often anyone shown at a position is ``wanted`` and ``looked`` at, (DEEPEST + 1,) by position, NaN where
    nobody was shown."""

    wanted: Values
    looked: Values

    @classmethod
    def of(cls, impressions: pd.DataFrame) -> "Positions":
        """The means over all ``impressions``."""
        places = _places(impressions)
        counts = _sums(places, np.ones(len(places)), DEEPEST + 1)
        with np.errstate(invalid="ignore"):
            return cls(*(_sums(places, hits, DEEPEST + 1) / counts for hits in _hits(impressions)))


def build_interest(tables: Tables, ids: pd.Index, positions: Positions) -> Interest:
    """The interest in the creators ``ids`` that the impressions in ``tables`` show, beside what ``positions``
    explain."""
    shown = tables["impressions"]
    brand = shown[c.BRIEF_ID].map(tables["briefs"].drop_duplicates(c.BRIEF_ID).set_index(c.BRIEF_ID)[c.BRAND_ID])
    columns, places = ids.get_indexer(shown[c.CREATOR_ID]), _places(shown)
    wanted, looked = _hits(shown)
    known = columns >= 0
    totals = [_sums(columns[known], hits[known], len(ids)) for hits in (wanted, positions.wanted[places])]
    brands = pd.Index(sorted(brand.dropna().unique()), dtype="str")
    rows = brands.get_indexer(brand)
    both = known & (rows >= 0)
    where, shape = (rows[both], columns[both]), (len(brands), len(ids))
    return Interest(
        creators=_lift(*totals),
        brands=brands,
        looked=sparse.csr_matrix((looked[both], where), shape),
        expected=sparse.csr_matrix((positions.looked[places][both], where), shape),
    )


def _places(shown: pd.DataFrame) -> npt.NDArray[np.int64]:
    """(r,) the positions shown at, up to DEEPEST; 0 where none is known."""
    return shown[c.POSITION].clip(0, DEEPEST).fillna(0).to_numpy(np.int64)


def _hits(shown: pd.DataFrame) -> list[Values]:
    """(r,) 1 where the creator was wanted, and where looked at."""
    return [shown[c.OUTCOME].isin(kinds).to_numpy(np.float64) for kinds in (WANTED, LOOKED_AT)]


def _picked(sums: sparse.csr_matrix, row: int, columns: npt.NDArray[np.int64]) -> Values:
    """(k,) values of a row at some ``columns``, without making all n of them; its entries stand in their order."""
    entries = slice(*sums.indptr[row : row + 2])
    known, values = sums.indices[entries], sums.data[entries]
    if not len(known):
        return np.zeros(len(columns))
    places = np.searchsorted(known, columns).clip(max=len(known) - 1)
    return np.where(known[places] == columns, values[places], 0.0)


def _sums(places: npt.NDArray[np.int64], weights: Values, size: int) -> Values:
    return np.bincount(places, weights, size).astype(np.float64)


def _lift(hits: Values, expected: Values) -> Values:
    return np.where(expected > 0, (hits + PRIOR) / (expected + PRIOR), np.nan)
