"""Audience shares as vectors, and how much two audiences overlap."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c


def shares(audience: pd.DataFrame, ids: pd.Index, dimension: str) -> pd.DataFrame:
    """(len(ids), buckets) shares of one dimension in the order of ``ids``.

    A bucket that a creator does not list is 0; the row of a creator without this dimension is NaN.
    """
    rows = audience[(audience[c.DIMENSION] == dimension) & audience[c.CREATOR_ID].isin(ids)]
    table = rows.pivot_table(index=c.CREATOR_ID, columns=c.BUCKET, values=c.SHARE, aggfunc="sum", fill_value=0.0)
    return table.reindex(ids)


def target_share(known: pd.DataFrame, targets: list[str]) -> npt.NDArray[np.float64]:
    """(n,) share of each audience in ``targets``, from :func:`shares`; NaN where unknown or nothing is targeted."""
    if not targets or known.empty:
        return np.full(len(known), np.nan)
    return known.reindex(columns=targets, fill_value=0.0).sum(axis=1).where(known.notna().any(axis=1)).to_numpy()


def bhattacharyya(known: pd.DataFrame, wanted: pd.Series) -> npt.NDArray[np.float64]:
    """(n,) Σ √(p q) between each audience and the distribution ``wanted`` by bucket: 1 for equal, 0 for disjoint ones
    (Bhattacharyya, 1943); NaN where unknown."""
    overlap = np.sqrt(known.reindex(columns=wanted.index, fill_value=0.0).to_numpy() * wanted.to_numpy()).sum(axis=1)
    return np.where(known.notna().any(axis=1), overlap, np.nan) if len(known.columns) else np.full(len(known), np.nan)
