"""Every answer of the engine over a trained release, in the shapes the API promises."""

import gc
import json
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.errors import InputError
from features.schema import Tables
from features.source import InMemory
from features.tables import read_tables
from models.catalogue import Catalogue
from models.engine import Engine
from models.registry import local_champion
from tests.models.writes import append_events, append_labels, delete, upsert

BRIEF = {
    "title": "Matcha latte 🍵",
    "description": "cozy recipe videos, honest taste",
    "language": "en",
    "objective": "AWARENESS",
    "content_labels": ["food"],
    "budget": 5000,
    "currency": "USD",
    "creators_wanted": 5,
    "target_countries": ["US", "JP"],
}
RESULT = {
    "creator_id", "rank", "score", "success_probability", "reasons", "price", "forecast", "credit", "fraud",
}  # fmt: skip
EVERYONE = 200


def ranked(engine: Engine, **request: Any) -> dict[str, Any]:
    return engine.rank({"brief": BRIEF, **request})


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [one["creator_id"] for one in answer["results"]]


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


@pytest.mark.parametrize("method", ["profile", "credit", "fraud_score", "rank"])
def test_an_unknown_creator_is_not_found(engine, method):
    with pytest.raises(InputError, match="no such creator") as caught:
        if method == "rank":
            ranked(engine, pin_creator_ids=["nobody"])
        elif method == "profile":
            engine.profile({"creator_ids": ["nobody"]}, risk=True)
        else:
            getattr(engine, method)({"creator_ids": ["nobody"]})
    assert caught.value.code == "NOT_FOUND"


def test_scores_are_the_same_wherever_they_are_shown(engine):
    first = ranked(engine, limit=3)["results"]
    ids = [one["creator_id"] for one in first]
    credit, fraud = engine.credit({"creator_ids": ids})["results"], engine.fraud_score({"creator_ids": ids})["results"]
    profiles = engine.profile({"creator_ids": ids}, risk=True)["results"]
    for shown, score, risk, profile in zip(first, credit, fraud, profiles, strict=True):
        assert shown["creator_id"] == score["creator_id"] == risk["creator_id"] == profile["creator_id"]
        assert (
            shown["credit"]
            == {name: score[name] for name in shown["credit"]}
            == {name: profile["credit"][name] for name in shown["credit"]}
        )
        assert shown["fraud"] == {"probability": risk["fraud_probability"], "risk_level": risk["risk_level"]}
        assert profile["fraud"] == risk


def test_fraud_evidence_is_for_the_risk_team_only(engine):
    assert "fraud" not in engine.profile({"creator_ids": ids_of(ranked(engine, limit=1))}, risk=False)["results"][0]


def test_an_upserted_creator_is_found_and_ranked_at_once(own_engine):
    row = {
        c.CREATOR_ID: "new", c.BIO: "matcha latte recipes", c.CONTENT_LABELS: ["food"], c.LANGUAGE: "en",
        c.COUNTRY_CODE: "IS", c.ONBOARDING_STATUS: "IN", c.OBSERVED_AT: own_engine.as_of,
    }  # fmt: skip
    share = {
        c.CREATOR_ID: "new", c.DIMENSION: "gender", c.BUCKET: "FEMALE", c.SHARE: 1.0, c.OBSERVED_AT: own_engine.as_of,
    }  # fmt: skip
    upsert(own_engine, pd.DataFrame([row]), pd.DataFrame([share]))
    assert ids_of(own_engine.search({"filters": {"country_codes": ["IS"]}})) == ["new"]
    assert "new" in ids_of(ranked(own_engine, limit=EVERYONE))
    (profile,) = own_engine.profile({"creator_ids": ["new"]}, risk=False)["results"]
    assert profile["audience"] == [{"dimension": "gender", "bucket": "FEMALE", "share": 1.0}]


