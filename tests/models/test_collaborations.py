"""The answer of /v1/collaborations: state, next steps, who must act, what is overdue, page by page."""

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import schema
from features.collaborations import TRANSITIONS, progress
from features.errors import InputError
from features.schema import Tables
from features.source import InMemory
from models.collaborations import MOST_SHOWN, collaborations_answer
from serving.ledger_answers import CollaborationsAnswer
from tests.features.test_collaborations import joined, ledger, paths

NOW = pd.Timestamp("2026-02-01")
DUE = pd.Timestamp("2026-01-20")


def tables(*events: pd.DataFrame) -> Tables:
    """The market of one creator, c1, and a brand, b9, that has only briefs."""
    return schema.complete(
        {
            "creators": pd.DataFrame({"creator_id": ["c1"]}),
            "collaboration_events": joined(*events),
            "briefs": pd.DataFrame({"brief_id": ["q9"], "brand_id": ["b9"]}),
        }
    )


def answer(*events: pd.DataFrame, **request: Any) -> dict[str, Any]:
    return collaborations_answer(InMemory(tables(*events)), request or {"creator_ids": ["c1"]}, NOW)


def one(events: pd.DataFrame) -> dict[str, Any]:
    [found] = answer(events)["results"]
    return found


def test_a_contract_awaits_content_and_says_since_when() -> None:
    found = one(ledger("INVITED", "ACCEPTED", "CONTRACTED", brand_id="b1", due_at=[None, None, DUE]))
    history = found.pop("history")
    assert found == {
        "collaboration_id": "k1",
        "creator_id": "c1",
        "brand_id": "b1",
        "brief_id": None,
        "state": "CONTRACTED",
        "incomplete": False,
        "next_legal": ["CONTENT_SUBMITTED", "CANCELLED_BY_BRAND", "CANCELLED_BY_CREATOR", "DEFAULTED"],
        "awaited": "CONTENT_SUBMITTED",
        "must_act": "CREATOR",
        "due_at": "2026-01-20T00:00:00",
        "overdue_days": 12.0,
        "events": 3,
    }
    assert [(event["event_type"], event["event_time"]) for event in history] == [
        ("INVITED", "2026-01-01T00:00:00"), ("ACCEPTED", "2026-01-02T00:00:00"), ("CONTRACTED", "2026-01-03T00:00:00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("history", "must_act"),
    [
        (["INVITED"], "CREATOR"),
        (["INVITED", "ACCEPTED"], "BRAND"),
        (["CONTRACTED", "CONTENT_SUBMITTED"], "BRAND"),
        (["CONTENT_SUBMITTED", "REVISION_REQUESTED"], "CREATOR"),
        (["CONTENT_APPROVED"], "CREATOR"),
        (["PUBLISHED", "METRICS_REPORTED"], "BRAND"),
        (["PUBLISHED", "RATED", "SETTLED"], None),
        (["DECLINED"], None),
        (["RATED"], None),
    ],
)
def test_who_must_act(history: list[str], must_act: str | None) -> None:
    assert one(ledger(*history))["must_act"] == must_act


def test_a_delivery_says_when_it_was_due_itself_and_a_revision_without_a_date_takes_the_contracts_away() -> None:
    contract = ledger("CONTRACTED", due_at=DUE)
    for later in (
        ledger("CONTENT_SUBMITTED", start=1, due_at=DUE),
        ledger("CONTENT_SUBMITTED", "REVISION_REQUESTED", start=1),
        ledger("PUBLISHED", start=1, due_at=DUE),
        ledger("SETTLED", start=1, due_at=DUE),
    ):
        found = one(joined(contract, later))
        assert (found["due_at"], found["overdue_days"]) == (None, None)


def test_what_is_due_now_or_later_is_not_overdue() -> None:
    for due in (NOW, NOW + pd.Timedelta(days=1)):
        found = one(ledger("CONTRACTED", due_at=due))
        assert (found["due_at"], found["overdue_days"]) == (due.isoformat(), None)


@settings(max_examples=15, deadline=None)
@given(st.lists(paths().filter(bool), min_size=1, max_size=4), st.integers(1, 3))
def test_pages_show_every_collaboration_once_with_what_the_machine_says(histories: list[list[str]], size: int) -> None:
    events = joined(*(ledger(*history, key=f"k{i}") for i, history in enumerate(histories)))
    shuffled = events.sample(frac=1, random_state=1)
    found, token = [], ""
    while token is not None:
        page = answer(shuffled, creator_ids=["c1"], page_size=size, **({"page_token": token} if token else {}))
        CollaborationsAnswer.model_validate_json(json.dumps(page, allow_nan=False))
        found, token = found + page["results"], page["next_page_token"]
    assert [row["collaboration_id"] for row in found] == [f"k{i}" for i in range(len(histories))]
    for row, history in zip(found, histories, strict=True):
        assert row["next_legal"] == list(progress(history).legal())
        assert row["awaited"] is None or row["awaited"] in TRANSITIONS[row["state"]]
        assert [event["event_type"] for event in row["history"]] == history


def test_a_history_of_any_length_is_counted_and_its_end_shown() -> None:
    found = one(ledger(*["METRICS_REPORTED"] * (MOST_SHOWN + 5)))
    assert (found["events"], len(found["history"])) == (MOST_SHOWN + 5, MOST_SHOWN)
    assert found["history"][-1]["event_id"] == f"k1-{MOST_SHOWN + 4}"


def test_each_way_of_asking_finds_whole_collaborations() -> None:
    unsigned = joined(ledger("INVITED", brand_id="b1"), ledger("ACCEPTED", start=1))
    for field, value in (("collaboration_ids", "k1"), ("creator_ids", "c1"), ("brand_ids", "b1")):
        [found] = answer(unsigned, ledger("TRAINING_PASSED", key="k3"), **{field: [value]})["results"]
        assert (found["collaboration_id"], found["events"]) == ("k1", 2)
    assert answer(unsigned, brand_ids=["b9"])["results"] == []


@pytest.mark.parametrize(
    ("request_", "field", "code"),
    [
        ({"collaboration_ids": ["k1", "k2"]}, "collaboration_ids", "NOT_FOUND"),
        ({"creator_ids": ["c1", "c2"]}, "creator_ids", "NOT_FOUND"),
        ({"brand_ids": ["b2"]}, "brand_ids", "NOT_FOUND"),
        ({"creator_ids": ["c1"], "brand_ids": ["b9"]}, "brand_ids", "INVALID_ARGUMENT"),
        ({"page_size": 3}, "collaboration_ids", "INVALID_ARGUMENT"),
    ],
)
def test_a_mistake_names_its_field(request_: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        answer(ledger("INVITED", brand_id="b1"), **request_)
    assert (caught.value.details[0]["field"], caught.value.code) == (field, code)
