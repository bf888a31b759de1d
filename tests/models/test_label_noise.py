import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.label_noise import LabelNoise, calibrated_to_guilt
from models.measures import expected_calibration_error

Values = npt.NDArray[np.float64]


def reviewed(rows: int, false_alarm: float, miss: float) -> tuple[Values, Values, Values]:
    """Scores, the truth that comes with them, and what reviewers with these faults make of it."""
    rng = np.random.default_rng(0)
    probability = 1 / (1 + np.exp(-rng.normal(-1, 3, rows)))
    truth = rng.random(rows) < probability
    called = rng.random(rows) < np.where(truth, 1 - miss, false_alarm)
    return probability, truth.astype(float), called.astype(float)


@pytest.mark.parametrize(("false_alarm", "miss"), [(0.0, 0.0), (0.03, 0.25), (0.1, 0.1)])
def test_many_labels_tell_how_often_they_are_wrong(false_alarm: float, miss: float) -> None:
    raw, truth, called = reviewed(50_000, false_alarm, miss)
    calibrator, noise = calibrated_to_guilt(raw, called, np.ones(len(raw)))
    assert (noise.false_alarm, noise.miss) == pytest.approx((false_alarm, miss), abs=0.01)
    assert (calibrator.slope, calibrator.intercept) == pytest.approx((1, 0), abs=0.1)
    assert expected_calibration_error(calibrator.predict(raw), truth) < 0.01


def test_calibrated_to_the_labels_it_would_not_be_true() -> None:
    raw, truth, called = reviewed(50_000, 0.05, 0.3)
    assert expected_calibration_error(raw, called) > 0.05
    calibrator, _ = calibrated_to_guilt(raw, called, np.ones(len(raw)))
    assert expected_calibration_error(calibrator.predict(raw), truth) < 0.01


def test_few_labels_leave_the_rates_near_what_is_believed_beforehand() -> None:
    raw, _, called = reviewed(20, 0.0, 0.0)
    _, noise = calibrated_to_guilt(raw, called, np.ones(20))
    assert noise.false_alarm == pytest.approx(LabelNoise().false_alarm, abs=0.03)
    assert noise.miss == pytest.approx(LabelNoise().miss, abs=0.1)


def test_doubt_by_hand() -> None:
    """Of 100 of whom half are guilty, 40 guilty and 5 innocent are called so: 40 / 45 and 10 / 55."""
    noise = LabelNoise(false_alarm=0.1, miss=0.2)
    assert noise.guilt(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == pytest.approx([40 / 45, 10 / 55])


@given(st.floats(0, 1), st.floats(0, 0.4), st.floats(0, 0.4))
def test_a_label_moves_the_belief_its_own_way(probability: float, false_alarm: float, miss: float) -> None:
    guilty, innocent = LabelNoise(false_alarm + 0.01, miss + 0.01).guilt(np.full(2, probability), np.array([1.0, 0.0]))
    assert innocent <= probability + 1e-12
    assert guilty >= probability - 1e-12
