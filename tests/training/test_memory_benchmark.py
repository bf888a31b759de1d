"""The slope of memory, by hand and by chance."""

import numpy as np
import pytest

from training.benchmarks.memory import slope

TIMES = np.arange(600.0)


def test_a_line_has_its_own_slope_and_no_doubt():
    assert slope(TIMES, 500 + 0.25 * TIMES) == pytest.approx((0.25, 0.25, 0.25))


def test_noise_is_called_growth_one_time_in_twenty():
    rng = np.random.default_rng(0)
    found = [slope(TIMES, rng.normal(size=600)) for _ in range(400)]
    missed = np.mean([not low <= 0 <= high for _, low, high in found])
    assert missed == pytest.approx(0.05, abs=0.03)
