"""The application over the fake engine: routes, keys, limits, and bodies that nobody should send."""

import asyncio
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from features.errors import InputError
from serving.answers import ErrorAnswer
from serving.app import LARGEST_BODY, MOST_WAITING, THREADS, Pool
from serving.auth import Auth, hash_key
from serving.keys import Key
from tests.serving.fakes import FakeEngine, error_of, make_client

JSON = {"content-type": "application/json"}
PATHS = (
    "/v1/creators/rank", "/v1/creators/search", "/v1/creators/similar", "/v1/creators/profile",
    "/v1/creators/upsert", "/v1/creators/delete", "/v1/feedback", "/v1/fraud/score", "/v1/fraud/accounts",
    "/v1/fraud/comments", "/v1/fraud/queue", "/v1/fraud/policies/simulate", "/v1/fraud/labels", "/v1/credit",
    "/v1/credit/history", "/v1/credit/what_if", "/v1/credit/assess", "/v1/events", "/v1/collaborations", "/v1/models",
    "/v1/models/reload",
)  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return make_client(tmp_path_factory.mktemp("service"))


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


def test_a_query_string_changes_nothing(client):
    plain, queried = (client.post(f"/v1/creators/search{query}", json={}) for query in ("", "?page_size=1&sort=CREDIT"))
    assert plain.content == queried.content


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
        pool = Pool("test", THREADS)
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
