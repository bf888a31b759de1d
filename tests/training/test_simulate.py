"""The simulated marketplace keeps the contract and its own promises: seeded, bounded in time, legal, hard, frozen."""

import re
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import columns as c
from features.collaborations import collaborations
from features.schema import CONTRACT, Kind
from features.tables import read_tables
from features.validation import violations
from models.measures import ndcg
from training.simulate import Simulation, fraud_target, simulate, write
from training.simulate.audience import audience
from training.simulate.base import clock
from training.simulate.briefs import brands, briefs
from training.simulate.creators import population
from training.simulate.impressions import shown_by_policy
from training.simulate.text import LANGUAGES
from training.simulate.utility import Market
from training.simulate.videos import COUNTERS, _looks
from training.world import PHRASES, TOPICS, WORLD_1, World, digest, material, random_world

END = pd.Timestamp(WORLD_1.end) + pd.Timedelta(days=1)
ROOT = Path(__file__).parents[2]


def small(seed: int, world: World = WORLD_1, creators: int = 60, asked: int = 8, days: int = 45) -> Simulation:
    return simulate(world, creators=creators, briefs=asked, days=days, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def market() -> Simulation:
    return small(0, creators=400, asked=60, days=120)


def test_every_table_has_rows_and_keeps_the_contract(market: Simulation) -> None:
    assert {name: len(table) > 0 for name, table in market.tables.items()} == dict.fromkeys(CONTRACT, True)
    assert violations(market.tables, END) == []


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_random_worlds_keep_the_contract(seed: int) -> None:
    world = random_world(np.random.default_rng(seed))
    assert violations(small(seed, world, creators=40, asked=3, days=20).tables, END) == []


def test_equal_seeds_give_equal_frames_and_others_differ() -> None:
    one, same, other = small(1), small(1), small(2)
    for name, table in (one.tables | one.truth).items():
        pd.testing.assert_frame_equal(table, (same.tables | same.truth)[name])
    assert not one.tables["daily_stats"].equals(other.tables["daily_stats"])


def test_nothing_happens_after_the_end(market: Simulation) -> None:
    for name, table in CONTRACT.items():
        for column in table.columns:
            if column.kind is Kind.TIME and column.name != c.DUE_AT:
                assert not (market.tables[name][column.name] >= END).any(), (name, column.name)


def test_rows_stay_inside_the_horizon_and_after_joining(market: Simulation) -> None:
    start = END - pd.Timedelta(days=120)
    joined = market.tables["creators"].groupby(c.CREATOR_ID)[c.JOINED_AT].first()
    for name, column in (("daily_stats", c.DATE), ("engagements", c.EVENT_TIME), ("impressions", c.SHOWN_AT)):
        rows = market.tables[name]
        assert (rows[column] >= start).all()
        assert (rows[column] >= rows[c.CREATOR_ID].map(joined).dt.floor("D")).all(), name


def test_collaborations_run_in_legal_order(market: Simulation) -> None:
    jobs = collaborations(market.tables["collaboration_events"])
    assert not jobs["incomplete"].any()
    assert {"SETTLED", "DECLINED", "DEFAULTED", "CANCELLED_BY_CREATOR"} <= set(jobs["state"])


def test_outcomes_of_impressions_agree_with_the_ledger(market: Simulation) -> None:
    jobs = collaborations(market.tables["collaboration_events"]).dropna(subset=c.BRIEF_ID)
    shown = market.tables["impressions"]
    invited = shown[shown[c.OUTCOME].isin(["INVITED", "DECLINED", "ACCEPTED", "COMPLETED", "FAILED"])]
    both = invited.merge(jobs, on=[c.BRIEF_ID, c.CREATOR_ID], how="outer", indicator=True, validate="1:1")
    assert (both["_merge"] == "both").all()
    assert both.loc[both[c.OUTCOME] == "FAILED", "failed_at"].notna().all()
    assert (both.loc[both[c.OUTCOME] == "COMPLETED", "state"].isin(["PUBLISHED", "SETTLED"])).all()
    assert both.loc[both[c.OUTCOME] == "INVITED", ["accepted_at", "declined_at"]].isna().all(axis=None)


def test_propensities_are_the_frequencies_of_the_policy() -> None:
    score, rng = np.arange(60, dtype=np.float64), np.random.default_rng(0)
    world = replace(WORLD_1, logging=replace(WORLD_1.logging, shown=(10,), explore=0.4))
    runs = pd.concat([shown_by_policy(world, score, np.ones(60, dtype=np.bool_), rng) for _ in range(4000)])
    seen = runs.groupby(["creator", "position"])["propensity"].agg(["size", "first", "nunique"])
    assert (seen["nunique"] == 1).all()
    assert abs(seen["size"] / 4000 - seen["first"]).max() < 0.03
    top = seen.loc[59].index.tolist()  # the best score: the first block, every place alike
    assert top == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert seen.loc[(59, 1.0), "first"] == pytest.approx(0.6 / 5)
    assert seen.loc[(0, 10.0), "first"] == pytest.approx(0.4 / 50)


def test_fraud_target_counts_what_was_bought_in_the_ninety_days_before() -> None:
    metrics = {name: [100.0, 100.0, 100.0] for name in ("gain", "views", "likes", "comments", "shares")}
    bought = {f"{name}_bought": [0.0, 0.0, 0.0] for name in metrics} | {"likes_bought": [30.0, 5.0, 9.0]}
    day = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-01"])
    rows = pd.DataFrame({c.CREATOR_ID: ["a", "a", "b"], c.DATE: day} | metrics | bought)
    truth = {"bought": rows, "creators": pd.DataFrame({c.CREATOR_ID: ["a", "b", "innocent"]})}

    def fake(as_of: str) -> list[bool]:
        return fraud_target(truth, pd.Timestamp(as_of)).tolist()

    assert fake("2026-01-01") == [False, False, False]  # a day counts once it is over
    assert fake("2026-01-03") == [True, False, False]  # (30 + 5) / 200, 9 / 100
    assert fake("2026-04-01") == [True, False, False]  # 90 days back to the first of January
    assert fake("2026-04-02") == [False, False, False]  # only 5 / 100 is left


def test_fraud_is_there_but_only_where_it_was_bought(market: Simulation) -> None:
    campaigns, target = market.truth["campaigns"], fraud_target(market.truth, END)
    guilty = set(campaigns.loc[campaigns["is_fraud"], c.CREATOR_ID])
    assert 0.03 < target.mean() < 0.2
    assert set(target[target].index) <= guilty
    named = {kind.name for kind in (*WORLD_1.fraud.frauds, *WORLD_1.fraud.innocents)}
    assert set(campaigns[c.FRAUD_TYPE]) == named


def test_a_quiet_world_has_no_fraud() -> None:
    quiet = replace(WORLD_1, fraud=replace(WORLD_1.fraud, prevalence=0.0))
    run = small(3, quiet)
    assert not fraud_target(run.truth, END).any()
    assert run.truth["bought"].empty


def test_labels_are_late_noisy_and_selected(market: Simulation) -> None:
    labels = market.tables["fraud_labels"].dropna(subset=c.CREATOR_ID)
    dated = labels.dropna(subset=[c.PERIOD_START, c.PERIOD_END])
    assert (dated[c.PERIOD_START] < dated[c.PERIOD_END]).all()
    assert (dated[c.KNOWN_AT] > dated[c.PERIOD_END]).all()
    assert set(labels["sampled"]) == {"QUEUE", "RANDOM"}
    share = labels.groupby("sampled")[c.IS_FAKE].mean()
    assert share["QUEUE"] > share["RANDOM"]


def test_the_oracle_is_far_from_chance_and_far_from_perfect(market: Simulation) -> None:
    truth = market.truth["utility"].assign(gain=lambda pairs: 2.0 ** pairs["grade"] - 1)
    by_brief = [pairs for _, pairs in truth.groupby(c.BRIEF_ID)]
    oracle = [_ndcg(pairs.sort_values("utility", ascending=False)) for pairs in by_brief]
    chance = [_ndcg(pairs.sample(frac=1, random_state=0)) for pairs in by_brief]
    assert np.mean(chance) + 0.2 < np.mean(oracle) < 0.75


def _ndcg(ranked: pd.DataFrame) -> float:
    return ndcg(ranked["gain"].to_numpy(), ranked["gain"].to_numpy(), 10)


@pytest.mark.parametrize(("country", "matters"), [(-1, False), (0, True)])
def test_language_matters_only_where_the_brief_calls_for_it(country: int, matters: bool) -> None:
    rng, time = np.random.default_rng(0), clock(WORLD_1, 30)
    people = population(WORLD_1, 50, time, rng)
    viewers = audience(WORLD_1, people, rng)
    houses = brands(WORLD_1, 4, rng)
    asked = replace(briefs(WORLD_1, houses, 1, time, rng), country=np.array([country]))
    turned = {name: shares[:, ::-1] if name == "language" else shares for name, shares in viewers.shares.items()}
    others = Market(WORLD_1, replace(people, language=people.language[::-1]), replace(viewers, shares=turned), houses)
    plain = Market(WORLD_1, people, viewers, houses).utility(asked, 0, np.random.default_rng(1))
    assert np.array_equal(plain, others.utility(asked, 0, np.random.default_rng(1))) is not matters


def test_text_is_there_in_every_language() -> None:
    phrases, topics = material(PHRASES), material(TOPICS)
    assert set(LANGUAGES) == {"en", "zh", "es", "pt", "ja", "ar", "id"}
    for language in LANGUAGES:
        assert phrases[language].keys() == phrases["en"].keys()
        for kinds in topics.values():
            assert [len(words.split("|")) for words in kinds[language]] == [3, 3, 3, 3]


def test_truth_is_written_apart_and_never_read(tmp_path: Path, market: Simulation) -> None:
    write(market, tmp_path)
    read = read_tables(tmp_path)
    assert set(read) == set(CONTRACT)
    assert {path.stem for path in (tmp_path / "truth").iterdir()} == {"utility", "campaigns", "bought", "creators"}
    pd.testing.assert_frame_equal(read["impressions"], market.tables["impressions"])
    sources = [path for room in ("features", "models", "serving") for path in (ROOT / room).rglob("*.py")]
    assert not [path for path in sources if re.search(r"""["'/]truth\b""", path.read_text(encoding="utf-8"))]


def test_random_world_draws_within_its_ranges() -> None:
    world = random_world(np.random.default_rng(5))
    ranged = list(_ranged(WORLD_1, world))
    assert len(ranged) > 20
    assert all(low <= drawn <= high and low <= default <= high for default, drawn, (low, high) in ranged)
    assert digest(world) != digest(WORLD_1)


def _ranged(default: Any, drawn: Any) -> Any:
    for item in fields(default):
        values = getattr(default, item.name), getattr(drawn, item.name)
        if "range" in item.metadata:
            yield *values, item.metadata["range"]
        elif is_dataclass(values[0]):
            yield from _ranged(*values)


def test_world_1_is_the_frozen_one() -> None:
    text = (ROOT / "docs" / "world-1.md").read_text(encoding="utf-8")
    assert f"`{digest(WORLD_1)}`" in text


def test_clock_ends_with_the_last_day() -> None:
    time = clock(WORLD_1, 30)
    assert time.days == 30
    assert time.dates[-1] == pd.Timestamp(WORLD_1.end)
    assert time.at([time.stop])[0] == END.to_datetime64()


def test_what_is_published_in_the_last_minutes_is_not_looked_at_before() -> None:
    time = clock(WORLD_1, 10)
    counted = [c.VIDEO_VIEWS, c.PAID_VIDEO_VIEWS, c.FAVORITES, *COUNTERS]
    made = pd.DataFrame({"day": [time.stop - 0.001], "video_id": ["v"], "creator": [0]})
    seen = _looks(WORLD_1, time, made.assign(**dict.fromkeys(counted, 900.0)), np.random.default_rng(0))
    assert (seen[counted] >= 0).all(axis=None)
    assert (seen["observed_at"] >= time.at(made["day"])).all()
