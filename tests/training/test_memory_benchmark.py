"""The slope of memory, by hand and by chance; what has to be full before it is measured."""

from collections import Counter

import numpy as np
import pytest

from features.bank import MOST_RECENT
from models.lookup import KEPT
from training.benchmarks.memory import filling, slope

TIMES = np.arange(600.0)


def test_a_line_has_its_own_slope_and_no_doubt():
    assert slope(TIMES, 500 + 0.25 * TIMES) == pytest.approx((0.25, 0.25, 0.25))


def test_noise_is_called_growth_one_time_in_twenty():
    rng = np.random.default_rng(0)
    found = [slope(TIMES, rng.normal(size=600)) for _ in range(400)]
    missed = np.mean([not low <= 0 <= high for _, low, high in found])
    assert missed == pytest.approx(0.05, abs=0.03)


def test_a_round_of_filling_asks_for_all_that_a_worker_keeps_once():
    asked = [*filling([f"c{number}" for number in range(KEPT + 300)], 1)]
    briefs = [body["brief"]["title"] for path, body in asked if path == "/v1/creators/rank"]
    assert len(set(briefs)) == MOST_RECENT
    for path in ("/v1/fraud/score", "/v1/credit"):
        creators = Counter(one for at, body in asked if at == path for one in body["creator_ids"])
        assert creators == Counter(f"c{number}" for number in range(300, KEPT + 300))
