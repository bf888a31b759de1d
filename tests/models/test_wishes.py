"""Wishes of a rank request together, whatever they are: pins first, nobody excluded, nobody whom a filter removes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.source import InMemory
from models.diversity import diversified
from models.eligibility import eligible, rules, wished
from models.engine import Engine, brief_row

BRIEF: dict[str, Any] = {"title": "Matcha latte", "description": "cozy recipe videos", "content_labels": ["food"]}
PLACES = st.lists(st.integers(0, 59), unique=True, max_size=6)
FILTERS: dict[str, st.SearchStrategy[Any]] = {
    "country_codes": st.lists(st.sampled_from(["US", "BR", "CN", "JP"]), min_size=1),
    "languages": st.lists(st.sampled_from(["en", "pt", "zh"]), min_size=1),
    "min_followers": st.integers(0, 50_000),
    "max_creator_price": st.integers(50, 5000),
    "max_fraud_probability": st.floats(0, 1),
    "brand_safety": st.just(["ADULT_AUDIENCE_ONLY"]),
}


@pytest.fixture(scope="module")
def small(engine: Engine, few: dict[str, Any]) -> Engine:
    """Over 60 creators, quick to rank. Read only."""
    return Engine(engine._bundle, InMemory(few), engine._bank)


@settings(max_examples=60, deadline=None)
@given(
    pinned=PLACES,
    excluded=PLACES,
    bidding=PLACES,
    languages=st.lists(st.sampled_from(["en", "es", "zh"]), max_size=2),
    filters=st.none() | st.fixed_dictionaries({}, optional=FILTERS),
    wishes=st.fixed_dictionaries(
        {"limit": st.integers(1, 60)},
        optional={"diversity": st.floats(0, 1), "explore": st.booleans(), "seed": st.integers(0, 9)},
    ),
)
def test_pins_excludes_filters_and_bids_hold_together(small, pinned, excluded, bidding, languages, filters, wishes):
    catalogue = small._catalogue
    free = list(catalogue.state.ids[~np.logical_or.reduce([*rules(catalogue, {}).values()])])
    pins = [free[i] for i in pinned if i < len(free)]
    out = [one for one in (catalogue.state.ids[i] for i in excluded) if one not in pins]
    bids = [{"creator_id": catalogue.state.ids[i], "amount": 9.0 + i, "currency": "USD"} for i in bidding]
    request = {
        "brief": BRIEF | {"target_languages": languages}, "filters": filters, "pin_creator_ids": pins,
        "exclude_creator_ids": out, "bids": bids, **wishes,
    }  # fmt: skip
    answer = small.rank(request)
    shown = [one["creator_id"] for one in answer["results"]]
    allowed = eligible(catalogue, request, brief_row(request, catalogue.latest)).allowed
    may = set(catalogue.state.ids[allowed.rows])
    assert shown[: len(pins)] == pins[: wishes["limit"]]
    assert set(shown[len(pins) :]) <= may - set(pins)
    assert not set(shown) & set(out)
    assert len(shown) == len(set(shown)) == min(wishes["limit"], len(may | set(pins)))
    assert answer["candidates"]["eligible"] == len(may)
    asked = {bid["creator_id"]: bid["amount"] for bid in bids}
    prices = {one["creator_id"]: one["price"] for one in answer["results"]}
    assert all(prices[one]["amount"] == amount for one, amount in asked.items() if one in prices)
    again = small.rank(request)
    assert again | {"ranking_id": ""} == answer | {"ranking_id": ""}
    if not wishes.get("diversity") and not wishes.get("explore"):
        rest = answer["results"][len(pins) :]
        assert rest == sorted(rest, key=lambda one: (-one["score"], one["creator_id"]))


def test_an_excluded_creator_may_not_be_pinned(small):
    one = small.rank({"brief": BRIEF, "limit": 1})["results"][0]["creator_id"]
    with pytest.raises(InputError, match="pin_creator_ids"):
        small.rank({"brief": BRIEF, "pin_creator_ids": [one], "exclude_creator_ids": [one]})


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 12), st.integers(0, 10_000))
def test_all_for_diversity_is_never_more_alike_than_none(size, seed):
    """Two places: the second goes to whom the first resembles least; alikeness falls step by step with the wish."""
    rng = np.random.default_rng(seed)
    scores = np.sort(rng.normal(size=size))[::-1]
    vectors = rng.normal(size=(size, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    seconds = [diversified(scores, vectors, step, 2)[:2] for step in np.linspace(0, 1, 9)]
    alike = [float(vectors[one] @ vectors[other]) for one, other in seconds]
    assert (np.diff(alike) <= 1e-6).all()


def spoken_by(engine: Engine, ids: list[str]) -> set[str]:
    state = engine._catalogue.state
    return set(state.languages.series(state.ids)[ids].str.partition("-")[0])


@pytest.mark.parametrize("languages", [["es"], ["ES"], ["pt", "ja"]])
def test_a_brief_that_asks_for_a_language_gets_creators_who_write_in_it(engine, languages):
    answer = engine.rank({"brief": BRIEF | {"target_languages": languages}, "limit": 200})
    shown = [one["creator_id"] for one in answer["results"]]
    assert shown
    assert spoken_by(engine, shown) <= {one.lower() for one in languages}
    plain = engine.rank({"brief": BRIEF})["candidates"]
    (removed,) = [one for one in answer["candidates"]["removed"] if one["filter"] == "target_languages"]
    assert removed["removed"] == plain["eligible"] - answer["candidates"]["eligible"]
    assert answer["hints"] == [{"filter": "target_languages", "would_add": removed["removed"]}]


def test_a_language_nobody_writes_in_leaves_nobody_and_the_hint_says_whom_it_keeps_out(engine):
    answer = engine.rank({"brief": BRIEF | {"target_languages": ["ko"]}, "filters": {"min_followers": 1e15}})
    assert answer["results"] == []
    assert answer["hints"] == []  # everyone fails two
    plain = engine.rank({"brief": BRIEF})["candidates"]["eligible"]
    answer = engine.rank({"brief": BRIEF | {"target_languages": ["ko"]}})
    assert answer["hints"] == [{"filter": "target_languages", "would_add": plain}]


def test_a_pin_is_respected_in_whatever_language_it_writes(engine):
    one = engine.rank({"brief": BRIEF | {"target_languages": ["es"]}, "limit": 1})["results"][0]["creator_id"]
    answer = engine.rank({"brief": BRIEF | {"target_languages": ["ja"]}, "pin_creator_ids": [one], "limit": 3})
    assert answer["results"][0]["creator_id"] == one
    assert spoken_by(engine, [each["creator_id"] for each in answer["results"][1:]]) <= {"ja"}


def test_the_language_a_brief_is_written_in_is_no_wish(engine):
    written = engine.rank({"brief": BRIEF | {"language": "es"}, "limit": 1})["candidates"]
    assert written == engine.rank({"brief": BRIEF, "limit": 1})["candidates"]
    assert wished(brief_row({"brief": BRIEF | {"language": "es"}}, engine.as_of)) == {}
