"""Populations with another share of fakes, drawn from profiles that were not learned."""

import numpy as np
import pytest

from tests.models.populations import population, tables_of
from training.benchmarks.instafake import CORRECTED, RATES, resampled


def test_one_draw_has_every_share_of_fakes_and_the_given_one_helps() -> None:
    draws = dict(resampled(tables_of(*population(500, 200, 0)), np.random.default_rng(0)))
    assert [*draws] == [*RATES]
    for rate, found in draws.items():
        trained, _, given = (found[name] for name in CORRECTED)
        assert trained["true_rate"] == pytest.approx(rate, abs=0.01)
        assert trained["auroc"] == pytest.approx(given["auroc"])
    assert draws[0.05]["at_base_rate"]["log_loss"] < draws[0.05]["as_trained"]["log_loss"]
