"""What the neighbours of a node look like, as columns for trees: with them, trees find anomalies better than graph
networks do (GADBench, Tang et al., NeurIPS 2023).

An adjacency is an (n, n) symmetric sparse matrix with weights ≥ 0; a node without neighbours gets zeros.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import eigsh

Floats = npt.NDArray[np.float64]


def degrees(adjacency: sparse.csr_matrix) -> Floats:
    """(n,) sum of the weights of each node's edges."""
    return np.asarray(adjacency.sum(axis=1), dtype=np.float64).ravel()


def walk(adjacency: sparse.csr_matrix) -> sparse.csr_matrix:
    """D⁻¹A, one step of a random walk: times values it is their mean over neighbours."""
    return sparse.csr_matrix(sparse.diags(_power(degrees(adjacency), -1.0)) @ adjacency)


def symmetric(adjacency: sparse.csr_matrix) -> sparse.csr_matrix:
    """D^−½AD^−½: a sum over neighbours in which those with many neighbours count less (Kipf and Welling, 2017)."""
    root = sparse.diags(_power(degrees(adjacency), -0.5))
    return sparse.csr_matrix(root @ adjacency @ root)


def hops(operator: sparse.csr_matrix, values: Floats, count: int) -> list[Floats]:
    """``values`` (n, p) after 1, …, ``count`` applications of ``operator`` (SGC, Wu et al., 2019)."""
    found, last = [], values
    for _ in range(count):
        last = np.asarray(operator @ last)
        found.append(last)
    return found


def variance(step: sparse.csr_matrix, values: Floats) -> Floats:
    """(n, p) variance of ``values`` among the neighbours; ``step`` is :func:`walk`'s."""
    mean = np.asarray(step @ values)
    return np.maximum(np.asarray(step @ values**2) - mean**2, 0)


def diffusion_map(adjacency: sparse.csr_matrix, count: int, rng: np.random.Generator) -> Floats:
    """(n, count) coordinates in which nodes are near from which random walks lead to the same places: eigenvectors of
    :func:`walk` by falling |eigenvalue|, times the eigenvalue (Coifman and Lafon, 2006, with one step). Each one's
    largest entry is positive; ``rng`` draws where the iteration starts."""
    degree = degrees(adjacency)
    values, vectors = eigsh(symmetric(adjacency), count, v0=rng.normal(size=len(degree)))
    order = np.argsort(-np.abs(values), kind="stable")
    scaled = vectors[:, order] * _power(degree / degree.sum(), -0.5)[:, None]
    signs = np.sign(scaled[np.abs(scaled).argmax(axis=0), np.arange(count)])
    return np.asarray(scaled * values[order] * signs, dtype=np.float64)


def neighbour_features(adjacency: sparse.csr_matrix, values: pd.DataFrame, count: int) -> pd.DataFrame:
    """Columns beside the p ``values`` (n, p), with its index: log degree and its mean over neighbours, and for each
    column over 1, …, ``count`` hops the mean (``_mean``), the normalised sum (``_sum``), and the variance among
    neighbours of what the hop before gave (``_variance``)."""
    step, x, size = walk(adjacency), values.to_numpy(np.float64), np.log1p(degrees(adjacency))
    means, sums = hops(step, x, count), hops(symmetric(adjacency), x, count)
    spreads = [variance(step, before) for before in [x, *means[:-1]]]
    named = {"mean": means, "sum": sums, "variance": spreads}
    columns = {
        f"{name}_{kind}_{hop}": found[hop - 1][:, place]
        for kind, found in named.items()
        for hop in range(1, count + 1)
        for place, name in enumerate(values.columns)
    }
    around = {"degree": size, "degree_mean": np.asarray(step @ size)}
    return pd.DataFrame(around | columns, index=values.index)


def _power(values: Floats, exponent: float) -> Floats:
    """values ** exponent, 0 where the value is 0."""
    return np.power(values, exponent, out=np.zeros(len(values)), where=values > 0)
