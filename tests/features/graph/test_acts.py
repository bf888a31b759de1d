import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from features.graph.acts import Acts, crowded, together
from tests.features.graph.worlds import engagements


def test_places_are_sorted_and_acts_in_the_order_of_time() -> None:
    acts = Acts.of(engagements([("b", "y", 2), ("a", "x", 1), ("a", "y", 0)]))
    assert (list(acts.accounts), list(acts.creators)) == (["a", "b"], ["x", "y"])
    assert (acts.account.tolist(), acts.creator.tolist()) == ([0, 0, 1], [1, 0, 1])
    assert np.diff(acts.second).tolist() == [86_400, 86_400]
    assert acts.matrix().toarray().tolist() == [[1, 1], [0, 1]]


def test_a_crowd_is_cut_into_pieces_of_neighbours_in_time() -> None:
    row, column = np.array([0, 1, 2, 3, 4]), np.array([1, 0, 1, 1, 1])
    matrix = crowded(row, column, 5, 2).toarray()
    assert matrix.sum(axis=1).tolist() == [1] * 5
    assert sorted(np.flatnonzero(piece).tolist() for piece in matrix.T) == [[0, 2], [1], [3, 4]]


@given(st.integers(0, 1000), st.integers(1, 4), st.integers(1, 9))
def test_together_counts_common_columns(seed: int, least: int, chunk: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.random((7, 9)) < 0.5
    row, column = np.nonzero(dense)
    found = together(crowded(row, column, 7, 7), least, chunk).toarray()
    common = dense.astype(int) @ dense.astype(int).T
    np.fill_diagonal(common, 0)
    assert (found == np.where(common >= least, common, 0)).all()


def test_nothing_is_no_trouble() -> None:
    acts = Acts.of(engagements([("a", "x", 0)]).iloc[:0])
    assert acts.matrix().shape == (0, 0)
    assert isinstance(acts.accounts, pd.Index)
