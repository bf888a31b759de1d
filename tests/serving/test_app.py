"""The application over the fake engine: routes, keys, writes, and bodies that nobody should send."""

import asyncio
import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from features.errors import InputError
from features.tables import read_tables
from features.validation import wall_clock
from serving.answers import ErrorAnswer
from serving.app import LARGEST_BODY, MOST_WAITING, THREADS, WRITERS, Pool
from serving.auth import Auth, Key, hash_key
from serving.opening import url_of
from tests.serving.fakes import AS_OF, FakeEngine, make_client, make_store, open_store_at
from training.examples import ranking_examples

JSON = {"content-type": "application/json"}
PATHS = (
    "/v1/creators/rank", "/v1/creators/search", "/v1/creators/similar", "/v1/creators/profile",
    "/v1/creators/upsert", "/v1/creators/delete", "/v1/feedback", "/v1/fraud/score", "/v1/fraud/accounts",
    "/v1/fraud/comments", "/v1/fraud/queue", "/v1/fraud/policies/simulate", "/v1/fraud/labels", "/v1/credit",
    "/v1/credit/history", "/v1/credit/what_if", "/v1/credit/assess", "/v1/events", "/v1/collaborations", "/v1/models",
)  # fmt: skip


WHOLE = {"creator_id": "ana", "dimension": "gender", "bucket": "FEMALE", "share": 1}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return make_client(tmp_path_factory.mktemp("service"))


def error_of(answer) -> tuple[int, str, str]:
    error = ErrorAnswer.model_validate_json(answer.content).error
    return answer.status_code, error.code, error.details[0].field if error.details else ""


def examples(client: TestClient) -> dict[str, object]:
    document = client.get("/docs.json").json()
    return {path: _example(document, item["post"]) for path, item in document["paths"].items()}


def _example(document, operation) -> object:
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return document["components"]["schemas"][name]["example"]


def test_openapi_lists_every_route_and_its_examples_are_valid_requests(client):
    assert tuple(examples(client)) == PATHS
    for path, example in examples(client).items():
        assert client.post(path, json=example).status_code in (200, 404), path


def test_every_reference_in_openapi_leads_somewhere(client):
    text = client.get("/docs.json").text
    document = json.loads(text)
    for part in text.split('"$ref":"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in document["components"]["schemas"]


def test_the_page_names_the_service_and_its_routes(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert all(path in page.text for path in (*PATHS, "/docs.json"))


def test_the_engine_is_asked_exactly_what_was_sent_without_nulls(client):
    brief = {"title": "قهوة ☕ 咖啡", "budget": None, "content_labels": ["food"]}
    asked = client.post("/v1/creators/rank", json={"brief": brief, "seed": 7}).json()["asked"]
    assert asked == {"brief": {"title": brief["title"], "content_labels": ["food"]}, "seed": 7}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/creators/rank", '{"brief": {}, "limt": 5}', "limt"),
        ("/v1/creators/rank", '{"brief": {"colour": "red"}}', "brief.colour"),
        ("/v1/creators/rank", '{"brief": {"budget": NaN}}', "brief.budget"),
        ("/v1/creators/rank", '{"brief": {"budget": -Infinity}}', "brief.budget"),
        ("/v1/creators/rank", '{"brief": {"budget": 1e999}}', "brief.budget"),
        ("/v1/creators/rank", '{"brief": {"title": "a\\u0000b"}}', "brief.title"),
        ("/v1/creators/rank", '{"brief": {"title": "\\ud800"}}', ""),
        ("/v1/creators/rank", '{"brief": {}, "limit": 201}', "limit"),
        ("/v1/creators/rank", '{"brief": {}, "limit": "20"}', "limit"),
        ("/v1/creators/rank", '{"brief": {}, "filters": {"country_codes": ["XX"]}}', "filters.country_codes.0"),
        ("/v1/creators/rank", "{}", "brief"),
        ("/v1/creators/rank", "", ""),
        ("/v1/creators/rank", "[]", ""),
        ("/v1/creators/rank", '{"brief": {}', ""),
        ("/v1/creators/rank", "[" * 100_000, ""),
        ("/v1/creators/search", '{"sort": "BEAUTY"}', "sort"),
        ("/v1/creators/profile", '{"creator_ids": []}', "creator_ids"),
        ("/v1/creators/similar", '{"creator_ids": ["1", "2", "3", "4", "5", "6"]}', "creator_ids"),
        ("/v1/events", '{"events": [{"event_id": "e"}]}', "events.0.creator_id"),
        ("/v1/fraud/accounts", '{"accounts": []}', "accounts"),
        ("/v1/fraud/accounts", '{"accounts": [{}]}', "accounts.0.account_id"),
        (
            "/v1/fraud/accounts",
            '{"accounts": [{"account_id": "a", "followers_count": -1}]}',
            "accounts.0.followers_count",
        ),
        ("/v1/fraud/accounts", '{"accounts": [{"account_id": "a"}], "base_rate": 1}', "base_rate"),
        ("/v1/fraud/comments", '{"comments": [{"video_id": "v"}]}', "comments.0.comment_text"),
        ("/v1/fraud/comments", '{"comments": [{"comment_text": "a", "likes": 1}]}', "comments.0.likes"),
        ("/v1/fraud/comments", json.dumps({"comments": [{"comment_text": "a"}] * 1001}), "comments"),
        ("/v1/collaborations", '{"brand_ids": []}', "brand_ids"),
        ("/v1/credit/history", "{}", "creator_id"),
        ("/v1/credit/what_if", '{"creator_id": "ana", "events": []}', "events"),
        ("/v1/credit/what_if", '{"creator_id": "ana", "events": [{}]}', "events.0.event_type"),
        (
            "/v1/credit/what_if",
            '{"creator_id": "ana", "events": [{"event_type": "RATED", "creator_id": "bo"}]}',
            "events.0.creator_id",
        ),
        ("/v1/collaborations", '{"brand_ids": ["b"], "page_size": 201}', "page_size"),
        ("/v1/feedback", '{"items": [{"creator_id": "a"}]}', "ranking_id"),
        ("/v1/feedback", '{"ranking_id": "r", "items": []}', "items"),
        ("/v1/feedback", '{"ranking_id": "r", "items": [{"creator_id": "a", "position": 0}]}', "items.0.position"),
    ],
)
def test_a_bad_body_is_a_400_that_names_the_field(client, path, body, field):
    assert error_of(client.post(path, content=body, headers=JSON)) == (400, "INVALID_ARGUMENT", field)


