import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import poisson

from features.graph.acts import Acts
from features.graph.pods import circles, core, reciprocal_pods, shared_accounts
from tests.features.graph.worlds import crowd, engagements


def mutual(*members: str) -> list[tuple[str, str, float]]:
    return [(one, other, 1.0) for one in members for other in members if one != other]


def test_creators_who_engage_with_each_other_are_a_pod() -> None:
    rows = [
        *mutual("ann", "bob", "cid"),
        *mutual("cid", "dan"),
        ("eve", "ann", 2.0),
        ("fan", "ann", 2.0),
        ("fan", "eve", 2.0),
    ]
    (pod,) = reciprocal_pods(engagements(rows))
    assert (pod.kind, pod.creators, pod.accounts) == ("POD", ("ann", "bob", "cid"), ("ann", "bob", "cid"))
    assert (pod.strength, pod.acts) == (1, 6)


def test_a_ring_of_four_need_not_be_complete() -> None:
    rows = [row for one, other in ("ab", "bc", "cd", "da") for row in mutual(one, other)]
    (pod,) = reciprocal_pods(engagements(rows))
    assert pod.strength == pytest.approx(4 / 6)


def test_without_creators_among_the_accounts_there_is_no_pod_to_see() -> None:
    assert reciprocal_pods(engagements(crowd(np.random.default_rng(0), 200))) == []


def test_surprise_by_hand() -> None:
    """x and y share a and b, who have two edges each; c has one: d = 2 and 3, Σk = 5, Σk(k − 1) = 4."""
    rows = [("a", "x", 0), ("a", "y", 0), ("b", "x", 0), ("b", "y", 0), ("c", "y", 0)]
    found = shared_accounts(Acts.of(engagements(rows))).toarray()
    expected = -np.log10(poisson.sf(1, 2 * 3 * 4 / 5**2))
    assert found == pytest.approx(np.array([[0, expected], [expected, 0]]))


def test_creators_of_one_circle_of_accounts_are_found_in_a_crowd() -> None:
    rng = np.random.default_rng(3)
    people = crowd(rng)
    pod = [(f"member{a}", f"creator{b}", rng.uniform(0, 60)) for a in range(12) for b in range(5) if rng.random() < 0.8]
    (found,) = circles(engagements([*people, *pod]))
    assert found.creators == tuple(f"creator{b}" for b in range(5))
    busy = {f"member{a}" for a in range(12) if sum(account == f"member{a}" for account, _, _ in pod) > 1}
    assert busy <= set(found.accounts)
    assert circles(engagements(people)) == []


def test_an_account_that_engages_with_everyone_links_nobody() -> None:
    rows = [(f"aggregator{a}", f"creator{b}", b / 10) for a in range(3) for b in range(300)]
    assert len(circles(engagements(rows))) == 0


@given(st.integers(0, 1000))
def test_in_the_core_everyone_has_k_neighbours(seed: int) -> None:
    half = np.triu(np.random.default_rng(seed).random((9, 9)) < 0.35, 1)
    degree = np.diff(core(sparse.csr_matrix((half + half.T).astype(float)), 2).indptr)
    assert (degree[degree > 0] >= 2).all()
