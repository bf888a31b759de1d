import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.fraud import series

Values = npt.NDArray[np.float64]
UNKNOWN = np.full((1, 28), np.nan)


def days(*values: float) -> Values:
    return np.array([values], dtype=np.float64)


def steady(value: float, length: int = 28) -> Values:
    return np.full((1, length), value)


def with_day(matrix: Values, day: int, value: float) -> Values:
    changed = matrix.copy()
    changed[0, day] = value
    return changed


def test_share_of_nothing_is_unknown() -> None:
    assert series.share(np.array([1.0, 1.0]), np.array([4.0, 0.0])) == pytest.approx([0.25, np.nan], nan_ok=True)


def test_total_and_best_day_skip_unknown_days() -> None:
    assert series.total(days(1, np.nan, 2)) == [3]
    assert series.best_day(days(1, np.nan, 2)) == [2]
    assert np.isnan(series.total(UNKNOWN)).all()
    assert np.isnan(series.best_day(UNKNOWN)).all()


@given(
    arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=st.integers(0, 99) | st.just(np.nan)),
    st.floats(0, 1),
)
def test_quantile_is_the_one_of_pandas(matrix: Values, q: float) -> None:
    assert series.quantile(matrix, q) == pytest.approx(pd.DataFrame(matrix.T).quantile(q).to_numpy(), nan_ok=True)


def test_peak_by_hand() -> None:
    assert series.peak(days(1, 2, 3, 4, 100)) == pytest.approx([(100 - 3) / (1.4826 + 1)])


def test_unexplained_is_what_exceeds_twice_the_usual_rate() -> None:
    views, likes = steady(1000), with_day(steady(50), 5, 500)
    excess = 500 - 2 * 50 - series.SMOOTH
    assert series.unexplained(likes, views) == pytest.approx([excess / (27 * 50 + 500)])


def test_what_views_explain_is_not_unexplained() -> None:
    views, likes = with_day(steady(1000), 5, 10_000), with_day(steady(50), 5, 500)
    assert series.unexplained(likes, views) == [0]


def test_a_single_event_on_a_dead_day_explains_nothing_away() -> None:
    """One like too few is no proof that views were bought."""
    views, likes = steady(100), with_day(steady(5), 5, 0)
    assert series.unexplained(views, likes) == [0]


def test_a_lifted_week_is_a_level_shift_and_small_numbers_are_not() -> None:
    views, likes = steady(10_000, 90), steady(500, 90)
    lifted = likes.copy()
    lifted[0, -28:] *= 2
    assert series.level_shift(likes, views) == pytest.approx([1], abs=1e-6)
    assert series.level_shift(lifted, views)[0] > 1.9
    assert series.level_shift(lifted / 500, views / 500)[0] < 1.6


def test_correlation_is_freed_from_counting_noise() -> None:
    rng = np.random.default_rng(0)
    views = 100 * np.exp(rng.normal(0, 0.7, (300, 90)))
    likes = rng.poisson(0.05 * views).astype(float)
    plain = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(views, likes, strict=True)])
    assert plain < 0.9
    assert np.nanmean(series.correlation(likes, views)) > 0.96


def test_correlation_needs_fourteen_days_and_signal() -> None:
    moving = np.arange(28, dtype=float)[None, :] * 100
    assert series.correlation(moving, moving) == pytest.approx([1])
    assert np.isnan(series.correlation(moving[:, :13], moving[:, :13])).all()
    assert np.isnan(series.correlation(steady(5), moving)).all()
    assert np.isnan(series.correlation(UNKNOWN, moving)).all()


@given(st.lists(st.integers(0, 10**9), min_size=28, max_size=28), st.floats(0.01, 0.5))
def test_shares_stay_between_zero_and_one(views: list[int], rate: float) -> None:
    whole = np.array([views], dtype=np.float64)
    likes = np.floor(rate * whole[:, ::-1])
    share = series.unexplained(likes, whole)
    assert np.isnan(share).all() or ((share >= 0) & (share <= 1)).all()