def test_five_megabytes_are_a_413_and_the_limit_itself_is_not(client):
    body = json.dumps({"brief": {"description": "x" * 5_000_000}})
    assert error_of(client.post("/v1/creators/rank", content=body, headers=JSON)) == (413, "TOO_LARGE", "body")
    padded = b'{"brief": {}}'.ljust(LARGEST_BODY)
    assert client.post("/v1/creators/rank", content=padded, headers=JSON).status_code == 200
    assert client.post("/v1/creators/rank", content=padded + b" ", headers=JSON).status_code == 413


def test_other_content_types_routes_and_methods_have_the_one_shape(client):
    plain = client.post("/v1/models", content="{}", headers={"content-type": "text/plain"})
    assert error_of(plain) == (415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type")
    for path in ("/v1/nothing", "/v1/models/"):
        assert error_of(client.post(path, json={}, follow_redirects=False)) == (404, "NOT_FOUND", "path")
    wrong = client.get("/v1/models")
    assert error_of(wrong) == (405, "METHOD_NOT_ALLOWED", "path")
    assert wrong.headers["allow"] == "POST"


def test_an_unknown_creator_is_a_404(client):
    assert error_of(client.post("/v1/credit", json={"creator_ids": ["nobody"]})) == (404, "NOT_FOUND", "creator_ids")


def test_keys_open_only_their_scopes_and_evidence_only_with_risk(tmp_path):
    keys = [Key(name=name, sha256=hash_key(name), scopes=frozenset({name})) for name in ("platform", "risk")]
    client = make_client(tmp_path, Auth(keys))

    def call(path: str, key: str):
        return client.post(path, json={"creator_ids": ["ana"]}, headers={"authorization": f"Bearer {key}"})

    assert error_of(call("/v1/credit", "wrong"))[:2] == (401, "UNAUTHENTICATED")
    assert error_of(call("/v1/fraud/score", "platform"))[:2] == (403, "PERMISSION_DENIED")
    assert error_of(call("/v1/models", "risk"))[:2] == (403, "PERMISSION_DENIED")
    assert call("/v1/fraud/score", "risk").status_code == 200
    seen = {key: call("/v1/creators/profile", key).json()["results"][0]["risk"] for key in ("platform", "risk")}
    assert seen == {"platform": False, "risk": True}


def test_a_rebound_name_is_refused_without_keys(tmp_path):
    client = make_client(tmp_path, host="rebound.example")
    assert error_of(client.post("/v1/models", json={})) == (403, "PERMISSION_DENIED", "host")


class BrokenEngine(FakeEngine):
    def models(self):
        raise RuntimeError("secret detail")


def test_our_own_mistake_is_a_500_that_tells_nothing_of_the_inside(tmp_path):
    answer = make_client(tmp_path, engine=BrokenEngine()).post("/v1/models", json={})
    assert error_of(answer)[:2] == (500, "INTERNAL")
    assert "secret" not in answer.text


def test_upserted_creators_are_found_and_deleted_ones_are_gone(tmp_path):
    engine = FakeEngine()
    client = make_client(tmp_path, engine=engine)
    before = engine.as_of
    row = {"creator_id": "cy", "followers_count": 10}
    share = {"creator_id": "cy", "dimension": "gender", "bucket": "FEMALE", "share": 1}
    for status in ("CREATED", "UPDATED"):
        answer = client.post("/v1/creators/upsert", json={"creators": [row], "audience": [share]})
        assert answer.json() == {"results": [{"creator_id": "cy", "status": status}]}
    assert "cy" in engine.ids
    assert engine.as_of > before
    gone = client.post("/v1/creators/delete", json={"creator_ids": ["cy", "nobody"]}).json()["results"]
    assert [one["status"] for one in gone] == ["DELETED", "NOT_FOUND"]
    assert "cy" not in engine.ids


def test_the_catalogue_is_never_emptied(tmp_path):
    engine = FakeEngine()
    client = make_client(tmp_path, engine=engine)
    for _ in range(2):
        answer = client.post("/v1/creators/delete", json={"creator_ids": ["ana", "bo"]})
        assert error_of(answer) == (409, "CONFLICT", "creator_ids")
    assert engine.ids == ["ana", "bo"]


def test_data_that_reach_beyond_the_wall_clock_can_still_be_added_to(tmp_path):
    engine = FakeEngine()
    engine.as_of = pd.Timestamp("2150-01-01")
    answer = make_client(tmp_path, engine=engine).post("/v1/creators/upsert", json={"creators": [{"creator_id": "cy"}]})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"creators": [{"creator_id": "cy", "observed_at": "2199-01-01T00:00:00Z"}]}, "creators.0.observed_at"),
        ({"creators": [{"creator_id": "cy"}, {"creator_id": "cy"}]}, "creators.1"),
        ({"creators": [{"creator_id": "ana"}], "audience": [WHOLE | {"creator_id": "x"}]}, "audience.0.creator_id"),
        ({"audience": [WHOLE | {"share": 0.1}]}, "audience.0.share"),
        ({"audience": [WHOLE, WHOLE | {"creator_id": "nobody"}]}, "audience.1.creator_id"),
        ({"audience": [WHOLE | {"creator_id": "nobody"}]}, "audience.0.creator_id"),
    ],
)
def test_rows_that_break_the_contract_together_are_refused_and_nothing_is_kept(tmp_path, body, field):
    engine = FakeEngine()
    status, code, found = error_of(make_client(tmp_path, engine=engine).post("/v1/creators/upsert", json=body))
    assert (status, code) == (400, "INVALID_ARGUMENT")
    assert found.startswith(field)
    assert engine.ids == ["ana", "bo"]


