"""What changed credit and by how much: the replay equals the closed form at every moment."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.appeals import UNDOES
from models.credit import credit_answers
from models.credit_history import PROBATION_ENDED, SHOWN, SUSPENSION_ENDED, history_answer, what_if_answer
from models.credit_succession import POLICY_CHANGED
from models.credit_texts import CHANGES
from serving.ledger_answers import HistoryAnswer
from tests.models.test_credit import AS_OF, BAD, DAY, EVENTS, GOOD, NEUTRAL, NOBODY, POLICY, START, Event, few, ledger

NEWCOMER = {"score": 500.0, "stars": 3, "band": "GOOD", "order_status": "OPEN"}
UNDOING: Sequence[Event] = [
    {"event_type": kind, "refers_to": f"e{place:04}"} for kind in UNDOES for place in range(6)
]  # fmt: skip
OFFENCES: Sequence[Event] = [
    {"event_type": "VIOLATION_CONFIRMED", "violation_type": kind} for kind in ("COPYRIGHT", "COPYRIGHT", "SPAM")
]
ANY = st.one_of(
    st.lists(st.sampled_from([*GOOD, *BAD, *NEUTRAL, *UNDOING]), max_size=12),
    st.lists(st.sampled_from([*OFFENCES * 4, *UNDOING, {"event_type": "TRAINING_PASSED"}]), min_size=7, max_size=12),
)


def history(events: pd.DataFrame, as_of: pd.Timestamp = AS_OF, known_by: pd.Timestamp = AS_OF) -> list[dict[str, Any]]:
    found = history_answer(events, POLICY, as_of, known_by, "c1")
    HistoryAnswer.model_validate_json(json.dumps(found | {"next_page_token": None}, allow_nan=False))
    return found["results"]


def shown(events: pd.DataFrame, as_of: pd.Timestamp, known_by: pd.Timestamp) -> dict[str, Any]:
    found = credit_answers(events, NOBODY, POLICY, as_of, ["c1"], known_by)[0]
    return {name: found[name] for name in SHOWN}


@few
@given(ANY, st.lists(st.integers(0, 30), min_size=12, max_size=12), st.integers(0, 40))
def test_replay_is_credit_at_every_moment(kinds: list[Event], delays: list[int], known_days: int) -> None:
    """With events that come late, are undone before or after they come, and suspensions that end."""
    events = ledger(kinds)
    received = events["event_time"] + pd.to_timedelta(delays[: len(events)], unit="D")
    events = events.assign(received_at=received.astype("datetime64[us]"))
    known_by, changes = START + known_days * DAY, history(events, AS_OF, START + known_days * DAY)
    ends = [START + days * DAY for days in (30, 31, 40, 89, 90, 95, 102, 149, 150)]
    for moment in [*(START + day * DAY for day in range(-1, len(events))), *ends, AS_OF]:
        last = next((one["after"] for one in reversed(changes) if pd.Timestamp(one["at"]) <= moment), NEWCOMER)
        assert last == shown(events, moment, known_by)


def test_a_finding_that_the_policy_has_no_weight_for_may_be_overturned() -> None:
    found: Event = {"event_type": "VIOLATION_CONFIRMED", "severity": 5}  # a dataset with it is served, with a warning
    overturned: Event = {"event_type": "VIOLATION_OVERTURNED", "refers_to": "e0000"}
    assert history(ledger([found, overturned])) == []


@few
@given(ANY, st.integers(0, 99))
def test_changes_follow_each_other_add_up_and_do_not_depend_on_the_order_of_rows(kinds: list[Event], seed: int) -> None:
    events = ledger(kinds)
    changes = history(events)
    assert history(events.sample(frac=1, random_state=seed)) == changes
    assert [one["at"] for one in changes] == sorted(one["at"] for one in changes)
    before = [NEWCOMER, *(one["after"] for one in changes)]
    assert [one["before"] for one in changes] == before[:-1]
    assert all(one["before"] != one["after"] for one in changes)
    assert sum(one["points"] for one in changes) == pytest.approx(before[-1]["score"] - 500, abs=1e-6)
    assert history(events, START + 3 * DAY) == [one for one in changes if pd.Timestamp(one["at"]) <= START + 3 * DAY]


def test_a_change_names_its_event() -> None:
    [change] = history(ledger([{"event_type": "DECLINED"}, {"event_type": "DEFAULTED", "collaboration_id": "k1"}]))
    assert change == {
        "at": "2026-01-02T00:00:00",
        "code": "DEFAULTED",
        "text": "Order not delivered on 2026-01-02",
        "event_id": "e0001",
        "event_type": "DEFAULTED",
        "refers_to": None,
        "collaboration_id": "k1",
        "policy_version": POLICY.version,
        "points": -64.5,
        "before": NEWCOMER,
        "after": shown(ledger([{"event_type": "DECLINED"}, {"event_type": "DEFAULTED"}]), AS_OF, AS_OF),
    }


def test_a_suspension_ends_by_itself_and_an_overturned_one_at_once() -> None:
    severe = {"event_type": "VIOLATION_CONFIRMED", "severity": 3.0}
    changes = history(ledger([severe]))
    assert [one["after"]["order_status"] for one in changes] == ["SUSPENDED", "LIMITED", "OPEN"]
    assert [(one["code"], one["at"], one["points"]) for one in changes[1:]] == [
        (SUSPENSION_ENDED, "2026-01-31T00:00:00", 0),
        (PROBATION_ENDED, "2026-04-01T00:00:00", 0),
    ]
    assert {one["event_id"] for one in changes} == {"e0000"}
    undone = history(ledger([severe, {"event_type": "VIOLATION_OVERTURNED", "refers_to": "e0000"}]))
    assert [one["code"] for one in undone] == ["VIOLATION_CONFIRMED_3", "VIOLATION_OVERTURNED"]
    assert undone[-1]["after"] == NEWCOMER


def test_everything_that_can_change_credit_has_its_words() -> None:
    assert set(CHANGES) == {*UNDOES, SUSPENSION_ENDED, PROBATION_ENDED, POLICY_CHANGED}


def test_a_newcomer_has_no_history() -> None:
    assert history(ledger([])) == []


def test_a_long_history_takes_time_in_proportion() -> None:
    """Ten thousand events, every tenth a violation that is overturned five events later: well under a second each
    thousand even on a busy machine, where a replay from the start for each would take minutes."""
    career = [GOOD[place % len(GOOD)] for place in range(10_000)]
    for place in range(0, 10_000, 10):
        career[place] = {"event_type": "VIOLATION_CONFIRMED", "severity": 2.0}
        career[place + 5] = {"event_type": "VIOLATION_OVERTURNED", "refers_to": f"e{place:04}"}
    events = ledger(career).assign(event_time=START + pd.to_timedelta(range(10_000), unit="min"))
    began = time.process_time()
    changes = history(events)
    assert time.process_time() - began < 10
    assert changes[-1]["after"] == shown(events, AS_OF, AS_OF)


@few
@given(EVENTS, st.sampled_from([*GOOD, *BAD]))
def test_what_if_is_what_would_be(kinds: list[Event], event: Event) -> None:
    events, as_of = ledger(kinds), START + 20 * DAY
    further = ledger([event]).assign(event_id="new", event_time=as_of)
    before = events.copy()
    found = what_if_answer(events, further, NOBODY, POLICY, as_of, "c1")
    pd.testing.assert_frame_equal(events, before)
    assert [found["before"]] == credit_answers(events, NOBODY, POLICY, as_of, ["c1"])
    assert [found["after"]] == credit_answers(pd.concat([events, further]), NOBODY, POLICY, as_of, ["c1"])
    assert found["points"] == pytest.approx(found["after"]["score"] - found["before"]["score"])