def test_a_creator_observed_again_is_what_was_seen_last(own_engine, few):
    one = few["creators"][c.CREATOR_ID].iloc[0]
    before = own_engine.search({})["candidates"]["catalogue"]
    for followers in (7.0, 8.0):
        row = {c.CREATOR_ID: one, c.FOLLOWERS_COUNT: followers, c.OBSERVED_AT: own_engine.as_of}
        upsert(own_engine, pd.DataFrame([row]), pd.DataFrame(columns=[c.CREATOR_ID]))
    assert own_engine.profile({"creator_ids": [one]}, risk=False)["results"][0][c.FOLLOWERS_COUNT] == 8
    assert own_engine.search({})["candidates"]["catalogue"] == before


def test_an_upsert_outlasts_what_an_undated_catalogue_said(engine, few):
    undated = few | {name: few[name].assign(**{c.OBSERVED_AT: pd.NaT}) for name in ("creators", "audience")}
    undated["creators"] = undated["creators"].drop_duplicates(c.CREATOR_ID)
    own = Engine(engine._bundle, InMemory(undated), engine._bank)
    one, other = undated["creators"][c.CREATOR_ID].iloc[:2]
    at = own.as_of + pd.Timedelta(days=1)
    share = {c.CREATOR_ID: one, c.DIMENSION: "gender", c.BUCKET: "FEMALE", c.SHARE: 1.0, c.OBSERVED_AT: at}
    row = {c.CREATOR_ID: one, c.FOLLOWERS_COUNT: 7.0, c.OBSERVED_AT: at}
    upsert(own, pd.DataFrame([row]), pd.DataFrame([share]))
    later = {c.CREATOR_ID: other, c.FOLLOWERS_COUNT: 8.0, c.OBSERVED_AT: at + pd.Timedelta(days=1)}
    upsert(own, pd.DataFrame([later]), pd.DataFrame(columns=[c.CREATOR_ID]))
    (profile,) = own.profile({"creator_ids": [one]}, risk=False)["results"]
    assert profile[c.FOLLOWERS_COUNT] == 7
    genders = [found for found in profile["audience"] if found["dimension"] == "gender"]
    assert genders == [{"dimension": "gender", "bucket": "FEMALE", "share": 1.0}]


def test_a_label_moves_credit_of_its_creator_and_clearing_it_moves_it_back(own_engine, few):
    one, other = few["creators"][c.CREATOR_ID].unique()[:2]
    at = own_engine.as_of

    def credit() -> list[float]:
        return [own_engine.credit({"creator_ids": [who], "as_of": at})["results"][0]["score"] for who in (one, other)]

    before, row = credit(), {c.CREATOR_ID: one, c.EVENT_TIME: at}
    probability = own_engine.fraud_score({"creator_ids": [one]})
    label = pd.DataFrame([{c.CREATOR_ID: one, c.IS_FAKE: 1.0, c.KNOWN_AT: at}])
    append_labels(own_engine, label, pd.DataFrame([row | {c.EVENT_ID: "found", c.EVENT_TYPE: "FRAUD_CONFIRMED"}]))
    assert credit()[0] < before[0]
    assert credit()[1] == before[1]
    cleared = row | {c.EVENT_ID: "cleared", c.EVENT_TYPE: "FRAUD_CLEARED", c.REFERS_TO: "found"}
    append_labels(own_engine, label.assign(**{c.IS_FAKE: 0.0}), pd.DataFrame([cleared]))
    assert credit() == before
    assert own_engine.fraud_score({"creator_ids": [one]}) == probability


@pytest.mark.parametrize("hours", [0, 1], ids=["at the end of the data", "after it"])
def test_events_move_credit_of_their_creator_alone(own_engine, few, hours):
    one, other = few["creators"][c.CREATOR_ID].unique()[:2]
    before = [own_engine.credit({"creator_ids": [who]})["results"][0]["score"] for who in (one, other)]
    at = own_engine.as_of + pd.Timedelta(hours=hours)
    append_events(own_engine, events_of(one, ["INVITED", "ACCEPTED", "CONTRACTED", "DEFAULTED"], at))
    after = [own_engine.credit({"creator_ids": [who]})["results"][0]["score"] for who in (one, other)]
    assert after[0] < before[0]
    assert after[1] == before[1]
    shown = {row["creator_id"]: row["credit_score"] for row in own_engine.search({"page_size": 200})["results"]}
    assert shown[one] == after[0]


