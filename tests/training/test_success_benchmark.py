"""What the benchmark of success probabilities says of made-up answers, by hand."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from models.success import boosted, out_of_fold
from training.benchmarks.success import FEW, logistic, measured


def told(probability: float, rows: int = 400) -> pd.DataFrame:
    """Every second invitation succeeds; the base rate says so."""
    succeeded = np.arange(rows) % 2.0
    return pd.DataFrame({"succeeded": succeeded, "served": probability, "base_rate": 0.5})


def test_measures_by_hand() -> None:
    found = measured(told(0.8), "served")
    assert found["invitations"] == 400
    assert found["told"] == pytest.approx(0.8)
    assert found["happened"]["mean"] == 0.5
    assert found["log_loss"] == pytest.approx(-(np.log(0.8) + np.log(0.2)) / 2)
    assert found["log_loss_base_rate"] == pytest.approx(np.log(2))
    assert found["ece"] == pytest.approx(0.3)


def test_chance_alone_makes_an_ece_that_grows_as_rows_get_fewer() -> None:
    few, many = (measured(told(0.5, rows), "served")["ece_by_chance"] for rows in (40, 4000))
    assert 0 < many < 0.03 < few


def test_the_rival_learns_what_the_served_model_learns() -> None:
    """Acceptance follows the price, completion the record."""
    rng = np.random.default_rng(0)
    pairs = pd.DataFrame(rng.random((600, len(FEW))), columns=FEW).assign(tower_score=0.0)
    accepted = rng.random(600) < 1 - 0.9 * pairs["price_to_budget"]
    succeeded = accepted & (rng.random(600) < pairs["completion_rate"])
    targets = pd.DataFrame({"accepted": accepted.astype(float), "succeeded": succeeded.astype(float)})
    briefs = np.array([f"q{i // 3}" for i in range(600)])
    truth = (1 - 0.9 * pairs["price_to_budget"]) * pairs["completion_rate"]
    for model in (logistic, partial(boosted, seed=0)):
        assert np.corrcoef(out_of_fold(model, pairs, targets, briefs)[1], truth)[0, 1] > 0.8
