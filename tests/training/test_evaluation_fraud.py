import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from training.evaluation.fraud import RULES, evaluate_fraud, false_positives, precision_in_budget
from training.simulate import simulate
from training.world import WORLD_1


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    simulation = simulate(WORLD_1, creators=400, briefs=20, days=180, rng=np.random.default_rng(1))
    return evaluate_fraud(simulation.tables, simulation.truth, seed=0)


def test_the_report_is_json_and_speaks_of_everything(report: dict[str, Any]) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert set(report["rules"]) == {*RULES, "combined"}
    assert {"SLOW_DRIP", "VIRAL_HIT"} <= set(report["scenarios"])
    assert set(report["false_positives"]) == {"overall", "notable", "size", "country", "language"}


def test_the_model_beats_chance(report: dict[str, Any]) -> None:
    assert report["model"]["pr_auc"] > 2 * report["model"]["prevalence"]


def test_an_alert_is_spent_once_on_a_creator() -> None:
    """Of 100 creators 6 may be alerted a month; the second month's alerts go to six others."""
    ids = [f"c{i:03}" for i in range(100)]
    month = pd.DataFrame({c.CREATOR_ID: ids, "score": np.linspace(1, 0, 100), "target": [1.0] * 6 + [0.0] * 94})
    rows = pd.concat([month.assign(as_of=pd.Timestamp(day)) for day in ("2026-05-01", "2026-06-01")])
    assert precision_in_budget(rows) == 0.5
    assert precision_in_budget(month.assign(as_of=pd.Timestamp("2026-05-01"))) == 1


def test_a_group_alerted_beyond_chance_is_notable() -> None:
    size = np.repeat(["nano", "macro"], [1_000, 4_000])
    alerted = np.zeros(5_000, bool)
    alerted[:50], alerted[1_000:1_050] = True, True
    rows = pd.DataFrame({"target": 0.0, "alerted": alerted, "size": size, "country": "BR", "language": "pt"})
    found = false_positives(rows)
    assert found["overall"] == 0.02
    assert found["size"]["nano"]["ratio"] == pytest.approx(2.5)
    assert found["notable"] == ["size=nano"]