def everyone(engine: Engine) -> pd.DataFrame:
    """What is known of each creator who is there."""
    return engine._catalogue.everyone(lambda part: part.state.frame).sort_index()


def test_events_after_the_data_move_credit_and_ranking_but_no_window_of_time(own_engine, few):
    ids = list(few["creators"][c.CREATOR_ID].unique())
    built, at = own_engine.as_of, own_engine.as_of + pd.Timedelta(days=3)
    fraud, jobs = own_engine.fraud_score({"creator_ids": ids}), everyone(own_engine)["jobs"]
    append_events(own_engine, events_of(ids[0], ["INVITED", "ACCEPTED"], at))
    assert ranked(own_engine)["data_as_of"] == own_engine.models()["data_as_of"] == built.isoformat()
    assert own_engine.fraud_score({"creator_ids": ids}) == fraud
    moved = everyone(own_engine)["jobs"] - jobs
    assert moved.to_dict() == dict.fromkeys(jobs.index, 0) | {ids[0]: 1}
    assert own_engine.as_of == at
    assert own_engine.credit({"creator_ids": ids[:1]})["results"][0]["as_of"] == at.isoformat()


def test_credit_as_of_a_day_may_know_what_was_received_later(own_engine, few):
    one, day = few["creators"][c.CREATOR_ID].iloc[0], own_engine.as_of
    late = day + pd.Timedelta(days=9)
    events = events_of(one, ["INVITED", "ACCEPTED", "CONTRACTED", "DEFAULTED"], day)
    append_events(own_engine, events.assign(**{c.RECEIVED_AT: late}))
    asked = {"creator_ids": [one], "as_of": day.isoformat()}
    then, now = (own_engine.credit(asked | more)["results"][0] for more in ({}, {"known_at": late.isoformat()}))
    assert now["score"] < then["score"]
    assert now["as_of"] == then["as_of"] == day.isoformat()
    before = own_engine.credit(asked | {"known_at": (day - pd.Timedelta(days=60)).isoformat()})["results"][0]
    assert sum(factor["events"] for factor in before["factors"]) < sum(factor["events"] for factor in then["factors"])


def test_an_order_taken_counts_against_the_cap_at_once(own_engine):
    one, at = ids_of(ranked(own_engine))[0], own_engine.as_of
    for i in range(8):
        append_events(own_engine, events_of(one, ["INVITED", "ACCEPTED", "CONTRACTED", "DEFAULTED"], at, f"failed{i}"))
    assert own_engine.credit({"creator_ids": [one]})["results"][0]["order_status"] == "LIMITED"
    assert one in ids_of(ranked(own_engine, limit=EVERYONE))
    for i in range(2):
        append_events(own_engine, events_of(one, ["INVITED", "ACCEPTED"], at, f"open{i}"))
    assert one not in ids_of(ranked(own_engine, limit=EVERYONE))
    again = Engine(own_engine._bundle, own_engine._lookup._source, own_engine._bank)
    pd.testing.assert_series_equal(*(everyone(each)["open_orders"] for each in (own_engine, again)))


def test_assessments_follow_the_models_and_are_made_once(own_engine):
    found = own_engine.assessments()
    assert set(found["factor"]) <= {"AUTHENTICITY", "INTERACTION"}
    append_events(own_engine, found)
    assert own_engine.assessments().empty
    one = found[found["factor"] == "AUTHENTICITY"].iloc[0]
    asked = own_engine.fraud_score({"creator_ids": [one["creator_id"]]})["results"][0]
    assert one["value"] == pytest.approx(1 - asked["fraud_probability"], abs=0.001)


def events_of(creator_id: str, types: Sequence[str], at: pd.Timestamp, key: str = "new") -> pd.DataFrame:
    rows = {c.EVENT_ID: [f"{key}{i}" for i in range(len(types))], c.EVENT_TYPE: types}
    return pd.DataFrame(rows).assign(
        **{c.CREATOR_ID: creator_id, c.COLLABORATION_ID: key, c.BRAND_ID: "b", c.EVENT_TIME: at}
    )


