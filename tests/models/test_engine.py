"""Every other answer of the engine over a trained release, and what writes make of them."""

import gc
import weakref
from collections.abc import Sequence
from types import SimpleNamespace

import pandas as pd
import pytest

from features import columns as c
from features.errors import InputError
from features.schema import Tables
from features.source import InMemory
from models.catalogue import Catalogue
from models.engine import Engine
from models.registry import local_champion
from tests.models.asking import BRIEF, EVERYONE, every_page, ids_of, ranked
from tests.models.writes import append_events, append_labels, delete, upsert


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


def test_an_engine_that_rehearses_reads_no_brief_again_that_the_other_was_asked(engine: Engine, few: Tables) -> None:
    served, new = (Engine(engine._bundle, InMemory(few), engine._bank) for _ in range(2))
    asked = {"brief": BRIEF, "filters": {"min_followers": 10}, "limit": 3}
    served.rank(asked)
    new.rehearse(served)
    (read,) = new.catalogue.readings.values()
    assert new.rank(asked)["results"] == served.rank(asked)["results"]
    assert new.catalogue.readings.values() == [read]
