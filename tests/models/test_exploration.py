"""Exploration: posteriors and floors by hand, then what it does to real rankings, and what it never does."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import columns as c
from models.engine import Engine, brief_row
from models.exploration import (
    FEW_JOBS,
    FLOOR_ONE_IN,
    STRENGTH,
    bonuses,
    floor_places,
    record,
    seed_of,
    with_floor,
)
from models.places import Exploring, places

NOW = pd.Timestamp("2026-01-01")
BRIEFS = (
    {"title": "Matcha latte", "description": "cozy recipe videos", "content_labels": ["food"], "language": "en"},
    {"title": "Zapatillas para correr", "content_labels": ["sports"], "language": "es"},
    {"title": "手机游戏", "description": "新游戏上线", "content_labels": ["games"], "language": "zh"},
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def mean_bonus(success: float, completed: float, failed: float) -> float:
    many = np.ones(20_000)
    return float(bonuses(success * many, completed * many, failed * many, rng()).mean())


def test_the_bonus_of_a_creator_without_jobs_is_what_a_beta_has_above_its_mean():
    a, b = STRENGTH * 0.3, STRENGTH * 0.7
    draws = rng(9).beta(a, b, 200_000)
    assert mean_bonus(0.3, 0, 0) == pytest.approx(np.maximum(draws - 0.3, 0).mean(), abs=0.003)


def test_evidence_of_either_kind_makes_the_bonus_smaller():
    assert mean_bonus(0.3, 0, 0) > mean_bonus(0.3, 2, 2) > mean_bonus(0.3, 20, 20) > 0
    assert mean_bonus(0.5, 0, 0) > mean_bonus(0.5, 3, 0) > mean_bonus(0.5, 30, 0)


def test_without_a_model_the_prior_is_one_half_and_certainty_is_no_error():
    assert mean_bonus(np.nan, 1, 0) == mean_bonus(0.5, 1, 0)
    assert (bonuses(np.array([0.0, 1.0]), np.zeros(2), np.zeros(2), rng()) >= 0).all()


def test_the_record_counts_ended_jobs_of_the_creators_asked_for():
    steps = [
        ("k1", "ana", "ACCEPTED"), ("k1", "ana", "PUBLISHED"), ("k2", "ana", "DEFAULTED"), ("k3", "ana", "ACCEPTED"),
        ("k4", "bo", "PUBLISHED"),
    ]  # fmt: skip
    events = pd.DataFrame(steps, columns=[c.COLLABORATION_ID, c.CREATOR_ID, c.EVENT_TYPE])
    events = events.assign(
        **{
            c.EVENT_ID: [str(i) for i in range(5)],
            c.EVENT_TIME: NOW,
            c.BRAND_ID: "b",
            c.BRIEF_ID: "q",
            c.RATING: np.nan,
        }
    )
    completed, failed = record(events, pd.Index(["new", "ana"]))
    assert (list(completed), list(failed)) == ([0, 1], [0, 1])


def test_one_place_in_ten_is_kept_and_less_than_ten_places_keep_one_that_often():
    assert [floor_places(places, rng()) for places in (10, 20, 200)] == [1, 2, 20]
    drawn = rng()
    assert np.mean([floor_places(3, drawn) for _ in range(5000)]) == pytest.approx(3 / FLOOR_ONE_IN, abs=0.02)


def floored(new: set[int], floor: int, places: int = 4, fixed: int = 0) -> list[int]:
    return list(with_floor(np.arange(8), np.isin(np.arange(8), list(new)), places, floor, fixed))


def test_new_creators_who_are_missing_take_the_last_places():
    assert floored({1, 5}, 1) == [0, 1, 2, 3]
    assert floored({1, 5, 7}, 2) == [0, 1, 2, 5]
    assert floored({3, 5, 7}, 3) == [0, 3, 5, 7]
    assert floored({6}, 3) == [0, 1, 2, 6]  # there are no more
    assert floored({6, 7}, 2, fixed=3) == [0, 1, 2, 6]  # pins give nothing up
    assert floored({6, 7}, 2, fixed=4) == [0, 1, 2, 3]


@given(st.sets(st.integers(0, 7)), st.integers(0, 9), st.integers(0, 9), st.integers(0, 8))
def test_a_floor_holds_where_it_can_and_nobody_stands_there_twice(new, floor, places, fixed):
    shown = floored(new, floor, places, fixed)
    free = min(places, 8) - min(fixed, places, 8)
    assert len(shown) == len(set(shown)) == min(places, 8)
    assert len(new & set(shown)) >= min(floor, len(new), free)
    assert shown[: min(fixed, places)] == list(range(min(fixed, places)))


def test_a_bonus_is_counted_in_the_range_of_the_best_scores():
    order, scores, vectors = np.arange(4), np.array([9.0, 7.0, 6.0, 5.0]), np.zeros((4, 2), np.float32)
    exploring = Exploring(np.array([False, False, True, True]), np.array([0, 0, 0.3, 0.2]), 0)
    found = places(order, scores, vectors, 4, 0, 0.0, exploring)
    assert list(found.best) == [0, 2, 1, 3]  # 1, .5, .25 + .3, 0 + .2
    assert list(found.explored) == [False, True, False, False]
    assert not found.diverse.any()


def ranked(engine: Engine, brief: dict[str, Any] = BRIEFS[0], **request: Any) -> list[dict[str, Any]]:
    return engine.rank({"brief": brief, "explain": True, **request})["results"]


def ids_of(results: list[dict[str, Any]]) -> list[str]:
    return [one["creator_id"] for one in results]


def new_ones(engine: Engine) -> set[str]:
    jobs = engine._catalogue.state.frame["jobs"]
    return set(jobs.index[jobs < FEW_JOBS])


def told(one: dict[str, Any], code: str) -> bool:
    return any(reason["code"] == code for reason in one["reasons"])


def test_without_exploration_the_seed_means_nothing(engine):
    assert ranked(engine, explore=False, seed=3) == ranked(engine)


def test_the_same_seed_is_the_same_answer_and_another_one_is_another(engine):
    first, again = (ranked(engine, explore=True, seed=5, limit=40) for _ in range(2))
    assert first == again
    assert len({tuple(ids_of(ranked(engine, explore=True, seed=seed, limit=40))) for seed in range(4)}) > 1


def test_without_a_seed_the_request_is_its_own(engine):
    first, again = (ranked(engine, explore=True, limit=40) for _ in range(2))
    assert first == again
    silent = engine.rank({"brief": BRIEFS[0], "explore": True, "limit": 40})["results"]
    assert ids_of(silent) == ids_of(first)


def test_the_seed_of_a_request_is_the_same_from_a_file_as_over_http():
    def seed(brief: dict[str, Any], **request: Any) -> int:
        asked = {"brief": brief, **request}
        return seed_of(asked, brief_row(asked, NOW))

    assert seed({"title": "a", "budget": 5}, filters=None, explain=True) == seed({"title": "a", "budget": 5.0})
    assert seed({"title": "a"}) != seed({"title": "b"})
    assert seed({"title": "a"}, limit=5) != seed({"title": "a"}, limit=6)
    assert seed({"title": "a"}, seed=7) == 7


@pytest.mark.parametrize("limit", [10, 20, 50])
@pytest.mark.parametrize("diversity", [0, 0.7])
def test_new_creators_get_their_share_of_places(engine, limit, diversity):
    new = new_ones(engine)
    for brief in BRIEFS:
        for seed in range(5):
            shown = ids_of(ranked(engine, brief, explore=True, seed=seed, limit=limit, diversity=diversity))
            assert len(new & set(shown)) >= limit // FLOOR_ONE_IN
            assert len(set(shown)) == limit


def test_the_share_is_kept_where_scores_would_give_none(engine):
    new = new_ones(engine)
    plain = ids_of(ranked(engine, limit=200))
    pushed = [one for one in plain if one in new][:-4]  # all but four new creators are left out
    shown = ranked(engine, explore=True, seed=1, limit=20, exclude_creator_ids=pushed)
    assert len(new & set(ids_of(shown))) >= 2


def test_exploration_moves_new_creators_up_changes_no_score_and_says_so(engine):
    new = new_ones(engine)
    plain = {one["creator_id"]: one for one in ranked(engine, limit=200)}
    moved = 0
    for seed in range(5):
        for one in ranked(engine, explore=True, seed=seed):
            before = plain[one["creator_id"]]
            assert one["score"] == before["score"]
            assert told(one, "EXPLORATION") == (one["rank"] < before["rank"])
            assert not told(one, "EXPLORATION") or one["creator_id"] in new
            moved += told(one, "EXPLORATION")
            decided = [reason for reason in one["reasons"] if reason["code"] == "EXPLORATION"]
            assert all(reason["contribution"] == 0 for reason in decided)
    assert moved


def test_pins_stay_first(engine):
    pins = ids_of(ranked(engine, limit=200))[60:63]
    assert ids_of(ranked(engine, explore=True, seed=1, limit=10, diversity=0.5, pin_creator_ids=pins))[:3] == pins
