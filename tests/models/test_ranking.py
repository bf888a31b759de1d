"""Rankings by the engine over a trained release, in the shape the API promises."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.errors import InputError
from features.tables import read_tables
from tests.models.asking import BRIEF, EVERYONE, codes, every_page, ids_of, ranked

RESULT = {
    "creator_id", "rank", "score", "success_probability", "reasons", "price", "forecast", "credit", "fraud",
}  # fmt: skip


@pytest.fixture(scope="module")
def latest(dataset: Path) -> pd.DataFrame:
    """The latest row of every creator, by creator_id."""
    creators = read_tables(dataset)["creators"].sort_values(c.OBSERVED_AT)
    return creators.drop_duplicates(c.CREATOR_ID, keep="last").set_index(c.CREATOR_ID)


def test_a_ranking_has_the_promised_shape(engine):
    answer = ranked(engine, limit=7)
    assert set(answer) == {"ranking_id", "results", "candidates", "hints", "models", "data_as_of"}
    assert set(answer["candidates"]) == {"catalogue", "removed", "eligible", "retrieved"}
    assert answer["data_as_of"] == engine.as_of.isoformat()
    assert [one["rank"] for one in answer["results"]] == list(range(1, 8))
    for one in answer["results"]:
        assert set(one) == RESULT
        assert one["price"] is None or set(one["price"]) == {"amount", "currency", "fair_low", "fair_high"}
        assert set(one["credit"]) == {"score", "stars", "band", "order_status"}
        assert set(one["fraud"]) == {"probability", "risk_level"}
        assert one["success_probability"] is None or 0 <= one["success_probability"] <= 1
        assert 0 <= one["fraud"]["probability"] <= 1
    assert answer["models"]["ranker"]
    assert {name for name, version in answer["models"].items() if version is None} >= {"forecast", "price"}
    json.dumps(answer, allow_nan=False)


def test_it_is_ordered_by_score_then_id_and_twenty_long(engine):
    results = ranked(engine)["results"]
    assert len(results) == 20
    assert sorted(results, key=lambda one: (-one["score"], one["creator_id"])) == results


def test_a_shorter_list_is_the_beginning_of_a_longer_one(engine):
    assert ids_of(ranked(engine, limit=5)) == ids_of(ranked(engine, limit=EVERYONE))[:5]


def test_the_same_request_has_the_same_answer_under_another_id(engine):
    first, second = (ranked(engine, explain=True, limit=5) for _ in range(2))
    assert first.pop("ranking_id") != second.pop("ranking_id")
    assert first == second


def test_pins_come_first_in_their_order(engine):
    free = ids_of(ranked(engine, limit=EVERYONE))
    pins = [free[60], free[3], free[30]]
    pinned = ranked(engine, pin_creator_ids=pins, limit=10, explain=True)
    assert ids_of(pinned) == pins + [one for one in free if one not in pins][:7]
    assert ["PINNED" in codes(one) for one in pinned["results"]] == [True] * 3 + [False] * 7


def test_excluded_creators_are_never_ranked(engine):
    free = ids_of(ranked(engine, limit=EVERYONE))
    answer = ranked(engine, exclude_creator_ids=free[:10], limit=EVERYONE)
    assert ids_of(answer)[:20] == free[10:30]
    assert {"filter": "exclude_creator_ids", "removed": 10, "unknown": 0} in answer["candidates"]["removed"]


def test_only_onboarded_creators_are_ranked_and_all_are_searchable(engine, latest):
    barred = set(latest.index[latest[c.ONBOARDING_STATUS].isin(["NOT_IN", "INVALID"])])
    assert barred
    answer = ranked(engine, limit=EVERYONE)
    assert barred.isdisjoint(ids_of(answer))
    assert {"filter": "onboarding_status", "removed": len(barred), "unknown": 0} in answer["candidates"]["removed"]
    assert barred & set(every_page(engine))


def test_a_creator_who_may_not_be_ranked_may_not_be_pinned(engine, latest):
    barred = latest.index[latest[c.ONBOARDING_STATUS] == "NOT_IN"][0]
    with pytest.raises(InputError, match="pin_creator_ids"):
        ranked(engine, pin_creator_ids=[barred])


def test_reasons_only_when_asked_for(engine):
    assert all(one["reasons"] == [] for one in ranked(engine)["results"])
    explained = ranked(engine, explain=True)["results"]
    assert all(one["reasons"] for one in explained)
    assert all(set(reason) == {"code", "text", "contribution"} for one in explained for reason in one["reasons"])
    assert [one | {"reasons": []} for one in explained] == ranked(engine)["results"]


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"min_followers": 20_000},
        {"country_codes": ["US", "BR"], "max_creator_price": 300, "languages": ["en", "pt"]},
        {"content_formats": ["LIVE"], "min_credit_score": 650, "max_fraud_probability": 0.3},
        {"audience": [{"dimension": "age", "buckets": ["18-24", "25-34"], "min_share": 0.5}]},
        {"brand_safety": ["ADULT_AUDIENCE_ONLY"], "min_median_views": 1e12},
    ],
)
def test_who_was_removed_and_who_is_left_make_the_catalogue(engine, filters):
    answer = ranked(engine, filters=filters, limit=EVERYONE)
    candidates = answer["candidates"]
    assert candidates["catalogue"] - sum(one["removed"] for one in candidates["removed"]) == candidates["eligible"]
    assert len(answer["results"]) == min(EVERYONE, candidates["eligible"])
    assert {one["filter"] for one in candidates["removed"]} >= set(filters)
    for hint in answer["hints"]:
        rest = {name: value for name, value in filters.items() if name != hint["filter"]}
        assert ranked(engine, filters=rest)["candidates"]["eligible"] == candidates["eligible"] + hint["would_add"]


def test_filters_hold_for_every_result(engine, latest):
    answer = ranked(engine, filters={"country_codes": ["us", "BR"], "min_followers": 2000}, limit=EVERYONE)
    rows = latest.loc[ids_of(answer)]
    assert len(rows)
    assert set(rows[c.COUNTRY_CODE]) <= {"US", "BR"}
    assert (rows[c.FOLLOWERS_COUNT] >= 2000).all()


def test_a_bid_is_the_price_and_moves_the_score(engine):
    best = ranked(engine, limit=EVERYONE)["results"]
    chosen = best[0]
    dear = {"creator_id": chosen["creator_id"], "amount": 90_000.0, "currency": "EUR"}
    again = {one["creator_id"]: one for one in ranked(engine, bids=[dear], limit=EVERYONE, explain=True)["results"]}
    bidder = again.pop(chosen["creator_id"])
    assert (bidder["price"]["amount"], bidder["price"]["currency"]) == (90_000.0, "EUR")
    assert bidder["score"] < chosen["score"]
    assert "BID" in codes(bidder)
    assert {one: found["score"] for one, found in again.items()} == {
        one["creator_id"]: one["score"] for one in best[1:]
    }


def test_a_bid_that_cannot_be_compared_is_said_to_be_so(engine):
    first = ids_of(ranked(engine, limit=1))
    bid = {"creator_id": first[0], "amount": 5.0, "currency": "KPW"}
    answer = ranked(engine, bids=[bid], pin_creator_ids=first, limit=1, explain=True)
    assert "CURRENCY_NOT_COMPARABLE" in codes(answer["results"][0])


def test_a_budget_that_cannot_be_compared_is_said_to_be_so(engine):
    brief = BRIEF | {"budget": 5000, "currency": "XAF"}
    answer = engine.rank({"brief": brief, "limit": 5, "explain": True})
    assert all("CURRENCY_NOT_COMPARABLE" in codes(one) for one in answer["results"])


def test_who_is_suspended_or_has_as_many_open_orders_as_allowed_is_not_offered(engine):
    state, credit = engine._catalogue.state, engine._catalogue.credit
    most = np.fmin(np.fmin(credit["max_open_orders"], state.max_open_orders), np.inf)
    suspended = (credit["order_status"] == "SUSPENDED").to_numpy()
    full = state.frame["open_orders"].to_numpy() >= most.to_numpy()
    assert [(one & state.rankable).any() for one in (suspended, full, ~full & ~suspended)] == [True] * 3
    offered = set(ids_of(ranked(engine, limit=EVERYONE)))
    assert not set(state.ids[suspended | full]) & offered


@pytest.mark.parametrize(
    ("request_", "field", "problem"),
    [
        ({}, "brief", "is needed"),
        ({"brief": []}, "brief", "is needed"),
        ({"brief": BRIEF, "wishes": 1}, "wishes", "is not a field"),
        ({"brief": BRIEF | {"slogan": "x"}}, "brief.slogan", "is not a field"),
        ({"brief": BRIEF | {"target_countries": ["UK"]}}, "target_countries", "ISO 3166"),
        ({"brief": BRIEF | {"currency": "XXX"}}, "currency", "ISO 4217"),
        ({"brief": BRIEF | {"budget": -1}}, "budget", ""),
        ({"brief": BRIEF | {"budget": 10**400}}, "budget", "is not finite"),
        ({"brief": BRIEF | {"budget": [5]}}, "budget", "is not a number"),
        ({"brief": BRIEF | {"created_at": 5}}, "created_at", "is not a time"),
        ({"brief": BRIEF | {"brief_id": ""}}, "brief_id", "is missing"),
        ({"brief": BRIEF | {"title": "\ud800"}}, "title", "is not one text"),
        ({"brief": BRIEF | {"content_labels": ["\ud800"]}}, "content_labels", "is not a list of texts"),
        ({"brief": BRIEF | {"content_labels": 5}}, "content_labels", "is not a list of texts"),
        ({"brief": BRIEF | {"content_labels": [None]}}, "content_labels", "is not a list of texts"),
        ({"brief": BRIEF | {"content_labels": [["food"]]}}, "content_labels", "is not a list of texts"),
        ({"brief": BRIEF | {"content_labels": {"a": 1}}}, "content_labels", "is not a list of texts"),
        ({"brief": BRIEF | {"objective": "FAME"}}, "objective", "AWARENESS"),
        ({"brief": BRIEF, "filters": {"min_age": 3}}, "filters.min_age", "is no filter"),
    ],
)
def test_a_bad_request_is_refused_by_the_name_of_its_field(engine, request_, field, problem):
    with pytest.raises(InputError) as caught:
        engine.rank(request_)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert caught.value.details[0]["field"].endswith(field)
    assert problem in caught.value.details[0]["problem"]


def test_an_empty_text_in_a_brief_says_nothing(engine):
    empty = {
        "budget": "",
        "created_at": "",
        "description": "",
        "content_labels": "",
        "currency": "",
        "min_followers": "",
    }
    without = {name: value for name, value in BRIEF.items() if name not in empty}
    assert ids_of(ranked(engine, brief=without | empty)) == ids_of(ranked(engine, brief=without))
