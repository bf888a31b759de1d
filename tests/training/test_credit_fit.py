"""What is fitted for a credit policy: on planted truth, within its bounds, the same each time, and readable."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from features import schema
from features.errors import InputError
from features.tables import write_tables
from models.credit import load_policy
from models.credit_factors import FACTORS
from tests.models.test_credit_policy import cells
from training import cli
from training.credit.document import write_policy
from training.credit.fit import FLOORS, MEANS, blended, fitted, likeliest_mean, scorecard
from training.simulate import simulate
from training.world import WORLD_1

POLICY = load_policy()


@pytest.fixture(scope="module")
def market() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(0)
    return simulate(WORLD_1, creators=150, briefs=150, days=200, rng=rng).tables


def test_scorecard_finds_what_foretells_and_lets_nothing_good_count_against() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 3))
    y = (rng.random(20_000) < 1 / (1 + np.exp(-(1.0 + 0.8 * x[:, 0] - 0.5 * x[:, 1])))).astype(float)
    assert scorecard(x, y) == pytest.approx([0.8, 0, 0, 1.0], abs=0.08)


def test_weights_keep_their_floors_and_sum_to_one() -> None:
    one = blended(np.array([0.0, 0.0, 0.0, 3.0, 0.0]))
    left = 1 - sum(FLOORS.values())
    assert one == FLOORS | {"FEEDBACK": pytest.approx(FLOORS["FEEDBACK"] + left)}
    for coefficients in (np.array([0.41, 0.28, 0.0, 0.52, 0.01]), np.zeros(5)):
        weights = blended(coefficients)
        assert sum(weights.values()) == pytest.approx(1, abs=1e-12)
        assert all(weights[name] >= FLOORS[name] for name in FACTORS)


def test_docs_state_the_floors() -> None:
    assert cells("How the numbers are fitted") == [[name, f"{floor}"] for name, floor in FLOORS.items()]


def test_prior_is_what_newcomers_go_on_to_do() -> None:
    rng = np.random.default_rng(0)
    careers = [np.where(rng.random(6) < rng.beta(5.6, 2.4), 1.0, -1.0) for _ in range(4000)]
    assert likeliest_mean(careers, 0.97, 8.0) == pytest.approx(0.7, abs=0.02)
    assert likeliest_mean([np.ones(5)] * 10, 0.97, 8.0) == pytest.approx(MEANS[1], abs=0.011)


def test_fit_is_the_same_each_time_and_keeps_what_is_not_fitted(market: dict[str, pd.DataFrame]) -> None:
    events = market["collaboration_events"]
    before = events.copy()
    found = fitted([events], POLICY)
    assert found == fitted([events.sample(frac=1, random_state=0)], POLICY)
    pd.testing.assert_frame_equal(events, before)
    assert found.raters
    assert not fitted([events, events], POLICY).raters
    assert [f.prior_events for f in found.factors.values()] == [f.prior_events for f in POLICY.factors.values()]
    assert found.factors["INTERACTION"].prior_mean == POLICY.factors["INTERACTION"].prior_mean
    assert found.factors != POLICY.factors


def test_policy_is_read_as_it_was_written(tmp_path: Path, market: dict[str, pd.DataFrame]) -> None:
    write_policy(POLICY, POLICY.version, tmp_path / "same.json")
    assert load_policy(tmp_path / "same.json") == POLICY
    write_tables({name: market[name] for name in ("creators", "collaboration_events")}, tmp_path / "data")
    out = tmp_path / "policy.json"
    done = CliRunner().invoke(cli.app, ["fit-credit", str(tmp_path / "data"), "--version", "ours", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert load_policy(out).version == "ours"
    assert load_policy(out).factors == fitted([market["collaboration_events"]], POLICY).factors
    assert max(len(line) for line in out.read_text().splitlines() if "raters" not in line and "usd" not in line) < 130
    assert set(json.loads(out.read_text())) >= {"factors", "raters"}


def test_nothing_to_learn_from_is_refused(tmp_path: Path, market: dict[str, pd.DataFrame]) -> None:
    creators = market["creators"]
    write_tables({"creators": creators, "collaboration_events": schema.empty(schema.COLLABORATION_EVENTS)}, tmp_path)
    arguments = ["fit-credit", str(tmp_path), "--version", "ours", "--out", str(tmp_path / "policy.json")]
    refused = CliRunner().invoke(cli.app, arguments, standalone_mode=False).exception
    assert isinstance(refused, InputError)
    assert "some must have succeeded" in refused.message
