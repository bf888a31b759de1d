import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import columns as c
from training.evaluation.fraud import RULES, alerts, evaluate_fraud, fpr_threshold, precision_in_budget
from training.evaluation.fraud_groups import GUILTY, INNOCENT, campaigns_before, false_positives, scenarios
from training.simulate import simulate
from training.world import WORLD_1

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2026-05-01")


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    simulation = simulate(WORLD_1, creators=400, briefs=20, days=180, rng=np.random.default_rng(1))
    return evaluate_fraud(simulation.tables, simulation.truth, seed=0)


def test_the_report_is_json_and_speaks_of_everything(report: dict[str, Any]) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert set(report["rules"]) == {*RULES, "combined"}
    assert {"SLOW_DRIP", "VIRAL_HIT"} <= set(report["scenarios"])
    assert set(report["false_positives"]) == {"overall", "notable", "size", "country", "language", "look_alike"}
    assert set(report["false_positives"]["look_alike"]) <= {*INNOCENT, "WEAK_FRAUD", "NOTHING"}
    assert len(report["measured_on"]) == 2


def test_the_model_beats_chance_and_no_alerts_beat_the_truth(report: dict[str, Any]) -> None:
    model = report["model"]
    assert model["pr_auc"] > 2 * model["prevalence"]
    assert model["prevalence"] < model["precision_in_alert_budget"] <= model["most_precision_in_alert_budget"]


def scored(scores: list[float], targets: list[float], days: list[int]) -> pd.DataFrame:
    """The same scores of creators c000, c001, … on each of ``days``."""
    ids = [f"c{place:03}" for place in range(len(scores))]
    rows = pd.DataFrame({c.CREATOR_ID: ids, "score": scores, "target": targets})
    return pd.concat([rows.assign(as_of=START + day * DAY) for day in days])


def test_an_alert_is_spent_once_on_a_creator() -> None:
    """Of 500 creators one may be alerted a day: the first six in six days, the next six in the six days after."""
    rows = scored(list(np.linspace(1, 0, 500)), [1.0] * 6 + [0.0] * 494, days=[0, 6, 12])
    assert precision_in_budget(rows) == 0.5
    assert precision_in_budget(rows[rows["as_of"] < START + 12 * DAY]) == 1


def test_after_ninety_days_a_creator_may_be_alerted_again() -> None:
    rows = scored(list(np.linspace(1, 0, 500)), [1.0] * 500, days=[0, 1, 89, 90, 91, 92])
    found = alerts(rows)[[c.CREATOR_ID, "as_of"]]
    assert found.groupby(found["as_of"].sub(START).dt.days)[c.CREATOR_ID].first()[90] == "c000"
    assert found.loc[found[c.CREATOR_ID] == "c001", "as_of"].tolist() == [START + DAY, START + 91 * DAY]


def test_a_budget_of_less_than_one_a_day_adds_up() -> None:
    rows = scored(list(np.linspace(1, 0, 100)), [1.0] * 100, days=[0, 1, 2, 3, 4, 5, 10])
    assert alerts(rows)["as_of"].sub(START).dt.days.tolist() == [2, 5]


@given(st.lists(st.floats(0, 1), min_size=50, max_size=200), st.integers(1, 9))
def test_nobody_is_alerted_twice_and_the_budget_is_spent(scores: list[float], step: int) -> None:
    rows = scored(scores, [0.0] * len(scores), days=[0, step, 2 * step])
    given = alerts(rows)
    assert given[c.CREATOR_ID].is_unique
    assert len(given) == round(0.002 * 2 * step * len(scores))


def test_one_innocent_in_a_hundred_is_above_the_threshold() -> None:
    rows = pd.DataFrame({"score": np.arange(300) / 300, "target": [0.0] * 200 + [1.0] * 100})
    assert (rows.loc[rows["target"] == 0, "score"] > fpr_threshold(rows)).sum() == 2


