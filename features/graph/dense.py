"""Blocks of accounts and creators with more edges than others have: FRAUDAR (Hooi et al., KDD 2016).

A block S of rows and columns has the density g(S) = Σ weights of the edges inside / |S|. An edge to column j weighs
1 / log(x + degree of j), so that edges to popular columns, the usual camouflage, count little, and a fraudster cannot
lower the density of a block by adding edges out of it. Greedy peeling finds a block at least half as dense as the
densest (Charikar, 2000; theorem 2 of Hooi et al.).

Over months, the densest part of a market is simply its busy part. Who arranges engagement does it within days, so
blocks are looked for in short windows, among accounts and creators that keep more weight inside than anyone would with
the accounts shuffled over the acts: everyone as busy as before, nobody with anybody. Shin, Eliassi-Rad and Faloutsos
(ICDM 2016) find anomalies by such cores; here they also make the search for many blocks cheap.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from features.graph.acts import Acts, ones
from features.graph.evidence import Evidence, Group

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SMOOTHING = 5.0  # x of the paper's weights
WINDOW = pd.Timedelta(days=14)  # every half of it a new one begins
MOST = 50  # blocks in a window
EXCESS = 1.1  # times the coreness, and the density, that chance reaches
FEWEST = 3  # accounts, and creators
ROUNDING = 1e-9


@dataclass(frozen=True)
class Block:
    """Rows and columns of a dense block, ascending, its density g, and the ``coreness`` of what it was found in: every
    node of some part keeps that much weight inside the part, and of no part more (Seidman, 1983)."""

    rows: Ints
    columns: Ints
    density: float
    coreness: float


def dense_groups(events: pd.DataFrame, rng: np.random.Generator) -> list[Group]:
    """The blocks of each window whose members have EXCESS times the coreness of chance, of FEWEST accounts and
    creators; ``strength`` is the density over that of the densest block by chance. From rows of ``engagements``, the
    strongest first; ``rng`` shuffles."""
    acts = Acts.of(events)
    place = acts.second // int(WINDOW.total_seconds() / 2)
    found = []
    for start in np.unique(place):
        part = acts.part((place == start) | (place == start + 1))
        evidence = Evidence(events, part)
        found += [
            evidence.group("DENSE_BLOCK", block.rows, block.columns, times) for block, times in beyond_chance(part, rng)
        ]
    return sorted(found, key=lambda one: (-one.strength, one.creators))


def beyond_chance(acts: Acts, rng: np.random.Generator) -> Iterator[tuple[Block, float]]:
    """Blocks whose members are more than chance, and how many times as dense."""
    shape = (len(acts.accounts), len(acts.creators))
    chance = next(dense_blocks(ones(rng.permutation(acts.account), acts.creator, shape)), None)
    if chance is None:
        return
    for block in islice(dense_blocks(acts.matrix(), EXCESS * chance.coreness), MOST):
        times = block.density / chance.density
        if times >= EXCESS and min(len(block.rows), len(block.columns)) >= FEWEST:
            yield block, times


def column_weights(edges: sparse.csr_matrix) -> Floats:
    """(columns,) 1 / log(SMOOTHING + degree)."""
    return 1 / np.log(SMOOTHING + np.bincount(edges.indices, minlength=edges.shape[1]))


def dense_blocks(edges: sparse.csr_matrix, least: float = 0.0) -> Iterator[Block]:
    """Blocks of the (rows, columns) 0/1 matrix among nodes that keep ``least`` weight inside, each found after the
    edges inside those before it were taken out; columns keep the weight they have in ``edges``. The first takes time
    near-linear in the edges, the others in what is left of them."""
    weighted = sparse.csr_matrix(edges @ sparse.diags(column_weights(edges)))
    while (weighted := _core(weighted, least)).nnz:
        block = densest(weighted)
        yield block
        weighted = _without(weighted, block)


def densest(weighted: sparse.csr_matrix) -> Block:
    """The densest block that greedy peeling meets: the node with the least weight inside goes first, rows before
    columns and by place among equals. First all those at once that have less than the density of what is left: without
    them it is denser (Bahmani, Kumar and Vassilvitskii, 2012, with ε = 0)."""
    rows, columns = _touched(weighted)
    inner = _core(weighted, weighted.sum() / (len(rows) + len(columns)))
    if inner.nnz < weighted.nnz:
        return densest(inner)
    order, densities, coreness = _peel(weighted[rows][:, columns])
    best = int(np.argmax(densities))
    left = np.ones(len(order), dtype=bool)
    left[order[:best]] = False
    return Block(rows[left[: len(rows)]], columns[left[len(rows) :]], float(densities[best]), coreness)


def _touched(weighted: sparse.csr_matrix) -> tuple[Ints, Ints]:
    """Rows and columns with an edge."""
    return np.flatnonzero(np.diff(weighted.indptr)), np.unique(weighted.indices).astype(np.int64)


def _core(weighted: sparse.csr_matrix, least: float) -> sparse.csr_matrix:
    """The edges among the nodes that keep at least ``least`` weight inside when all others go."""
    while True:
        row, column = (np.asarray(weighted.sum(axis=axis)).ravel() >= least - ROUNDING for axis in (1, 0))
        edges = weighted.tocoo()
        inside = row[edges.row] & column[edges.col]
        if inside.all():
            return weighted
        kept = (edges.data[inside], (edges.row[inside], edges.col[inside]))
        weighted = sparse.csr_matrix(kept, shape=weighted.shape)


def _peel(weighted: sparse.csr_matrix) -> tuple[Ints, Floats, float]:
    """The nodes (rows, then columns) in the order in which they go, the density before each goes, and the largest
    weight with which one goes: the coreness."""
    size = sum(weighted.shape)
    both = sparse.csr_matrix(sparse.bmat([[None, weighted], [weighted.T, None]]))
    starts, neighbours, weights = both.indptr.tolist(), both.indices.tolist(), both.data.tolist()
    inside = np.asarray(both.sum(axis=1)).ravel().tolist()
    total, coreness, alive = weighted.sum(), 0.0, [True] * size
    heap = [(weight, node) for node, weight in enumerate(inside)]
    heapq.heapify(heap)
    order: list[int] = []
    densities: list[float] = []
    while heap:
        weight, node = heapq.heappop(heap)
        if not alive[node] or weight != inside[node]:
            continue  # gone already, or a later entry has its present weight
        densities.append(total / (size - len(order)))
        order.append(node)
        alive[node], total, coreness = False, total - weight, max(coreness, weight)
        for edge in range(starts[node], starts[node + 1]):
            other = neighbours[edge]
            if alive[other]:
                inside[other] -= weights[edge]
                heapq.heappush(heap, (inside[other], other))
    return np.array(order), np.array(densities), coreness


def _without(weighted: sparse.csr_matrix, block: Block) -> sparse.csr_matrix:
    """The matrix without the edges inside ``block``."""
    edges = weighted.tocoo()
    inside = np.isin(edges.row, block.rows) & np.isin(edges.col, block.columns)
    kept = (edges.data[~inside], (edges.row[~inside], edges.col[~inside]))
    return sparse.csr_matrix(kept, shape=weighted.shape)
