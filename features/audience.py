"""Audience shares as vectors, and how much of an audience is targeted."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c

Values = npt.NDArray[np.float64]


def shares(audience: pd.DataFrame, ids: pd.Index, dimension: str) -> pd.DataFrame:
    """(len(ids), buckets) shares of one dimension in the order of ``ids``, which are unique; buckets sorted.

    A bucket that a creator does not list is 0; the row of a creator without this dimension is NaN.
    """
    rows = audience[(audience[c.DIMENSION] == dimension).to_numpy()]
    places = ids.get_indexer(rows[c.CREATOR_ID])
    rows, places = rows[places >= 0], places[places >= 0]
    codes, buckets = pd.factorize(rows[c.BUCKET], sort=True)
    table = np.full((len(ids), len(buckets)), np.nan)
    table[places] = 0.0
    np.add.at(table, (places, codes), rows[c.SHARE].to_numpy())
    return pd.DataFrame(table, index=ids, columns=buckets)


def target_share(known: pd.DataFrame, targets: list[str]) -> Values:
    """(n,) share of each audience in ``targets``, from :func:`shares`; NaN where unknown or nothing is targeted. Case
    does not count."""
    if not targets or known.empty:
        return np.full(len(known), np.nan)
    wanted = {target.lower() for target in targets}
    sums = known.to_numpy()[:, [bucket.lower() in wanted for bucket in known.columns]].sum(axis=1)
    return np.where(_has_dimension(known), sums, np.nan)


def _has_dimension(known: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether a creator lists any bucket; ``shares`` leaves a row wholly NaN or without any."""
    return known.notna().to_numpy().any(axis=1)