def test_a_group_alerted_beyond_chance_is_notable() -> None:
    size = np.repeat(["nano", "macro"], [1_000, 4_000])
    alerted = np.zeros(5_000, bool)
    alerted[:50], alerted[1_000:1_050] = True, True
    rows = pd.DataFrame({"target": 0.0, "alerted": alerted, "size": size, "country": "BR", "language": "pt"})
    found = false_positives(rows)
    assert found["overall"] == 0.02
    assert found["size"]["nano"]["ratio"] == pytest.approx(2.5)
    assert found["notable"] == ["size=nano"]


def campaigns(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    """Campaigns of (creator, kind, first day, last day), in days from START."""
    frame = pd.DataFrame(rows, columns=[c.CREATOR_ID, c.FRAUD_TYPE, "first", "last"])
    start, end = (START + pd.to_timedelta(frame[name], unit="D") for name in ("first", "last"))
    return frame.assign(**{c.PERIOD_START: start, c.PERIOD_END: end + 0.9 * DAY})


def test_campaigns_count_while_they_touch_the_ninety_days() -> None:
    plan = campaigns(("ann", "BOT_LIKES", -95, -90), ("bob", "BOT_LIKES", -99, -92), ("eve", "VIRAL_HIT", 1, 2))
    daily = pd.DataFrame({c.CREATOR_ID: [], c.DATE: pd.DatetimeIndex([]), c.PAID_VIDEO_VIEWS: []})
    found = campaigns_before(plan, daily, START, pd.Index(["ann", "bob", "eve"]))
    assert found["BOT_LIKES"].tolist() == [True, False, False]
    assert found.drop(columns="BOT_LIKES").to_numpy().sum() == 0


def test_a_promotion_without_paid_views_is_undeclared() -> None:
    plan = campaigns(("ann", "PAID_PROMOTION", -4, -1), ("bob", "PAID_PROMOTION", -4, -1))
    dates = [START - day * DAY for day in (5, 4, 3, 2, 1)]
    daily = pd.DataFrame({c.CREATOR_ID: ["ann"] * 5 + ["bob"] * 5, c.DATE: dates * 2})
    daily[c.PAID_VIDEO_VIEWS] = [0.0, 9, 9, 9, 0, 9, 9, 9, 0, 0]
    found = campaigns_before(plan, daily, START, pd.Index(["ann", "bob"]))
    assert found["PAID_PROMOTION"].tolist() == [True, False]
    assert found["UNDECLARED_PROMOTION"].tolist() == [False, True]


def test_look_alikes_and_scenarios_by_hand() -> None:
    """Ten innocent: two of four viral hits, the one weak fraud and one of five others alerted; one of two rings."""
    had = dict.fromkeys((*GUILTY, *INNOCENT), False)
    rows = pd.DataFrame({"target": [0.0] * 10 + [1.0] * 2, **had, "size": "nano", "country": "BR", "language": "pt"})
    rows["alerted"] = [True, True, False, False, True, True, False, False, False, False, True, False]
    rows["VIRAL_HIT"] = rows.index < 4
    rows["SLOW_DRIP"] = rows.index == 4
    rows["LOCKSTEP_RING"] = rows.index >= 10
    found = false_positives(rows)["look_alike"]
    assert {name: one["rate"] for name, one in found.items()} == {"VIRAL_HIT": 0.5, "WEAK_FRAUD": 1, "NOTHING": 0.2}
    assert found["VIRAL_HIT"]["ratio"] == pytest.approx(0.5 / 0.4)
    by_kind = scenarios(rows.assign(score=rows["alerted"].astype(float)), threshold=0.5)
    assert by_kind["LOCKSTEP_RING"] == {"at_1_percent_fpr": 0.5, "at_working_threshold": 0.5, "rows": 2}
    assert by_kind["VIRAL_HIT"]["at_1_percent_fpr"] == 0.5
    assert set(by_kind) == {"LOCKSTEP_RING", "VIRAL_HIT"}
