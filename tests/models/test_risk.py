"""The queue over a trained release."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import columns as c
from models.engine import Engine
from models.fraud_policy import load_fraud_policy
from models.risk import audits_among, risk_table
from models.risk_scale import KINDS
from tests.models.writes import append_events, append_labels, upsert

EVERYONE = {"policy": {"levels": [{"risk_level": "MEDIUM", "min_risk_score": 0, "recommended_action": "REVIEW"}]}}


def ids_of(answer: dict, reason: str | None = None) -> list[str]:
    return [one["creator_id"] for one in answer["results"] if reason in (None, one["reason"])]


@given(st.integers(0, 5000), st.integers(1, 200), st.sampled_from([0.0, 0.05, 0.3]))
def test_a_share_are_audits_and_there_is_one_at_least(suspects, limit, share):
    audits = audits_among(suspects, limit, share)
    length = min(limit, suspects + audits)
    assert audits <= limit
    assert audits == (0 if limit == 1 and suspects else max(1, audits))
    assert abs(audits - share * length) <= 1
    assert limit - audits >= min(suspects, limit - audits)


def test_the_queue_is_ordered_by_what_is_lost_if_nobody_looks(engine: Engine):
    answer = engine.fraud_queue({"limit": 30})
    losses = [one["expected_loss"] for one in answer["results"]]
    known = [loss for loss in losses if loss is not None]
    assert losses == sorted(known, reverse=True) + [None] * (len(losses) - len(known))
    assert known
    for one in answer["results"]:
        if one["money_at_risk"] is not None:
            assert one["expected_loss"] == pytest.approx(one["fraud_probability"] * one["money_at_risk"], abs=0.01)
        assert len(one["reason_codes"]) <= 4


def test_suspects_are_those_whom_the_policy_does_not_allow_and_audits_anybody(engine: Engine):
    answer = engine.fraud_queue({"limit": 200})
    actions = {one["creator_id"]: one["recommended_action"] for one in answer["results"]}
    assert all(actions[one] != "ALLOW" for one in ids_of(answer, "QUEUE"))
    assert len(ids_of(answer, "RANDOM")) == audits_among(answer["suspects"], 200, load_fraud_policy().audit_share)
    (chance,) = {one["propensity"] for one in answer["results"] if one["reason"] == "RANDOM"}
    assert chance == pytest.approx(len(ids_of(answer, "RANDOM")) / answer["unreviewed"])
    assert len(set(ids_of(answer))) == len(ids_of(answer))


def test_a_queue_of_one_is_the_first_suspect(engine: Engine):
    (only,) = engine.fraud_queue({"limit": 1})["results"]
    assert only["reason"] == "QUEUE"


def test_the_lots_of_a_day_are_drawn_once_and_others_the_next_day(own_engine: Engine):
    first, again = (own_engine.fraud_queue(EVERYONE) for _ in range(2))
    assert first == again
    drawn = ids_of(own_engine.fraud_queue(EVERYONE | {"limit": 50}), "RANDOM")
    assert len(drawn) == 2
    days = {tuple(sorted(drawn))}
    for _ in range(4):
        event = {"event_id": str(len(days)), "event_type": "TRAINING_PASSED", "creator_id": drawn[0]}
        at = own_engine.as_of + pd.Timedelta(days=1)
        append_events(own_engine, pd.DataFrame([event | {"event_time": at}]))
        days.add(tuple(sorted(ids_of(own_engine.fraud_queue(EVERYONE | {"limit": 50}), "RANDOM"))))
    assert len(days) > 1


def test_a_new_creator_leaves_the_lots_of_the_day_as_they_are(own_engine: Engine):
    asked = EVERYONE | {"limit": 100}
    before = ids_of(own_engine.fraud_queue(asked), "RANDOM")
    newcomer = pd.DataFrame([{c.CREATOR_ID: "!first", c.OBSERVED_AT: own_engine.as_of}])
    upsert(own_engine, newcomer, pd.DataFrame(columns=[c.CREATOR_ID]))
    assert ids_of(own_engine.fraud_queue(asked), "RANDOM") == before


def test_who_was_reviewed_is_not_queued_again_for_ninety_days(own_engine: Engine):
    creator, other = ids_of(own_engine.fraud_queue(EVERYONE), "QUEUE")[:2]
    now = own_engine.as_of
    ages = {creator: 89, other: 91}
    labels = [
        {c.CREATOR_ID: one, c.IS_FAKE: 0.0, c.KNOWN_AT: now - pd.Timedelta(days=days)} for one, days in ages.items()
    ]
    append_labels(own_engine, pd.DataFrame(labels), pd.DataFrame(columns=[c.CREATOR_ID]))
    queued = ids_of(own_engine.fraud_queue(EVERYONE | {"limit": 200}))
    assert (creator in queued, other in queued) == (False, True)


def test_other_thresholds_hold_for_one_answer_alone(engine: Engine):
    before = engine.fraud_queue({})
    lower = engine.fraud_queue({"policy": {"levels": [{"risk_level": "HIGH", "min_risk_score": 905}]}})
    assert lower["suspects"] > before["suspects"]
    assert (before["policy_version"], lower["policy_version"]) == ("fraud-1", "fraud-1+request")
    assert engine.fraud_queue(EVERYONE)["suspects"] == before["unreviewed"]
    assert engine.fraud_queue({}) == before


def test_the_risk_table_says_how_many_innocent_of_a_kind_reach_a_score(engine: Engine):
    model = engine._bundle.fraud
    table = risk_table(model)
    for row in table:
        above = np.nextafter([row["fraud_probability"]], 1)
        innocent = model.scale.innocent[row["compared_with"]]
        assert model.scale.scores(above, np.array([row["compared_with"]]))[0] >= row["risk_score"]
        assert np.mean(innocent > row["fraud_probability"]) == pytest.approx(row["false_positive_rate"], abs=1e-4)
        assert row["risk_level"] == model.policy.level(row["risk_score"]).risk_level
    for kind in KINDS:
        rates = [row["false_positive_rate"] for row in table if row["compared_with"] == kind]
        assert rates == sorted(rates, reverse=True)
        assert (rates[0], rates[-1]) == (1, 0)


def test_past_scores_are_the_models_own_of_their_time_and_none_is_of_a_later_label(engine: Engine):
    past = engine._bundle.past_fraud
    assert len(past.dates)
    assert past.dates.max() < engine.as_of
    assert set(past.ids) <= set(engine._catalogue.state.ids)
    answer = engine.fraud_simulation({})
    assert [month["from"] for month in answer["results"]] == [date.isoformat() for date in past.dates]
    lower = engine.fraud_simulation({"policy": {"levels": [{"risk_level": "HIGH", "min_risk_score": 905}]}})
    assert lower["total"]["alerts"] > answer["total"]["alerts"]
    assert lower["policy_version"] == "fraud-1+request"
