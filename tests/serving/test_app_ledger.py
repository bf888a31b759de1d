"""Events, histories and what if, over the fake engine: each counted once, whoever waits beside it."""

import time
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from features.tables import read_tables
from features.validation import wall_clock
from serving.app import WRITERS
from serving.opening import url_of
from tests.serving.fakes import AS_OF, FakeEngine, error_of, make_client, make_store, open_store_at


def test_events_are_counted_answered_one_by_one_and_known_after_a_restart(tmp_path):
    engine = FakeEngine()
    client = make_client(tmp_path, engine=engine)
    first = {"event_id": "e1", "creator_id": "ana", "event_type": "INVITED", "event_time": "2025-05-01T00:00:00Z"}
    first |= {"collaboration_id": "k", "brand_id": "b"}
    batch = [first, first, first | {"event_id": "e2", "creator_id": "nobody"}]
    answer = client.post("/v1/events", json={"events": batch}).json()
    assert {name: answer[name] for name in ("accepted", "duplicates", "rejected")} == {
        "accepted": 1,
        "duplicates": 1,
        "rejected": 1,
    }
    assert [(one["event_id"], one["status"], one["error"] is None) for one in answer["results"]] == [
        ("e1", "ACCEPTED", True),
        ("e1", "DUPLICATE", True),
        ("e2", "REJECTED", False),
    ]
    assert engine.events == ["e1"]
    again = make_client(tmp_path).post("/v1/events", json={"events": [first]}).json()
    assert again["duplicates"] == 1


def test_an_event_is_known_from_its_receipt_on_unless_it_says_when_it_was_received(tmp_path):
    client = make_client(tmp_path)
    event = {"creator_id": "ana", "event_type": "INVITED", "event_time": "2025-06-02T00:00:00Z", "brand_id": "b"}
    told = {"event_id": "told", "collaboration_id": "k1", "received_at": "2025-06-03T00:00:00Z"}
    before = wall_clock()
    body = {"events": [event | {"event_id": "new", "collaboration_id": "k2"}, event | told], "backfill": True}
    assert client.post("/v1/events", json=body).json()["accepted"] == 2
    stored = read_tables(url_of(tmp_path / "store.sqlite"))["collaboration_events"]
    received = stored.set_index("event_id")["received_at"]
    assert before <= received["new"] <= wall_clock()
    assert received["told"] == pd.Timestamp("2025-06-03")


def test_what_if_takes_what_the_ledger_would_and_writes_nothing(tmp_path):
    engine = FakeEngine()
    client = make_client(tmp_path, engine=engine)

    def ask(*kinds: str, **more: object):
        events = [{"event_type": kind, "collaboration_id": "k"} | more for kind in kinds]
        return client.post("/v1/credit/what_if", json={"creator_id": "ana", "events": events})

    assert ask("INVITED", "ACCEPTED").json()["events"] == ["what-if-0", "what-if-1"]
    refused = ask("INVITED", "SETTLED")
    assert error_of(refused) == (400, "INVALID_ARGUMENT", "events.1.event_type")
    assert "legal: ACCEPTED, DECLINED, CANCELLED_BY_BRAND" in refused.text
    assert error_of(ask("ASSESSED", factor="AUTHENTICITY", value=1))[2] == "events.0.event_type"
    assert error_of(ask("INVITED", event_time="2199-01-01T00:00:00Z"))[2] == "events.0.event_time"
    assert engine.events == []
    assert read_tables(url_of(tmp_path / "store.sqlite"))["collaboration_events"].empty
    unknown = client.post("/v1/credit/what_if", json={"creator_id": "nobody", "events": [{"event_type": "INVITED"}]})
    assert error_of(unknown) == (404, "NOT_FOUND", "creator_id")


def test_a_history_comes_in_pages_that_speak_of_the_moments_of_the_first(tmp_path):
    engine = FakeEngine()
    client = make_client(tmp_path, engine=engine)
    asked = {"creator_id": "ana", "page_size": 2}
    pages = [client.post("/v1/credit/history", json=asked).json()]
    while token := pages[-1]["next_page_token"]:
        engine.as_of += pd.Timedelta(days=1)
        pages.append(client.post("/v1/credit/history", json=asked | {"page_token": token}).json())
    assert [page["results"] for page in pages] == [[0, 1], [2, 3], [4]]
    assert {page["as_of"] for page in pages} == {AS_OF.isoformat()}


@pytest.mark.parametrize(
    "token", ["x", "~~", "2025-01-01~2025-01-01~-1", "2025-01-01T00:00:00Z~NaT~1", "9999-01-01~x~1"]
)
def test_a_history_token_that_no_answer_gave_is_refused(tmp_path, token):
    answer = make_client(tmp_path).post("/v1/credit/history", json={"creator_id": "ana", "page_token": token})
    assert error_of(answer) == (400, "INVALID_ARGUMENT", "page_token")


def test_requests_that_wait_together_are_answered_each_with_its_own(tmp_path):
    client, other = make_client(tmp_path), open_store_at(make_store(tmp_path))
    same = {"creator_id": "ana", "event_type": "TRAINING_PASSED", "event_time": "2025-05-01"}
    stranger = same | {"event_id": "stranger", "creator_id": "nobody"}
    batches = [[same | {"event_id": f"e{i}"}, stranger, same | {"event_id": "shared"}] for i in range(6)]
    with ThreadPoolExecutor(len(batches)) as callers:
        with other.writing():
            sent = [callers.submit(client.post, "/v1/events", json={"events": batch}) for batch in batches]
            time.sleep(0.5)
        answers = [one.result().json() for one in sent]
    told = [[(one["event_id"], one["status"]) for one in answer["results"]] for answer in answers]
    assert [one[:2] for one in told] == [[(f"e{i}", "ACCEPTED"), ("stranger", "REJECTED")] for i in range(6)]
    assert sorted(one[2][1] for one in told) == ["ACCEPTED"] + ["DUPLICATE"] * 5
    assert sorted(answer["accepted"] for answer in answers) == [1] * 5 + [2]


def test_reads_do_not_wait_behind_writes(tmp_path):
    client, other = make_client(tmp_path), open_store_at(make_store(tmp_path))
    event = {"event_id": "e", "creator_id": "ana", "event_type": "TRAINING_PASSED", "event_time": "2025-05-01"}
    with ThreadPoolExecutor(WRITERS) as callers:
        with other.writing():
            writes = [callers.submit(client.post, "/v1/events", json={"events": [event]}) for _ in range(WRITERS)]
            time.sleep(0.5)
            assert client.post("/v1/credit", json={"creator_ids": ["ana"]}).status_code == 200
            assert not any(write.done() for write in writes)
        assert sum(write.result().json()["accepted"] for write in writes) == 1


def test_an_event_that_what_if_is_told_twice_or_the_ledger_knows_counts_once(tmp_path):
    client = make_client(tmp_path)
    passed = {"event_id": "e", "event_type": "TRAINING_PASSED", "event_time": "2025-05-01T00:00:00Z"}
    asked = {"creator_id": "ana", "events": [passed, passed]}
    assert client.post("/v1/credit/what_if", json=asked).json()["events"] == ["e"]
    client.post("/v1/events", json={"events": [passed | {"creator_id": "ana"}]})
    assert client.post("/v1/credit/what_if", json=asked).json()["events"] == []
