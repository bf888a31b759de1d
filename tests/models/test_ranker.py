"""The ranker keeps what every model here promises, and never turns round what the world decides."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.creators import FEATURES
from features.pairs import PAIR_FEATURES
from features.state import UPSTREAM
from models.gbm import contributions
from models.ranker import MONOTONE, Ranker, fit_ranker

NAMES = [*(feature.__name__ for feature in (*PAIR_FEATURES, *FEATURES)), *UPSTREAM]
GROUPS, SIZE = 40, 25


def random_pairs(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of all features, each uniform, a tenth of them unknown."""
    values = rng.random((rows, len(NAMES)))
    values[rng.random(values.shape) < 0.1] = np.nan
    return pd.DataFrame(values, columns=NAMES)


def fitted(seed: int = 3) -> Ranker:
    """Grades rise with text, followers and the place shown and, against all sense, with price and fraud too."""
    rng = np.random.default_rng(0)
    pairs, positions = random_pairs(GROUPS * SIZE, rng), np.tile(np.arange(1.0, SIZE + 1), GROUPS)
    useful = pairs.fillna(0.5)[["text_cosine", "followers_count", "price_to_budget", "fraud_probability"]].sum(axis=1)
    raw = useful + 2 / positions + rng.normal(scale=0.3, size=len(pairs))
    grades = np.digitize(raw, np.quantile(raw, [0.5, 0.7, 0.85, 0.95]))
    return fit_ranker(pairs, grades, positions, [SIZE] * GROUPS, seed=seed, rounds=60)


def hired() -> Ranker:
    """One hire a group, the closest by its text, and no list that anyone was shown."""
    pairs = random_pairs(GROUPS * SIZE, np.random.default_rng(0))
    grades = np.zeros((GROUPS, SIZE), np.int64)
    grades[np.arange(GROUPS), pairs["text_cosine"].fillna(0).to_numpy().reshape(GROUPS, SIZE).argmax(axis=1)] = 3
    return fit_ranker(pairs, grades.ravel(), np.full(len(pairs), np.nan), [SIZE] * GROUPS, seed=3, rounds=60)


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    return fitted()


@pytest.fixture
def some() -> pd.DataFrame:
    return random_pairs(12, np.random.default_rng(1))


def test_it_learns_what_is_wanted(ranker, some):
    ranked = some.assign(text_cosine=np.linspace(0, 1, 12), followers_count=np.linspace(0, 1, 12))
    scores = ranker.score(ranked)
    assert scores[-3:].mean() > scores[:3].mean()


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(MONOTONE)), seed=st.integers(0, 10_000),
    ends=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
)  # fmt: skip
def test_the_score_moves_only_in_the_direction_that_the_world_allows(ranker, name, seed, ends):
    row = random_pairs(1, np.random.default_rng(seed))
    low, high = (ranker.score(row.assign(**{name: value}))[0] for value in sorted(ends))
    assert MONOTONE[name] * (high - low) >= 0


def test_constraints_are_of_features_that_exist():
    assert set(MONOTONE) <= set(NAMES)
    falling = {name for name, sign in MONOTONE.items() if sign < 0}
    assert falling == {"price_to_budget", "price_usd", "cost_per_mille", "fraud_probability", "brand_size_gap"}


def test_the_same_seed_gives_the_same_bits_and_another_does_not(ranker, some):
    np.testing.assert_array_equal(fitted().score(some), ranker.score(some))
    assert (fitted(seed=4).score(some) != ranker.score(some)).any()


def test_saved_and_loaded_it_is_the_same(ranker, some, tmp_path):
    ranker.save(tmp_path / "ranker")
    loaded = Ranker.load(tmp_path / "ranker")
    assert loaded.features == ranker.features == tuple(NAMES)
    np.testing.assert_array_equal(loaded.score(some), ranker.score(some))
    assert loaded.reasons(some) == ranker.reasons(some)


def test_a_row_scores_alone_as_among_others_whatever_the_order_of_columns(ranker, some):
    scores = ranker.score(some)
    alone = np.concatenate([ranker.score(some.iloc[[i]][NAMES[::-1]]) for i in range(len(some))])
    np.testing.assert_array_equal(alone, scores)


def test_the_caller_keeps_its_frame(ranker, some):
    before = some.copy()
    ranker.score(some)
    ranker.reasons(some)
    pd.testing.assert_frame_equal(some, before)


def test_reasons_are_the_largest_positive_contributions_and_all_of_them_sum_to_the_score(ranker, some):
    served = np.column_stack([some.to_numpy(), np.ones(len(some))])
    margins = contributions(ranker.booster, served)
    np.testing.assert_allclose(margins.sum(axis=1), ranker.score(some), rtol=0, atol=1e-9)
    told = np.where(some.isna(), 0.0, margins[:, : len(NAMES)])
    for margin, reasons in zip(told, ranker.reasons(some), strict=True):
        expected = sorted((value for value in margin if value > 0), reverse=True)[:3]
        assert [reason["contribution"] for reason in reasons] == expected
        assert all(margin[NAMES.index(reason["code"].lower())] == reason["contribution"] for reason in reasons)


def test_the_place_shown_is_never_a_reason_and_read_at_the_top(ranker, some):
    assert "position" not in ranker.features
    codes = {reason["code"] for reasons in ranker.reasons(some) for reason in reasons}
    assert "POSITION" not in codes
    top = np.column_stack([some.to_numpy(), np.ones(len(some))])
    np.testing.assert_array_equal(ranker.booster.predict(top, num_threads=1), ranker.score(some))
    lower = np.column_stack([some.to_numpy(), np.full(len(some), 20.0)])
    assert (ranker.booster.predict(lower, num_threads=1) < ranker.score(some)).any(), "the place taught it nothing"


def test_no_row_gives_no_score_and_no_reason(ranker, some):
    assert ranker.score(some.iloc[:0]).shape == (0,)
    assert ranker.reasons(some.iloc[:0]) == []


def test_hires_without_a_list_are_learned_by_their_odds(some):
    ranker = hired()
    assert "objective=cross_entropy" in ranker.booster.model_to_string()
    scores = ranker.score(some.assign(text_cosine=np.linspace(0, 1, len(some))))
    assert scores[-3:].mean() > scores[:3].mean()
    assert scores.mean() < 0  # log-odds of what one in 25 is
    matrix = np.hstack([some[list(ranker.features)].to_numpy(), np.ones((len(some), 1))])
    np.testing.assert_allclose(contributions(ranker.booster, matrix).sum(axis=1), ranker.score(some), atol=1e-9)
