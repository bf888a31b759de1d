"""The benchmarks of creators' fraud on small markets, and their parts by hand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.asof import data_as_of
from models.fraud_rows import dated_labels, feature_frame, training_dates, training_rows
from training.benchmarks import fraud, fraud_attacks, fraud_scale
from training.benchmarks.fraud_adapted import ATTACKS, BURSTS, PODS, Attack, human_hours
from training.evaluation.fraud_groups import GUILTY, INNOCENT
from training.parameters import FRAUDS
from training.simulate import Simulation, simulate
from training.world import WORLD_1, digest

SMALL = {"creators": 500, "briefs": 5, "days": 180}


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(WORLD_1, **SMALL, rng=np.random.default_rng(1))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in (fraud, fraud_attacks):
        monkeypatch.setattr(module, "SIZE", SMALL)
        monkeypatch.setattr(module, "SEEDS", {"world-1": range(2)})
    yield


@pytest.mark.usefixtures("small")
def test_answer_of_small_markets(tmp_path: Path) -> None:
    found = fraud.run(tmp_path, tmp_path)["world-1"]
    assert (tmp_path / "world-1-1" / "truth").is_dir()
    assert found["mean"]["model.pr_auc"] > 2 * found["mean"]["model.prevalence"]
    assert found["sd"]["rules.combined.recall_at_1_percent_fpr"] >= 0
    assert found["together"]["rows"] == pytest.approx(2 * 2 * SMALL["creators"], abs=30)
    assert "UNDECLARED_PROMOTION" in found["together"]["false_positives"]["look_alike"]


@pytest.mark.usefixtures("small")
def test_answer_of_small_attacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fraud_attacks, "ATTACKS", (ATTACKS[2],))
    monkeypatch.setattr(fraud_attacks, "GUILTY", ("VIEW_INFLATION",))
    found = fraud_attacks.run(tmp_path, tmp_path)
    [scenario] = found["left_out"]
    assert scenario["scenario"] == "VIEW_INFLATION"
    assert scenario["seen"] > 0.3
    assert [(one["attack"], one["cost"]) for one in found["adapting"]] == [("longer", 1), ("longer", 8)]
    assert (tmp_path / "fraud-attacks.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["SLOW_DRIP", "LOCKSTEP_RING"])
def test_a_left_out_scenario_is_absent_from_the_training_rows(simulation: Simulation, kind: str) -> None:
    campaigns = simulation.truth["campaigns"]
    had = set(campaigns.loc[campaigns[c.FRAUD_TYPE] == kind, c.CREATOR_ID])
    rest = fraud_attacks.without(simulation.tables, simulation.truth, kind)
    assert had & learned_from(simulation.tables)
    assert learned_from(rest) == learned_from(simulation.tables) - had
    assert (rest["fraud_labels"][c.FRAUD_TYPE] != kind).all()
    assert set(rest["engagements"][c.CREATOR_ID]) == set(simulation.tables["engagements"][c.CREATOR_ID])


def learned_from(tables: dict[str, pd.DataFrame]) -> set[str]:
    """The creators of the rows of the last dates that the fraud model would be trained on."""
    end = data_as_of(tables)
    labels = dated_labels(tables, end)
    frames = {day: feature_frame(tables, labels, day, end, None) for day in training_dates(tables, labels, end)[-5:]}
    return set(training_rows(labels, frames, end, tables["creators"][c.CREATOR_ID].nunique()).features.index)


def test_only_those_whose_only_fraud_it_was_are_asked_for() -> None:
    rows = pd.DataFrame(dict.fromkeys((*GUILTY, *INNOCENT), False), index=range(4)).assign(target=[1.0, 1, 0, 1])
    rows["BOT_LIKES"], rows["VIRAL_HIT"] = [True, True, True, False], [True, False, False, False]
    rows["SLOW_DRIP"] = [False, True, False, True]
    assert fraud_attacks.alone(rows, ("BOT_LIKES",)).tolist() == [True, False, False, False]
    assert fraud_attacks.alone(rows, ("BOT_LIKES", "SLOW_DRIP")).tolist() == [True, True, False, True]


def test_recall_by_hand() -> None:
    """Above the best but one of a hundred innocent are two of three guilty."""
    rows = pd.DataFrame({"target": [0.0] * 100 + [1.0] * 3, **dict.fromkeys(GUILTY, False)})
    rows["BOT_LIKES"] = rows.index >= 100
    rows["score"] = [*np.arange(100), 98.5, 99.5, 3]
    assert fraud_attacks.recall(rows, ("BOT_LIKES",)) == pytest.approx(2 / 3)


def test_attacks_leave_world_1_alone_and_cost_more_than_it() -> None:
    assert digest(WORLD_1) in (Path(__file__).parents[2] / "docs" / "world-1.md").read_text()
    assert all(attack.cost > 1 for attack in ATTACKS)
    assert all((attack.world == WORLD_1) == (attack.human > 0) for attack in ATTACKS)
    assert len({(attack.name, attack.cost) for attack in ATTACKS}) == len(ATTACKS)


def test_longer_campaigns_are_longer_and_even() -> None:
    [longest] = [attack for attack in ATTACKS if (attack.name, attack.cost) == ("longer", 8)]
    for kind, usual in zip(longest.world.fraud.frauds, FRAUDS, strict=True):
        assert (kind == usual) == (kind.name not in BURSTS)
        assert kind.days[0] >= usual.days[0] and kind.days[1] >= usual.days[1]
        assert kind.adds == usual.adds


def test_people_are_asleep_when_bots_no_longer_act(simulation: Simulation) -> None:
    before = simulation.tables["engagements"]
    after = human_hours(simulation.tables, simulation.truth, 1.0, np.random.default_rng(0))["engagements"]
    campaigns = simulation.truth["campaigns"]
    guilty = before[c.CREATOR_ID].isin(campaigns.loc[campaigns["is_fraud"], c.CREATOR_ID])
    ids = before.loc[guilty, c.CREATOR_ID].unique()
    nights = [(rows[rows[c.CREATOR_ID].isin(ids)][c.EVENT_TIME].dt.hour < 6).mean() for rows in (before, after)]
    assert nights[1] < nights[0]
    pd.testing.assert_frame_equal(by_day(before), by_day(after))
    others = after[~after[c.CREATOR_ID].isin(ids)].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, before[~guilty].reset_index(drop=True))
    assert after[c.EVENT_TIME].is_monotonic_increasing


def by_day(events: pd.DataFrame) -> pd.DataFrame:
    return events.groupby([c.CREATOR_ID, events[c.EVENT_TIME].dt.floor("D")]).size().rename("acts").reset_index()


def test_an_attack_changes_only_its_own_market(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fraud_attacks, "SIZE", SMALL)
    tables, _ = fraud_attacks.attacked(Attack("none", 1, PODS), seed=1)
    for name in ("engagements", "daily_stats"):
        pd.testing.assert_frame_equal(tables[name], simulation.tables[name])


def test_scoring_of_small_markets(tmp_path: Path) -> None:
    region = {"creators": 400, "briefs": 5, "days": 120}
    folder = fraud_scale.marketplace(2, tmp_path, region, fraud_scale.READ)
    found = fraud_scale.measure(folder, fraud_scale.learned(folder, tmp_path / "model"))
    assert 0.9 * 800 < found["scored"] <= found["creators"] == 800
    assert found["cpu_seconds"] >= found["known"] + found["features"] + found["predict"] > 0
