"""Diversity: by hand in two dimensions, then on real rankings, which it never makes more alike."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.diversity import diversified, pool_size, scaled
from models.engine import Engine

STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
BRIEFS = (
    {"title": "Matcha latte", "description": "cozy recipe videos", "content_labels": ["food"], "language": "en"},
    {"title": "Zapatillas para correr", "content_labels": ["sports"], "language": "es"},
    {"title": "手机游戏", "description": "新游戏上线", "content_labels": ["games"], "language": "zh"},
    {"description": "travel on a budget", "objective": "CONVERSION", "budget": 9000, "currency": "USD"},
)
A, B, C = (1.0, 0.0), (0.0, 1.0), (0.6, 0.8)


def order(scores: list[float], vectors: list[tuple[float, float]], diversity: float, **more: int) -> list[int]:
    return list(diversified(np.array(scores), np.array(vectors, np.float32), diversity, len(scores), **more))


def test_by_hand():
    # Two like A, one like B, one between: after the best, .5 · score - .5 · cosine is -.05, .2 and -.3.
    assert order([10, 9, 4, 0], [A, A, B, C], 0.5) == [0, 2, 1, 3]
    assert order([10, 9, 4, 0], [A, A, B, C], 0.0) == [0, 1, 2, 3]
    assert order([10, 9, 4, 0], [A, A, B, C], 1.0) == [0, 2, 3, 1]


def test_who_is_fixed_stays_first_and_counts_as_chosen_but_not_for_the_scale():
    assert order([-50, 10, 9.9, 9], [A, A, B, C], 0.5, fixed=1) == [0, 2, 1, 3]


def test_only_so_many_places_are_chosen_and_the_others_follow_as_they_were():
    vectors = np.array([A, A, C, B], np.float32)
    assert list(diversified(np.array([9.0, 8, 7, 6]), vectors, 1.0, 2)) == [0, 3, 1, 2]


def test_creators_without_a_vector_resemble_nobody():
    assert order([3, 2, 1], [A, A, (0.0, 0.0)], 1.0) == [0, 2, 1]


@given(st.lists(st.floats(-5, 5), max_size=8), st.floats(0, 1), st.integers(0, 8), st.integers(0, 3))
def test_an_order_is_one_whatever_is_asked(scores, diversity, places, fixed):
    best = np.sort(scores)[::-1]
    vectors = np.random.default_rng(0).normal(size=(len(best), 3)).astype(np.float32)
    found = diversified(best, vectors, diversity, places, min(fixed, len(best)))
    assert sorted(found) == list(range(len(best)))
    assert list(found[: min(fixed, places)]) == list(range(len(best)))[: min(fixed, places)]


def test_scores_are_scaled_to_their_range():
    assert list(scaled(np.array([3.0, 1.0, 2.0]))) == [1.0, 0.0, 0.5]
    assert list(scaled(np.array([2.0, 2.0]))) == [0.0, 0.0]
    assert len(scaled(np.zeros(0))) == 0


def ranked(engine: Engine, brief: dict[str, Any], **request: Any) -> dict[str, Any]:
    return engine.rank({"brief": brief, **request}) | {"ranking_id": ""}


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [one["creator_id"] for one in answer["results"]]


def alikeness(engine: Engine, ids: list[str]) -> float:
    state = engine._catalogue.state
    vectors = state.vectors[state.ids.get_indexer(ids)]
    return float((vectors @ vectors.T)[np.triu_indices(len(ids), 1)].mean())


@pytest.mark.parametrize("limit", [5, 10, 20, 40])
def test_the_more_diversity_the_less_alike_are_those_shown(engine, limit):
    found = [[ids_of(ranked(engine, one, limit=limit, diversity=step)) for step in STEPS] for one in BRIEFS]
    means = np.array([[alikeness(engine, ids) for ids in row] for row in found])
    assert (np.diff(means.mean(axis=0)) < 0).all(), means
    assert (means[:, -1] < means[:, 0] - 0.05).all()


def test_without_diversity_the_answer_is_the_same_to_the_bit(engine):
    for brief in BRIEFS:
        assert ranked(engine, brief, explain=True, diversity=0) == ranked(engine, brief, explain=True)


def test_diversity_changes_places_and_no_score_and_says_whom_it_moved_up(engine):
    plain = ranked(engine, BRIEFS[0], limit=200, explain=True)["results"]
    diverse = ranked(engine, BRIEFS[0], limit=20, explain=True, diversity=0.6)["results"]
    place = {one["creator_id"]: one["rank"] for one in plain}
    score = {one["creator_id"]: one["score"] for one in plain}
    moved = 0
    for one in diverse:
        told = [reason for reason in one["reasons"] if reason["code"] == "DIVERSITY"]
        assert one["score"] == score[one["creator_id"]]
        assert place[one["creator_id"]] <= pool_size(20)
        assert bool(told) == (one["rank"] < place[one["creator_id"]])
        assert all(reason["contribution"] == 0 for reason in told)
        moved += bool(told)
    assert 0 < moved < 20
    assert [one["rank"] for one in diverse] == list(range(1, 21))


def test_pins_stay_first(engine):
    free = ids_of(ranked(engine, BRIEFS[0], limit=200))
    pins = [free[90], free[2], free[40]]
    found = ranked(engine, BRIEFS[0], limit=10, diversity=0.9, pin_creator_ids=pins, explain=True)["results"]
    assert [one["creator_id"] for one in found[:3]] == pins
    assert not any(reason["code"] == "DIVERSITY" for one in found[:3] for reason in one["reasons"])
    few = ranked(engine, BRIEFS[0], limit=2, diversity=0.9, pin_creator_ids=pins)
    assert ids_of(few) == pins[:2]
