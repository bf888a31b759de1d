import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calibration import PlattCalibrator
from models.measures import expected_calibration_error

Values = npt.NDArray[np.float64]


def overconfident(rows: int, seed: int = 0) -> tuple[Values, Values, Values]:
    """What a model says, what happens, and the probability with which it does: half the model's log-odds, minus 1."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, rows)
    truth = 1 / (1 + np.exp(-(0.5 * logits - 1)))
    return 1 / (1 + np.exp(-logits)), (rng.random(rows) < truth).astype(float), truth


def test_many_rows_find_slope_and_intercept() -> None:
    said, happened, truth = overconfident(50_000)
    calibrator = PlattCalibrator.fit(said, happened)
    assert (calibrator.slope, calibrator.intercept) == pytest.approx((0.5, -1), abs=0.05)
    assert expected_calibration_error(calibrator.predict(said), happened) < 0.01
    assert calibrator.predict(said) == pytest.approx(truth, abs=0.03)


def test_few_rows_keep_the_models_slope() -> None:
    said, happened, _ = overconfident(12)
    assert PlattCalibrator.fit(said, happened).slope == pytest.approx(1, abs=0.25)


def test_a_model_that_errs_is_levelled_not_turned_round() -> None:
    said, happened, _ = overconfident(2_000)
    calibrator = PlattCalibrator.fit(1 - said, happened)
    assert calibrator.slope == 0
    assert calibrator.predict(said) == pytest.approx(np.full(2_000, happened.mean()), abs=0.05)


def test_weights_move_the_mean_and_their_scale_does_not_matter() -> None:
    said, happened, _ = overconfident(2_000)
    weight = np.where(happened == 1, 4.0, 1.0)
    calibrator = PlattCalibrator.fit(said, happened, weight)
    again = PlattCalibrator.fit(said, happened, 10 * weight)
    assert (calibrator.slope, calibrator.intercept) == pytest.approx((again.slope, again.intercept))
    assert np.average(calibrator.predict(said), weights=weight) == pytest.approx(
        np.average(happened, weights=weight), abs=0.01
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=20))
def test_whatever_the_rows_the_order_stays_and_all_are_probabilities(rows: list[tuple[float, bool]]) -> None:
    said, happened = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    grid = PlattCalibrator.fit(said, happened).predict(np.linspace(0, 1, 50))
    assert (np.diff(grid) >= 0).all()
    assert ((grid >= 0) & (grid <= 1)).all()


def test_json_keeps_it() -> None:
    calibrator = PlattCalibrator(0.7, -1.3)
    assert PlattCalibrator.from_json(json.loads(json.dumps(calibrator.to_json()))) == calibrator
