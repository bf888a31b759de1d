"""Appeals in /v1/credit: open, overdue, decided, and what was decided agrees with the score."""

import json
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from models.credit import credit_answers
from models.credit_appeals import MOST_APPEALS
from serving.ledger_answers import CreditAnswer
from tests.models.test_credit import AS_OF, DAY, NOBODY, POLICY, START, Event, few, ledger, score

FINDING = {"event_type": "VIOLATION_CONFIRMED", "severity": 2.0, "violation_type": "COPYRIGHT", "note": "Song at 0:12"}
OPENED = {"event_type": "APPEAL_OPENED", "refers_to": "e0000", "note": "I hold a licence"}
DECIDED = {"event_type": "APPEAL_DECIDED", "refers_to": "e0000", "note": "The licence had ended"}
OVERTURNED = {"event_type": "VIOLATION_OVERTURNED", "refers_to": "e0000"}


def appeals(events: pd.DataFrame, as_of: pd.Timestamp = AS_OF) -> list[dict[str, Any]]:
    found = credit_answers(events, NOBODY, POLICY, as_of, ["c1"])
    CreditAnswer.model_validate_json(json.dumps({"results": found}, allow_nan=False))
    return found[0]["appeals"]


def test_an_open_appeal_says_what_it_is_about_and_until_when_it_is_to_be_decided() -> None:
    [found] = appeals(ledger([FINDING, OPENED]), START + 2 * DAY)
    assert found == {
        "appeal_id": "e0001",
        "state": "OPEN",
        "outcome": None,
        "opened_at": "2026-01-02T00:00:00",
        "deadline": "2026-01-16T00:00:00",
        "decided_at": None,
        "overdue_days": None,
        "finding": {
            "event_id": "e0000",
            "event_type": "VIOLATION_CONFIRMED",
            "event_time": "2026-01-01T00:00:00",
            "text": "Violation confirmed on 2026-01-01",
            "violation_type": "COPYRIGHT",
            "note": "Song at 0:12",
        },
        "statement": "I hold a licence",
        "decision": None,
    }


def test_an_appeal_is_overdue_after_its_deadline_and_never_once_decided() -> None:
    deadline = START + DAY + POLICY.appeal_days * DAY
    states = [appeals(ledger([FINDING, OPENED]), deadline + days * DAY)[0] for days in (0, 3)]
    assert [(one["state"], one["overdue_days"]) for one in states] == [("OPEN", None), ("OVERDUE", 3.0)]
    [decided] = appeals(ledger([FINDING, OPENED, DECIDED]))
    assert (decided["state"], decided["outcome"], decided["overdue_days"]) == ("DECIDED", "CONFIRMED", None)
    assert (decided["decided_at"], decided["decision"]) == ("2026-01-03T00:00:00", "The licence had ended")


@few
@given(st.permutations([DECIDED, OVERTURNED]), st.booleans())
def test_outcome_and_score_agree(ends: list[Event], both: bool) -> None:
    """Overturned is the outcome exactly where the finding no longer counts; the finding stays there to be read."""
    events = ledger([FINDING, OPENED, *ends[: 1 + both]])
    [found] = appeals(events)
    assert found["state"] == "DECIDED"
    assert (found["outcome"] == "OVERTURNED") == (score(events) == 500)
    assert found["finding"]["text"] == "Violation confirmed on 2026-01-01"


def test_what_was_not_known_then_is_not_told() -> None:
    decided = DECIDED | {"received_at": START + 9 * DAY}
    assert appeals(ledger([FINDING, OPENED, decided]), START + 5 * DAY)[0]["state"] == "OPEN"
    assert appeals(ledger([FINDING, OPENED, decided]), START) == []


def test_an_appeal_against_what_the_ledger_does_not_know_has_a_finding_of_nulls() -> None:
    [found] = appeals(ledger([OPENED | {"refers_to": "gone"}]))
    assert found["finding"] == {
        "event_id": "gone", "event_type": None, "event_time": None, "text": None, "violation_type": None, "note": None,
    }  # fmt: skip


def test_the_latest_appeals_come_first_and_are_bounded() -> None:
    events = ledger([FINDING, *[OPENED, DECIDED] * (MOST_APPEALS + 1)])
    found = appeals(events)
    assert len(found) == MOST_APPEALS
    assert [one["opened_at"] for one in found] == sorted((one["opened_at"] for one in found), reverse=True)