def test_a_deleted_creator_is_gone_everywhere(own_engine, few):
    one = few["creators"][c.CREATOR_ID].iloc[0]
    delete(own_engine, [one])
    assert one not in every_page(own_engine)
    assert one not in ids_of(ranked(own_engine, limit=EVERYONE))
    with pytest.raises(InputError, match="no such creator"):
        own_engine.profile({"creator_ids": [one]}, risk=False)


class Racing(Engine):
    """Another catalogue at every look but the first."""

    looks: list[Catalogue]

    @property
    def _catalogue(self) -> Catalogue:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.fixture
def racing(own_engine, few):
    """The engine of a request that began before its first creator was deleted, in memory and in the source."""
    before = own_engine._catalogue
    delete(own_engine, [few["creators"][c.CREATOR_ID].iloc[0]])
    engine = Racing.__new__(Racing)
    vars(engine).update(vars(own_engine), looks=[before, own_engine._catalogue])
    return engine


def test_a_ranking_is_whole_though_a_creator_is_deleted_meanwhile(own_engine, racing):
    before = Engine.__new__(Engine)
    vars(before).update(vars(own_engine), _catalogue=racing.looks[0])
    answers = [engine.rank({"brief": BRIEF, "limit": EVERYONE}) for engine in (racing, before)]
    assert answers[0] | {"ranking_id": ""} == answers[1] | {"ranking_id": ""}


@pytest.mark.parametrize("method", ["profile", "credit", "fraud_score"])
def test_nothing_is_told_of_a_creator_who_is_deleted_meanwhile(racing, few, method):
    more = {"risk": True} if method == "profile" else {}
    with pytest.raises(InputError, match="no such creator"):
        getattr(racing, method)({"creator_ids": [few["creators"][c.CREATOR_ID].iloc[0]]}, **more)


@pytest.mark.parametrize("write", [upsert, append_events, delete])
def test_a_write_that_fails_changes_nothing(own_engine, few, monkeypatch, write):
    one, other = few["creators"][c.CREATOR_ID].unique()[:2]
    nobody = pd.DataFrame(columns=[c.CREATOR_ID])
    arguments = {
        upsert: (pd.DataFrame([{c.CREATOR_ID: "new", c.OBSERVED_AT: own_engine.as_of}]), nobody),
        append_events: (events_of(one, ["INVITED", "ACCEPTED", "CONTRACTED", "DEFAULTED"], own_engine.as_of),),
        delete: ([one],),
    }
    everyone = {"creator_ids": [one]}
    before = own_engine.credit(everyone)
    with monkeypatch.context() as patch:
        patch.setattr("models.engine.renewed", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write(own_engine, *arguments[write])
    delete(own_engine, [other])
    assert sorted(every_page(own_engine)) == sorted(set(few["creators"][c.CREATOR_ID]) - {other})
    assert own_engine.credit(everyone) == before


def test_the_models_served_are_named(engine):
    told = engine.models()
    assert told["models"] == ranked(engine, limit=1)["models"]
    assert told["encoder_id"].startswith("use-multilingual-v3@")


def test_a_release_is_not_run_with_another_encoder_than_its_own(home, few, monkeypatch):
    other = SimpleNamespace(name="use-multilingual-v3", id="use-multilingual-v3@0.0.0")
    monkeypatch.setattr("models.engine.load_encoder", lambda _: other)
    with pytest.raises(InputError, match="train again") as caught:
        Engine.load(local_champion(home), InMemory(few))
    assert (caught.value.code, caught.value.details[0]["value"]) == ("CONFLICT", other.id)


def every_page(engine: Engine) -> list[str]:
    found, token = [], None
    while True:
        page = engine.search({"page_size": 97, "page_token": token})
        found += ids_of(page)
        if (token := page["next_page_token"]) is None:
            return found


def codes(one: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in one["reasons"]}


def test_an_engine_goes_with_its_last_request_and_needs_no_collector(engine: Engine, few: Tables) -> None:
    own = Engine(engine._bundle, InMemory(few), engine._bank)
    own.rank({"brief": {"description": "matcha"}})
    own.profile({"creator_ids": [few["creators"][c.CREATOR_ID].iloc[0]]}, risk=True)
    gone = weakref.ref(own._catalogue)
    gc.disable()
    try:
        del own
        assert gone() is None
    finally:
        gc.enable()
