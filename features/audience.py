"""Audience shares as vectors, and how much of an audience is targeted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from features import columns as c
from features.picked import Picked

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shares:
    """One dimension of n audiences: ``matrix`` (n, b) of shares, a column per bucket of ``buckets``, sorted.

    A bucket that a creator does not list is 0; of a creator who lists none the dimension is unknown.
    """

    buckets: tuple[str, ...]
    matrix: sparse.csr_matrix

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """(n,) whether the creator lists any bucket."""
        return np.diff(self.matrix.indptr) > 0


def shares(audience: pd.DataFrame, ids: pd.Index, dimension: str) -> Shares:
    """The shares of one dimension in the order of ``ids``, which are unique; a bucket listed twice is summed."""
    rows = audience[(audience[c.DIMENSION] == dimension).to_numpy()]
    places = ids.get_indexer(rows[c.CREATOR_ID])
    rows, places = rows[places >= 0], places[places >= 0]
    codes, buckets = pd.factorize(rows[c.BUCKET], sort=True)
    matrix = sparse.csr_matrix((rows[c.SHARE].to_numpy(), (places, codes)), (len(ids), len(buckets)))
    return Shares(tuple(buckets), matrix)


def target_share(audience: Shares, targets: Sequence[str], rows: Rows | None = None) -> Values:
    """(k,) share of the audiences in ``rows`` (all n of them without) in ``targets``; NaN where unknown or nothing is
    targeted. Case does not count."""
    if not targets:
        return np.full(audience.matrix.shape[0] if rows is None else len(rows), np.nan)
    wanted = {target.lower() for target in targets}
    hits = np.array([bucket.lower() in wanted for bucket in audience.buckets], dtype=np.float64)
    if rows is None:
        return np.where(audience.known, audience.matrix @ hits, np.nan)
    picked = Picked(audience.matrix, rows)
    return np.where(picked.lengths > 0, picked @ hits, np.nan)
