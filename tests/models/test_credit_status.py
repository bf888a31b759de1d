"""Who may take orders, and how many: findings, their repetition, the way back, and the milestones of newcomers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.appeals import UNDONE_BY
from models.credit import credit_scores
from models.credit_policy import Milestone, Repetition
from tests.models.test_credit import AS_OF, BAD, DAY, GOOD, ME, NEUTRAL, POLICY, START, Event, answer, few, ledger, row

SPAM: Event = {"event_type": "VIOLATION_CONFIRMED", "violation_type": "SPAM"}
SEVERE: Event = {"event_type": "VIOLATION_CONFIRMED", "severity": 3.0}
TRAINING: Event = {"event_type": "TRAINING_PASSED"}
SETTLED: Event = {"event_type": "SETTLED"}


def at(event: Event, day: float) -> Event:
    return {**event, "event_time": START + day * DAY}


def status(events: Sequence[Event], day: float, **changed: Any) -> str:
    found = credit_scores(ledger(events), replace(POLICY, **changed), START + day * DAY, ME)
    return str(found.iloc[0]["order_status"])


def test_the_sixth_violation_of_one_type_within_90_days_suspends() -> None:
    assert status([SPAM] * 5, 6) == "OPEN"
    assert status([SPAM] * 6, 6) == "SUSPENDED"
    assert status([SPAM] * 5 + [{**SPAM, "violation_type": "HATE"}], 6) == "OPEN"
    assert status([{"event_type": "VIOLATION_CONFIRMED"}] * 6, 6) == "OPEN"
    assert status([at(SPAM, 18 * place) for place in range(6)], 90) == "SUSPENDED"
    assert status([at(SPAM, 18.1 * place) for place in range(6)], 91) == "OPEN"


def test_an_overturned_violation_is_none_of_the_six() -> None:
    overturned = {"event_type": "VIOLATION_OVERTURNED", "refers_to": "e0002"}
    assert status([*[SPAM] * 6, overturned], 7) == "OPEN"
    assert status([*[SPAM] * 6, overturned, SPAM], 8) == "SUSPENDED"


def test_training_ends_the_suspension_for_repeated_violations_and_no_other() -> None:
    assert status([*[SPAM] * 6, at(TRAINING, 10)], 9.9) == "SUSPENDED"
    assert status([*[SPAM] * 6, at(TRAINING, 10)], 10) == "LIMITED"
    assert status([TRAINING, *[SPAM] * 6], 9) == "SUSPENDED"
    assert status([SEVERE, TRAINING], 5) == "SUSPENDED"
    assert status([*[SPAM] * 6, SEVERE, at(TRAINING, 10)], 12) == "SUSPENDED"


def test_the_action_that_helps_most_is_the_one_that_ends_the_suspension() -> None:
    trained = [TRAINING] * 12
    events = ledger([*trained, *[SPAM] * 6])
    during, after = (answer(events, START + day * DAY) for day in (18, 82))
    assert (during["order_status"], during["next_best_action"]["code"]) == ("SUSPENDED", "TRAINING_PASSED")
    assert during["next_best_action"]["points"] < after["next_best_action"]["points"]
    assert after["next_best_action"]["code"] == "PUBLISHED_ON_TIME"
    severe = answer(ledger([*trained, SEVERE]), START + 12 * DAY)
    assert (severe["order_status"], severe["next_best_action"]["code"]) == ("SUSPENDED", "PUBLISHED_ON_TIME")


def test_after_a_suspension_orders_are_limited_until_a_date_or_until_good_work() -> None:
    assert [status([SEVERE], day) for day in (0, 29.9, 30, 89.9, 90)] == ["SUSPENDED"] * 2 + ["LIMITED"] * 2 + ["OPEN"]
    assert status([SEVERE, SETTLED, SETTLED], 31) == "LIMITED"
    assert status([SEVERE, SETTLED, SETTLED, SETTLED], 29) == "SUSPENDED"
    assert status([SEVERE, SETTLED, SETTLED, SETTLED], 31) == "OPEN"
    assert status([SETTLED, SETTLED, SETTLED, at(SEVERE, 3)], 34) == "LIMITED"


def test_a_policy_may_limit_at_once_for_repeated_violations() -> None:
    lenient = {"suspension_days": {"REPEATED_VIOLATION": 0}, "repeated_violation": Repetition(2, 10)}
    assert status([SPAM, SPAM], 1, **lenient) == "LIMITED"
    assert status([SPAM, SPAM], 61, **lenient) == "OPEN"


@few
@given(st.lists(st.sampled_from([*GOOD, *BAD, *NEUTRAL, SPAM, SPAM, SPAM]), max_size=20))
def test_a_suspension_needs_a_finding_has_its_end_and_comes_to_it(history: Sequence[Event]) -> None:
    now = row(ledger(history), START + len(history) * DAY)
    if now["order_status"] != "SUSPENDED":
        return
    assert {event["event_type"] for event in history} & {*UNDONE_BY}
    assert now["status_until"] <= START + (len(history) + max(POLICY.suspension_days.values())) * DAY
    assert row(ledger(history), now["status_until"])["order_status"] != "SUSPENDED"


@few
@given(st.lists(st.sampled_from([*GOOD, *NEUTRAL, *[one for one in BAD if one["event_type"] not in UNDONE_BY]])))
def test_without_a_finding_nobody_is_suspended(history: Sequence[Event]) -> None:
    assert row(ledger(history))["order_status"] != "SUSPENDED"


@pytest.mark.parametrize(("settled", "most"), [(0, 5), (2, 5), (3, 10), (9, 10), (10, None)])
def test_how_many_orders_may_be_open_grows_with_those_settled(settled: int, most: float | None) -> None:
    found = row(ledger([SETTLED] * settled))
    assert found["order_status"] == "OPEN"
    assert (None if pd.isna(found["max_open_orders"]) else found["max_open_orders"]) == most


def test_the_limit_and_the_milestone_both_hold() -> None:
    policy = replace(POLICY, milestones=(Milestone(0, 1), Milestone(1, 3)))
    for settled, most in ((0, 1), (1, 2)):
        events = ledger([*[SETTLED] * settled, *[{"event_type": "DEFAULTED"}] * 4])
        assert credit_scores(events, policy, AS_OF, ME).iloc[0]["max_open_orders"] == most


def test_the_third_default_within_180_days_limits_whatever_was_built_up() -> None:
    built_up = [at({"event_type": "SETTLED"}, day / 10) for day in range(400)]
    default: Event = {"event_type": "DEFAULTED"}
    assert status([*built_up, *[at(default, day) for day in (100, 110)]], 111) == "OPEN"
    assert status([*built_up, *[at(default, day) for day in (100, 190, 280)]], 280) == "LIMITED"
    assert status([*built_up, *[at(default, day) for day in (100, 190, 281)]], 281) == "OPEN"
    assert status([*built_up, *[at(default, 100 + day) for day in range(3)]], 161.9) == "LIMITED"
    assert status([*built_up, *[at(default, 100 + day) for day in range(3)]], 162) == "OPEN"
