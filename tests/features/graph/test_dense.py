"""FRAUDAR by hand, against all subsets of small graphs, and on planted blocks."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from features.graph.dense import column_weights, dense_blocks, dense_groups, densest
from tests.features.graph.worlds import crowd, engagements, ring


def density(weighted: np.ndarray, rows: list[int], columns: list[int]) -> float:
    return weighted[np.ix_(rows, columns)].sum() / (len(rows) + len(columns))


def test_a_block_by_hand() -> None:
    edges = sparse.csr_matrix(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]]))
    weight = 1 / np.log(5 + 2)
    np.testing.assert_allclose(column_weights(edges), [weight, weight, 1 / np.log(5 + 1)])
    first, second = dense_blocks(edges)
    assert (first.rows.tolist(), first.columns.tolist()) == ([0, 1], [0, 1])
    assert first.density == pytest.approx(4 * weight / 4)
    assert (second.rows.tolist(), second.columns.tolist()) == ([2], [2])


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_at_least_half_as_dense_as_the_densest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weighted = (rng.random((5, 4)) < 0.5) * rng.uniform(0.2, 1, 4)
    nodes = [*((0, row) for row in range(5)), *((1, column) for column in range(4))]
    subsets = (chosen for size in range(1, 10) for chosen in combinations(nodes, size))
    best = max(density(weighted, [p for s, p in one if s == 0], [p for s, p in one if s == 1]) for one in subsets)
    if best > 0:
        block = densest(sparse.csr_matrix(weighted))
        assert block.density == pytest.approx(density(weighted, block.rows.tolist(), block.columns.tolist()))
        assert best / 2 - 1e-9 <= block.density <= best + 1e-9


def test_camouflage_does_not_hide_a_block() -> None:
    rng = np.random.default_rng(0)
    edges = (rng.random((300, 60)) < 0.05).astype(float)
    edges[:, :3] = rng.random((300, 3)) < 0.8  # columns that everyone likes
    edges[:12, 40:52] = 1
    plain = next(dense_blocks(sparse.csr_matrix(edges)))
    edges[:12, :3] = 1  # the fraudsters like them too
    hidden = next(dense_blocks(sparse.csr_matrix(edges)))
    for block in (plain, hidden):
        assert set(range(12)) <= set(block.rows.tolist())
        assert set(range(40, 52)) <= set(block.columns.tolist())


def test_a_planted_ring_is_found_and_a_crowd_is_not() -> None:
    rng = np.random.default_rng(1)
    people = crowd(rng)
    found = dense_groups(engagements([*people, *ring()]), rng)
    assert found[0].accounts == tuple(f"bot{a}" for a in range(8))
    assert found[0].creators == tuple(f"buyer{b}" for b in range(6))
    assert found[0].acts == 48
    assert found[0].strength > 1.5
    assert sum(one.strength > 1.5 for one in found) == 2  # in both windows that hold its days
    assert dense_groups(engagements(people), rng) == []


def test_nothing_is_no_trouble() -> None:
    assert dense_groups(engagements([("a", "x", 0)]).iloc[:0], np.random.default_rng(0)) == []
