"""Neighbour aggregation on a path a - b - c with a lonely d, by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from features.graph.neighbours import degrees, diffusion_map, hops, neighbour_features, symmetric, variance, walk

PATH = sparse.csr_matrix(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=np.float64))
VALUES = np.array([[1.0], [2.0], [5.0], [7.0]])


def test_means_over_one_and_two_hops() -> None:
    one, two = hops(walk(PATH), VALUES, 2)
    assert one.ravel().tolist() == [2, 3, 2, 0]
    assert two.ravel().tolist() == [3, 2, 3, 0]


def test_sums_count_busy_neighbours_less() -> None:
    expected = np.array([2, 6, 2, 0]) / np.sqrt(2)
    np.testing.assert_allclose((symmetric(PATH) @ VALUES).ravel(), expected)


def test_variance_among_neighbours() -> None:
    np.testing.assert_allclose(variance(walk(PATH), VALUES).ravel(), [0, 4, 0, 0])


def test_columns_are_named_by_what_they_are() -> None:
    frame = pd.DataFrame({"age": VALUES.ravel()}, index=list("abcd"))
    before = frame.copy()
    found = neighbour_features(PATH, frame, 2)
    pd.testing.assert_frame_equal(frame, before)
    assert found.loc["b"].to_dict() == pytest.approx(
        {
            "degree": np.log(3), "degree_mean": np.log(2), "age_mean_1": 3, "age_mean_2": 2,
            "age_sum_1": 6 / np.sqrt(2), "age_sum_2": 2, "age_variance_1": 4, "age_variance_2": 0,
        }
    )  # fmt: skip


def test_diffusion_map_tells_two_cliques_apart() -> None:
    clique = np.ones((5, 5)) - np.eye(5)
    both = np.block([[clique, np.zeros((5, 5))], [np.zeros((5, 5)), clique]])
    both[4, 5] = both[5, 4] = 1
    places = diffusion_map(sparse.csr_matrix(both), 2, np.random.default_rng(0))
    np.testing.assert_allclose(places[:, 0], 1)  # the walk's own distribution
    assert len(set(np.sign(places[:5, 1]))) == 1
    assert np.sign(places[0, 1]) == -np.sign(places[9, 1])
    np.testing.assert_allclose(np.abs(places[4, 1]), np.abs(places[5, 1]))


@given(st.integers(0, 1000), st.permutations(range(8)))
def test_names_of_nodes_do_not_matter(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    half = np.triu(rng.random((8, 8)) < 0.4, 1).astype(np.float64)
    adjacency = sparse.csr_matrix(half + half.T)
    values = pd.DataFrame(rng.random((8, 2)), columns=["a", "b"])
    moved = neighbour_features(adjacency[order][:, order], values.iloc[order], 3)
    pd.testing.assert_frame_equal(moved, neighbour_features(adjacency, values, 3).iloc[order])
    np.testing.assert_allclose(degrees(adjacency[order][:, order]), degrees(adjacency)[order])
