import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.graph.acts import Acts
from features.graph.lockstep import lockstep_groups, similarity
from tests.features.graph.worlds import START, crowd, engagements, ring

DAY = pd.Timedelta(days=1)
STRANGERS = [(f"stranger{i}", f"their own {i}", 0.0) for i in range(300)]  # so that meeting is no chance


def test_similarity_by_hand() -> None:
    """a and b meet on x and y, a also acts on z: 2 of 3. c acts on x and y too, weeks later."""
    rows = [("a", "x", 0), ("b", "x", 1), ("a", "y", 9), ("b", "y", 10), ("a", "z", 0), ("c", "x", 30), ("c", "y", 30)]
    found = similarity(Acts.of(engagements([*rows, *STRANGERS])))[:3, :3].toarray()
    assert found == pytest.approx(np.array([[0, 2 / 3, 0], [2 / 3, 0, 0], [0, 0, 0]]))


def test_one_creator_in_common_is_a_coincidence() -> None:
    assert similarity(Acts.of(engagements([("a", "x", 0), ("b", "x", 0), *STRANGERS]))).nnz == 0


def test_two_in_common_are_no_surprise_where_everyone_acts_on_the_same_creators() -> None:
    town = crowd(np.random.default_rng(5), acts=2000, accounts=400, creators=10)
    assert lockstep_groups(engagements(town)) == []


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 14), st.floats(0, 3.4))
def test_acts_within_half_a_window_meet_wherever_it_begins(start: float, apart: float) -> None:
    rows = [("a", "x", start), ("a", "y", start), ("b", "x", start + apart), ("b", "y", start + apart)]
    assert similarity(Acts.of(engagements([*rows, *STRANGERS]))).nnz == 2


def test_a_planted_ring_comes_with_its_evidence() -> None:
    people = crowd(np.random.default_rng(2))
    (found,) = lockstep_groups(engagements([*people, *ring(), ("bot0", "creator1", 50.0)]))
    assert found.kind == "LOCKSTEP"
    assert found.accounts == tuple(f"bot{a}" for a in range(8))
    assert found.creators == tuple(f"buyer{b}" for b in range(6))
    assert found.videos == tuple(f"video of buyer{b}" for b in range(6))
    ((first, last),) = found.windows
    assert (first, last.floor("D")) == (START + 20 * DAY, START + 21 * DAY)
    assert (found.acts, found.strength) == (48, pytest.approx(1, abs=0.1))
    assert lockstep_groups(engagements(people)) == []


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter_and_no_table_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    events = engagements([*crowd(rng, 500, 100, 20), *ring()])
    before = events.copy()
    assert lockstep_groups(events.iloc[rng.permutation(len(events))]) == lockstep_groups(events)
    pd.testing.assert_frame_equal(events, before)


def test_a_crowd_on_one_creator_is_no_group() -> None:
    viral = [(f"fan{a}", "star", a / 1000) for a in range(1000)]
    assert lockstep_groups(engagements(viral)) == []
