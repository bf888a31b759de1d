"""How improbable it is that two have so much in common by chance."""

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.stats import poisson

STRAY = 0.01  # links per node that chance may make: too few to connect three of them often


def surprise(incidence: sparse.csr_matrix, common: sparse.coo_matrix) -> npt.NDArray[np.float64]:
    """(links,) −log10 of the probability that two rows of the 0/1 ``incidence`` have that many columns in ``common`` by
    chance: a Poisson tail with the mean of the configuration model, d_i d_j Σ k (k − 1) / (Σ k)², of rows with d and
    columns with k ones (Newman, 2010, 13.2; Zweig and Kaufmann, 2011)."""
    d, k = (np.asarray(incidence.sum(axis=axis)).ravel() for axis in (1, 0))
    shared = (k * (k - 1)).sum() / max(k.sum(), 1) ** 2
    tail = poisson.logsf(common.data - 1, d[common.row] * d[common.col] * shared)
    return np.asarray(-tail / np.log(10), dtype=np.float64)


def beyond_chance(size: int) -> float:
    """The surprise that STRAY × ``size`` of the pairs of ``size`` nodes would reach by chance."""
    return float(np.log10(max(size - 1, 1) / 2 / STRAY))