def test_an_upsert_of_nothing_is_asked_for_a_row(tmp_path):
    answer = make_client(tmp_path).post("/v1/creators/upsert", json={})
    assert error_of(answer) == (400, "INVALID_ARGUMENT", "creators")
    assert "give at least one row" in answer.text


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


class Slow(FakeEngine):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()

    def credit(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.let.wait(10)
        return super().credit(request)


def test_an_answer_that_takes_too_long_is_an_error_in_our_shape(tmp_path):
    engine = Slow()
    client = make_client(tmp_path, engine=engine, longest_s=0.1)
    assert error_of(client.post("/v1/credit", json={"creator_ids": ["ana"]})) == (504, "DEADLINE_EXCEEDED", "")
    engine.let.set()


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


def told(client: TestClient, ranking_id: str, **item: object) -> dict[str, object]:
    shown = {"creator_id": "ana", "position": 1, "shown_at": "2025-05-01T09:00:00Z", "surface": "HOME"}
    answer = client.post("/v1/feedback", json={"ranking_id": ranking_id, "items": [shown | item]})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_feedback_becomes_impressions_of_the_brief_that_was_ranked(tmp_path):
    client = make_client(tmp_path)
    brief = {"title": "قهوة ☕", "content_labels": ["food", "tea"], "brand_id": "b", "target_ages": ["18-24"]}
    ranking = client.post("/v1/creators/rank", json={"brief": brief}).json()["ranking_id"]
    invited = {"outcome": "INVITED", "outcome_at": "2025-05-01T10:00:00Z"}
    answers = [told(client, ranking, **item) for item in ({}, {}, invited, invited, {"creator_id": "nobody"})]
    fates = ["ACCEPTED", "DUPLICATE", "ACCEPTED", "DUPLICATE", "REJECTED"]
    assert [answer["results"][0]["status"] for answer in answers] == fates
    assert [answers[0][name] for name in ("accepted", "duplicates", "rejected")] == [1, 0, 0]
    tables = read_tables(url_of(tmp_path / "store.sqlite"))
    (row,) = tables["briefs"].to_dict("records")
    assert row["brief_id"] == ranking
    assert {name: row[name] for name in brief} == brief
    assert row["created_at"] == pd.Timestamp("2025-05-01 09:00")  # never after it was shown
    (shown,) = tables["impressions"].to_dict("records")
    assert (shown["brief_id"], shown["ranking_id"], shown["policy_version"]) == (ranking, ranking, "7")
    assert (shown["position"], shown["outcome"], shown["surface"]) == (1, "INVITED", "HOME")
    (example,) = ranking_examples(tables)
    assert (example.brief_id, example.brand_id, example.creator_ids, list(example.grades)) == (
        ranking,
        "b",
        ("ana",),
        [2],
    )


def test_a_brief_keeps_its_own_id_and_what_is_known_of_it(tmp_path):
    client = make_client(tmp_path)
    for title in ("first", "second"):
        body = {"brief": {"brief_id": "q1", "title": title, "created_at": "2025-04-01T00:00:00Z"}}
        told(client, client.post("/v1/creators/rank", json=body).json()["ranking_id"])
    tables = read_tables(url_of(tmp_path / "store.sqlite"))
    assert tables["briefs"][["brief_id", "title", "created_at"]].values.tolist() == [
        ["q1", "first", pd.Timestamp("2025-04-01")]
    ]
    assert list(tables["impressions"]["brief_id"]) == ["q1", "q1"]


def test_feedback_on_a_ranking_that_was_never_made_is_a_404_and_one_that_was_outlasts_a_restart(tmp_path):
    client = make_client(tmp_path)
    item = {"creator_id": "ana", "position": 1, "shown_at": "2025-05-01T09:00:00Z"}
    answer = client.post("/v1/feedback", json={"ranking_id": "never", "items": [item]})
    assert error_of(answer) == (404, "NOT_FOUND", "ranking_id")
    ranking = client.post("/v1/creators/rank", json={"brief": {}}).json()["ranking_id"]
    assert told(make_client(tmp_path), ranking)["accepted"] == 1


def test_a_ranking_without_feedback_leaves_no_brief(tmp_path):
    client = make_client(tmp_path)
    ranking = client.post("/v1/creators/rank", json={"brief": {"title": "a"}}).json()["ranking_id"]
    told(client, ranking, creator_id="nobody")
    tables = read_tables(url_of(tmp_path / "store.sqlite"))
    assert tables["briefs"].empty
    assert tables["impressions"].empty


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
FIELDS = (
    "brief",
    "filters",
    "limit",
    "creator_ids",
    "events",
    "ranking_id",
    "items",
    "labels",
    "policy",
    "records",
    "creators",
    "accounts",
    "comments",
    "audience",
    "query",
    "page_token",
    "as_of",
)
names = st.sampled_from(FIELDS)
bodies = st.dictionaries(names | st.text(max_size=5), values | st.dictionaries(names, values), max_size=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), body=bodies.map(json.dumps) | st.binary(max_size=40) | st.text(max_size=40))
def test_no_body_whatsoever_is_a_5xx(client, path, body):
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    answer = client.post(path, content=content, headers=JSON)
    assert answer.status_code < 500
    if answer.status_code != 200:
        ErrorAnswer.model_validate_json(answer.content)


def test_more_requests_than_can_wait_are_told_to_come_again():
    released = threading.Event()

    async def crowd() -> list[object]:
        pool = Pool(THREADS)
        waiting = [
            asyncio.ensure_future(pool.run(lambda: b"%d" % released.wait(10))) for _ in range(THREADS + MOST_WAITING)
        ]
        await asyncio.sleep(0)
        with pytest.raises(InputError) as caught:
            await pool.run(bytes)
        released.set()
        return [caught.value.code, set(await asyncio.gather(*waiting)), await pool.run(bytes)]

    assert asyncio.run(crowd()) == ["RESOURCE_EXHAUSTED", {b"1"}, b""]


def test_nothing_is_written_outside_the_data_directory(tmp_path: Path):
    make_client(tmp_path)
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"store.sqlite"}
