import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import measures as metrics


def test_ndcg_by_hand() -> None:
    gains = np.array([0.0, 3.0, 1.0])
    reached = 3 / np.log2(3) + 1 / np.log2(4)
    best = 3 / np.log2(2) + 1 / np.log2(3)
    assert metrics.ndcg(gains, gains, 10) == pytest.approx(reached / best)


def test_ndcg_counts_what_was_not_ranked() -> None:
    assert metrics.ndcg(np.array([1.0]), np.array([1.0, 1.0]), 10) < 1


def test_nothing_relevant_counts_as_zero() -> None:
    assert metrics.ndcg(np.zeros(3), np.zeros(3), 10) == 0
    assert metrics.recall(["a"], set(), 10) == 0


def test_recall_by_hand() -> None:
    assert metrics.recall(["a", "b", "c"], {"b", "z"}, 2) == 0.5


def test_average_precision_by_hand_and_ties_are_pessimistic() -> None:
    assert metrics.average_precision(np.array([3.0, 2.0, 1.0]), np.array([1.0, 0.0, 1.0])) == pytest.approx(
        (1 + 2 / 3) / 2
    )
    assert metrics.average_precision(np.array([1.0, 1.0]), np.array([1.0, 0.0])) == 0.5


def test_calibration_error_of_the_truth_is_small_and_of_its_opposite_large() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(20_000)
    labels = (rng.random(20_000) < truth).astype(float)
    assert metrics.expected_calibration_error(truth, labels) < 0.02
    assert metrics.expected_calibration_error(1 - truth, labels) > 0.4


def test_brier_by_hand() -> None:
    assert metrics.brier(np.array([0.5, 1.0]), np.array([0.0, 1.0])) == 0.125


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_bootstrap_interval_holds_the_mean(values: list[float]) -> None:
    interval = metrics.bootstrap(values, np.random.default_rng(0), draws=200)
    assert interval["low"] - 1e-9 <= interval["mean"] <= interval["high"] + 1e-9


def test_precision_of_a_list_by_hand() -> None:
    hits = np.array([True, False, True, False])
    assert metrics.precision_of_list(hits, 4, 10) == pytest.approx((1 + 2 / 3) / 4)
    assert metrics.precision_of_list(hits, 4, 2) == pytest.approx(1 / 2)
    assert metrics.precision_of_list(hits, 0, 10) == 0
    assert metrics.precision_of_list(np.zeros(0, bool), 3, 10) == 0


def test_reciprocal_rank_by_hand() -> None:
    assert metrics.reciprocal_rank(np.array([False, True, True]), 10) == 0.5
    assert metrics.reciprocal_rank(np.array([False, True]), 1) == 0
    assert metrics.reciprocal_rank(np.zeros(0, bool), 10) == 0


def test_log_loss_by_hand_and_finite_when_sure_and_wrong() -> None:
    assert metrics.log_loss(np.array([0.5, 0.25]), np.array([1.0, 0.0])) == pytest.approx(
        -(np.log(0.5) + np.log(0.75)) / 2
    )
    assert np.isfinite(metrics.log_loss(np.array([0.0]), np.array([1.0])))


def test_reliability_by_hand() -> None:
    found = metrics.reliability(np.array([0.9, 0.1, 0.3, 0.7]), np.array([1.0, 0.0, 1.0, 1.0]), bins=2)
    assert [one["size"] for one in found] == [2, 2]
    assert [one["rate"] for one in found] == [0.5, 1.0]
    assert [one["probability"] for one in found] == pytest.approx([0.2, 0.8])
    assert len(metrics.reliability(np.array([0.5]), np.array([1.0]))) == 1


def test_gini_and_coverage_by_hand() -> None:
    assert metrics.gini(np.ones(4)) == 0
    assert metrics.gini(np.array([0.0, 0.0, 0.0, 5.0])) == pytest.approx(3 / 4)
    assert metrics.gini(np.array([1.0, 3.0])) == pytest.approx(1 / 4)
    assert metrics.gini(np.zeros(3)) == 0
    assert metrics.coverage(np.array([0.0, 2.0, 0.0, 1.0])) == 0.5


def test_wilson_is_the_textbook_interval_and_stays_within_its_bounds() -> None:
    """Newcombe (1998), table I: 81 of 263 gives .2553 to .3662, 0 of 20 gives 0 to .1611."""
    low, high = metrics.wilson(np.array([81.0, 0.0]), np.array([263.0, 20.0]))
    assert low == pytest.approx([0.2553, 0.0], abs=1e-4)
    assert high == pytest.approx([0.3662, 0.1611], abs=1e-4)


def test_metrics_of_a_binary_prediction_by_hand() -> None:
    found = metrics.binary_metrics(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert (found["auroc"], found["mean_score"], found["true_rate"]) == pytest.approx((0.75, 0.4125, 0.5))
    assert found["pr_auc"] == pytest.approx((1 + 2 / 3) / 2)


def test_bootstrap_of_a_ratio_keeps_each_unit_whole() -> None:
    """Two units whose rows have the ratios 1 and 3: resampled, only 1, 2 and 3 can come out."""
    values, units = np.array([1.0, 1.0, 3.0, 3.0]), np.array(["a", "a", "b", "b"])
    seen = set()

    def mean(rows: np.ndarray) -> float:
        seen.add(float(values[rows].mean()))
        return float(values[rows].mean())

    found = metrics.bootstrap_of(mean, units, np.random.default_rng(0), draws=100)
    assert found == {"mean": 2.0, "low": 1.0, "high": 3.0}
    assert seen == {1.0, 2.0, 3.0}


def test_bootstrap_of_a_mean_is_that_of_its_rows() -> None:
    values = np.random.default_rng(1).random(50)
    one = metrics.bootstrap_of(lambda rows: float(values[rows].mean()), np.arange(50), np.random.default_rng(0))
    assert one == pytest.approx(metrics.bootstrap(values.tolist(), np.random.default_rng(0)))
