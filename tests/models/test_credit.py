"""Credit: what its formula promises, shown by a plain replay, by properties and by small cases."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import schema
from models.credit import credit_answers, credit_scores, learn, load_policy
from models.credit_factors import FACTORS, coded_events, effects, event_points, evidence, factor_scores, total
from models.credit_policy import Floats
from models.credit_state import posterior
from models.credit_told import told

Event = Mapping[str, object]
POLICY = load_policy()
DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2026-01-01")
AS_OF = pd.Timestamp("2026-06-01")
ME = pd.Index(["c1"])
NOBODY = schema.empty(schema.CREATORS)

GOOD: Sequence[Event] = [
    {"event_type": "RATED", "rating": 5.0},
    {"event_type": "RATED", "rating": 4.0},
    {"event_type": "PUBLISHED"},
    {"event_type": "SETTLED"},
    {"event_type": "TRAINING_PASSED"},
    {"event_type": "CONTENT_SUBMITTED", "due_at": AS_OF},
    {"event_type": "ASSESSED", "factor": "INTERACTION", "value": 0.9},
]
BAD: Sequence[Event] = [
    {"event_type": "RATED", "rating": 1.0},
    {"event_type": "RATED", "rating": 2.5},
    {"event_type": "PUBLISHED", "due_at": START - DAY},
    {"event_type": "CONTENT_SUBMITTED", "due_at": START - DAY},
    {"event_type": "CANCELLED_BY_CREATOR"},
    {"event_type": "DEFAULTED"},
    {"event_type": "VIOLATION_CONFIRMED", "severity": 1.0, "violation_type": "COPYRIGHT"},
    {"event_type": "VIOLATION_CONFIRMED", "severity": 3.0},
    {"event_type": "FRAUD_CONFIRMED"},
    {"event_type": "ASSESSED", "factor": "AUTHENTICITY", "value": 0.1},
]
NEUTRAL: Sequence[Event] = [
    {"event_type": "RATED", "rating": 3.0},
    {"event_type": "CANCELLED_BY_BRAND"},
    {"event_type": "DECLINED"},
    {"event_type": "CONTENT_SUBMITTED"},
    {"event_type": "APPEAL_OPENED", "refers_to": "e0000"},
    {"event_type": "ASSESSED", "factor": "AUTHENTICITY", "value": 0.6},
    {"event_type": "ASSESSED"},
    {"event_type": "POLICY_CHANGED"},
]
few = settings(max_examples=10, deadline=None)  # a score takes pandas some 20 ms, however few its events
EVENTS = st.lists(st.sampled_from([*GOOD, *BAD, *NEUTRAL]), max_size=12)


def ledger(events: Sequence[Event], creator_id: str = "c1") -> pd.DataFrame:
    """The events a day apart from START on, unless they say otherwise; ids in order of time."""
    rows = [
        {"event_id": f"e{day:04}", "creator_id": creator_id, "event_time": START + day * DAY} | dict(event)
        for day, event in enumerate(events)
    ]
    return schema.conform(pd.DataFrame(rows, columns=schema.COLLABORATION_EVENTS.names), schema.COLLABORATION_EVENTS)


def factors(events: pd.DataFrame, as_of: pd.Timestamp = AS_OF) -> Floats:
    """The unrounded factors of c1, (1, 5)."""
    state = posterior(coded_events(events, as_of), POLICY, ME).state
    return factor_scores(state.alpha, state.beta, POLICY)


def score(events: pd.DataFrame, as_of: pd.Timestamp = AS_OF) -> float:
    """The unrounded score of c1."""
    return float(total(factors(events, as_of), POLICY)[0])


def row(events: pd.DataFrame, as_of: pd.Timestamp = AS_OF) -> "pd.Series":
    return credit_scores(events, POLICY, as_of, ME).iloc[0]


def answer(events: pd.DataFrame, as_of: pd.Timestamp = AS_OF) -> dict[str, Any]:
    return credit_answers(events, NOBODY, POLICY, as_of, ["c1"])[0]


def with_one(history: Sequence[Event], event: Event, place: int) -> pd.DataFrame:
    """``history`` with one more event at any point of it, the times of the others unchanged."""
    added = ledger([event]).assign(event_id="new", event_time=START + (place - 0.5) * DAY)
    return pd.concat([ledger(history), added], ignore_index=True)


@few
@given(EVENTS, st.sampled_from(GOOD), st.integers(0, 12))
def test_good_event_never_lowers_any_factor_wherever_it_falls(
    history: Sequence[Event], event: Event, place: int
) -> None:
    assert (factors(with_one(history, event, place)) >= factors(ledger(history)) - 1e-9).all()


@few
@given(EVENTS, st.sampled_from(BAD), st.integers(0, 12))
def test_bad_event_never_raises_any_factor_wherever_it_falls(
    history: Sequence[Event], event: Event, place: int
) -> None:
    assert (factors(with_one(history, event, place)) <= factors(ledger(history)) + 1e-9).all()


@pytest.mark.parametrize("severity", [0, 0.4, 4, 5, 7, 50])
def test_a_severity_that_the_policy_does_not_know_moves_nothing(severity: float) -> None:
    events = ledger([{"event_type": "VIOLATION_CONFIRMED", "severity": severity}, *GOOD])
    assert score(events) == score(events.iloc[1:])


@pytest.mark.parametrize(("events", "sign"), [(GOOD, 1), (BAD, -1), (NEUTRAL, 0)])
def test_every_kind_of_event_moves_a_newcomer_its_way(events: Sequence[Event], sign: int) -> None:
    assert [np.sign(round(score(ledger([event])) - 500, 6)) for event in events] == [sign] * len(events)


@few
@given(EVENTS, st.integers(0, 3000))
def test_silence_keeps_the_score_and_widens_the_interval(history: Sequence[Event], days: int) -> None:
    now, later = row(ledger(history)), row(ledger(history), AS_OF + days * DAY)
    assert later["score"] == now["score"]
    assert 0 <= later["confidence"] <= now["confidence"] + 1e-12 <= 1


def test_confidence_grows_with_evidence_and_fades_with_silence() -> None:
    career = ledger(list(GOOD) * 5)
    values = [row(ledger([]))["confidence"], row(ledger(GOOD))["confidence"], row(career)["confidence"]]
    assert values == sorted(values)
    assert values[0] == 0
    assert row(career, AS_OF + 365 * DAY)["confidence"] < values[-1]


@few
@given(EVENTS)
def test_posterior_is_the_recursion_of_the_docs(history: Sequence[Event]) -> None:
    coded = coded_events(ledger(history), AS_OF)
    (_, state, *_, moved) = posterior(coded, POLICY, ME)
    found = evidence(coded, moved)
    for place, name in enumerate(FACTORS):
        prior = POLICY.factors[name]
        alpha, beta = prior.prior_mean * prior.prior_events, (1 - prior.prior_mean) * prior.prior_events
        for weight in found.loc[found["factor"] == name, "weight"]:
            kept = POLICY.memory ** abs(weight)
            added = (1 - kept) / (1 - POLICY.memory)
            alpha, beta = kept * alpha + added * (weight > 0), kept * beta + added * (weight < 0)
        assert (state.alpha[0, place], state.beta[0, place]) == pytest.approx((alpha, beta))


@few
@given(EVENTS)
def test_points_of_an_event_are_the_score_less_the_score_without_it(history: Sequence[Event]) -> None:
    events = ledger(history)
    coded = coded_events(events, AS_OF)
    found = evidence(coded, effects(coded, POLICY))
    points = event_points(found, POLICY).groupby(found["event_id"]).sum()
    for event_id, gained in points.items():
        without = events[events["event_id"] != event_id]
        assert gained == pytest.approx(score(events) - score(without), abs=1e-6)


@few
@given(EVENTS, st.sampled_from(["VIOLATION", "FRAUD"]), st.integers(0, 12))
def test_undone_event_never_happened(history: Sequence[Event], what: str, place: int) -> None:
    event, undo = {"VIOLATION": ("CONFIRMED", "OVERTURNED"), "FRAUD": ("CONFIRMED", "CLEARED")}[what]
    charged = with_one(history, {"event_type": f"{what}_{event}", "severity": 3.0}, place)
    undone = ledger([{"event_type": f"{what}_{undo}", "refers_to": "new"}])
    undone = undone.assign(event_id="undone", event_time=START + 20 * DAY)
    cleared = pd.concat([charged, undone], ignore_index=True)
    assert answer(cleared) == answer(ledger(history))
    assert answer(cleared, START + 19 * DAY) == answer(charged, START + 19 * DAY)


def test_only_violations_and_fraud_of_the_same_creator_can_be_undone() -> None:
    events = ledger(
        [
            {"event_type": "DEFAULTED"},
            {"event_type": "VIOLATION_CONFIRMED", "severity": 2.0},
            {"event_type": "VIOLATION_OVERTURNED", "refers_to": "e0000"},
            {"event_type": "VIOLATION_OVERTURNED", "refers_to": "e0001", "creator_id": "c2"},
            {"event_type": "FRAUD_CLEARED", "refers_to": "e0001"},
        ]
    )
    assert score(events) == score(events.head(2))


@few
@given(EVENTS, st.integers(0, 99))
def test_order_of_rows_is_irrelevant_and_inputs_stay_as_they_are(history: Sequence[Event], seed: int) -> None:
    events = ledger(history)
    shuffled = events.sample(frac=1, random_state=seed)
    before = shuffled.copy()
    assert answer(shuffled) == answer(events)
    pd.testing.assert_frame_equal(shuffled, before)


@few
@given(st.lists(EVENTS, min_size=1, max_size=3), st.integers(0, 13), st.integers(0, 400))
def test_what_was_learned_once_tells_credit_at_any_later_moment_before_more_happens(
    histories: list[Sequence[Event]], day: int, days: int
) -> None:
    events = pd.concat([ledger(history, f"c{i}") for i, history in enumerate(histories)], ignore_index=True)
    events = events.assign(event_id=events["creator_id"] + events["event_id"], received_at=START)  # all known before
    now, ids = START + day * DAY, [f"c{i}" for i in range(len(histories))]
    later = now + days * DAY
    for one in (single for group in learn(events, NOBODY, POLICY, now, ids) for single in told(group, now)):
        own = events[events["creator_id"] == one.creator_id]
        more, ends = own["event_time"].between(now, later, inclusive="right").any(), one.answer["status_until"]
        assert not (one.holds(later) and (more or (ends and pd.Timestamp(ends) <= later)))
        assert one.holds(later) or more or one.answer["order_status"] != "OPEN"
        if one.holds(later):
            assert [one.at(later)] == credit_answers(own, NOBODY, POLICY, later, [one.creator_id])


@few
@given(st.lists(EVENTS, min_size=1, max_size=4))
def test_many_creators_at_once_score_as_each_alone(histories: list[Sequence[Event]]) -> None:
    events = pd.concat([ledger(history, f"c{i}") for i, history in enumerate(histories)], ignore_index=True)
    events["event_id"] = events["creator_id"] + events["event_id"]
    ids = [f"c{i}" for i in reversed(range(len(histories)))]
    answers = credit_answers(events, NOBODY, POLICY, AS_OF, [*ids, "newcomer"])
    alone = [credit_answers(events, NOBODY, POLICY, AS_OF, [one])[0] for one in [*ids, "newcomer"]]
    assert answers == alone
    table = credit_scores(events, POLICY, AS_OF, pd.Index(ids))
    assert table.index.tolist() == ids
    for column in ("score", "stars", "band", "order_status", "confidence"):
        assert table[column].tolist() == [one[column] for one in answers[:-1]]


@few
@given(st.lists(st.sampled_from([*GOOD, *BAD, *NEUTRAL]), max_size=4), st.integers(0, 120))
def test_bounds(history: Sequence[Event], times: int) -> None:
    found = row(ledger(list(history) * times))
    assert 0 <= found["score"] <= 1000
    assert 1 <= found["stars"] <= 5
    assert 0 <= found["confidence"] <= 1


def test_flawless_and_hopeless_careers_reach_the_ends() -> None:
    flawless = [*GOOD, {"event_type": "ASSESSED", "factor": "AUTHENTICITY", "value": 1.0}]
    hopeless = [*BAD, {"event_type": "ASSESSED", "factor": "INTERACTION", "value": 0.0}]
    career = ledger(flawless * 4000).assign(event_time=START)
    assert (row(career)["score"], row(career)["stars"]) == (1000, 5)
    assert row(ledger(hopeless * 4000).assign(event_time=START))["score"] == pytest.approx(45)


def test_newcomer_is_in_the_middle_with_no_confidence_and_open() -> None:
    found = answer(schema.empty(schema.COLLABORATION_EVENTS))
    assert (found["score"], found["stars"], found["confidence"]) == (500, 3, 0)
    assert (found["order_status"], found["max_open_orders"], found["reasons"]) == ("OPEN", 5, [])
    assert [(factor["name"], factor["score"], factor["events"]) for factor in found["factors"]] == [
        (name, 500, 0) for name in FACTORS
    ]


def test_what_is_not_known_yet_does_not_count() -> None:
    events = ledger([{"event_type": "DEFAULTED", "received_at": START + 9 * DAY}])
    assert score(events, START + 9 * DAY) < score(events, START + 9 * DAY - pd.Timedelta(seconds=1)) == 500
    assert score(ledger([{"event_type": "DEFAULTED", "event_time": AS_OF + DAY}])) == 500


def test_content_is_due_as_contracted_or_as_the_last_revision_asks() -> None:
    order = {"collaboration_id": "k1"}
    contract = {"event_type": "CONTRACTED", "due_at": START + 2 * DAY} | order
    content, revision = {"event_type": "CONTENT_SUBMITTED"} | order, {"event_type": "REVISION_REQUESTED"} | order

    def codes(*events: Event) -> list[str]:
        return coded_events(ledger(list(events)), AS_OF)["code"].tolist()

    assert codes(contract, content)[1] == "CONTENT_SUBMITTED_ON_TIME"
    assert codes(contract, {"event_type": "NOTHING"}, {"event_type": "NOTHING"}, content)[3] == "CONTENT_SUBMITTED_LATE"
    assert codes(contract, content, revision, content)[3] == "CONTENT_SUBMITTED"
    assert codes(contract, content, revision | {"due_at": START}, content)[3] == "CONTENT_SUBMITTED_LATE"
    assert codes(contract, content, content, {"event_type": "PUBLISHED"} | order)[3] == "PUBLISHED_ON_TIME"


def test_severe_confirmed_conduct_suspends_until_a_date_then_limits_until_another() -> None:
    events = ledger([{"event_type": "FRAUD_CONFIRMED"}])
    during, then, after = (row(events, START + days * DAY) for days in (89, 90, 150))
    assert (during["order_status"], during["max_open_orders"]) == ("SUSPENDED", 0)
    assert during["status_until"] == START + 90 * DAY
    assert (then["order_status"], then["max_open_orders"]) == ("LIMITED", POLICY.limited_open_orders)
    assert then["status_until"] == START + 150 * DAY
    assert after["order_status"] == "OPEN"
    assert pd.isna(after["status_until"])


def test_no_score_of_a_model_suspends_and_poor_work_limits() -> None:
    assessed = ledger([{"event_type": "ASSESSED", "factor": "AUTHENTICITY", "value": 0.0}] * 60)
    assert row(assessed)["order_status"] == "OPEN"
    assert row(ledger([{"event_type": "DEFAULTED"}] * 2))["order_status"] == "OPEN"
    limited = row(ledger([{"event_type": "DEFAULTED"}] * 4))
    assert (limited["order_status"], limited["max_open_orders"]) == ("LIMITED", POLICY.limited_open_orders)


def test_cap_on_orders_is_the_smaller_of_the_creators_own_and_the_policys() -> None:
    creators = schema.conform(
        pd.DataFrame(
            {"creator_id": ["c1", "c1"], "observed_at": ["2026-02-01", "2026-01-01"], "max_open_orders": [1, 9]}
        ),
        schema.CREATORS,
    )
    limited = ledger([{"event_type": "DEFAULTED"}] * 4)
    assert credit_answers(limited, creators, POLICY, AS_OF, ["c1"])[0]["max_open_orders"] == 1
    assert credit_answers(limited, creators.tail(1), POLICY, AS_OF, ["c1"])[0]["max_open_orders"] == 2
    assert credit_answers(limited.head(0), creators, POLICY, AS_OF, ["c1"])[0]["max_open_orders"] == 1
    assert credit_answers(limited.head(0), creators.tail(1), POLICY, AS_OF, ["c1"])[0]["max_open_orders"] == 5


def test_reasons_are_the_largest_drivers_and_the_action_helps() -> None:
    found = answer(ledger([*GOOD, *BAD]))
    points = [abs(reason["points"]) for reason in found["reasons"]]
    assert len(points) == 4
    assert points == sorted(points, reverse=True)
    assert found["reasons"][0] == {
        "code": "DEFAULTED",
        "text": "Order not delivered on 2026-01-13",
        "event_id": "e0012",
        "points": -points[0],
    }
    assert found["next_best_action"]["points"] > 0
    assert json.loads(json.dumps(found)) == found
