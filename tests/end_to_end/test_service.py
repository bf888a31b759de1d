"""The real service in a process of its own, over a small trained release."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from features.asof import data_as_of
from features.schema import Tables
from features.tables import read_tables
from models.fraud_rows import dated_labels, feature_frame, training_dates, training_rows
from serving import answers, fraud_answers, ledger_answers
from serving.opening import url_of
from tests.end_to_end.drawn import OF_FRAUD, RANKING
from tests.end_to_end.serve import CREATORMATCH, free_port, running, service_on, workers_of
from tests.models import asking
from tests.models.records import record_of
from training.examples import ranking_examples

JSON = {"content-type": "application/json"}
RETURNS = {
    "/v1/creators/rank": answers.RankAnswer,
    "/v1/creators/search": answers.SearchAnswer,
    "/v1/creators/similar": answers.SimilarAnswer,
    "/v1/creators/profile": answers.ProfileAnswer,
    "/v1/fraud/score": fraud_answers.FraudAnswer,
    "/v1/fraud/accounts": fraud_answers.AccountsAnswer,
    "/v1/fraud/comments": fraud_answers.CommentsAnswer,
    "/v1/fraud/queue": fraud_answers.QueueAnswer,
    "/v1/fraud/policies/simulate": fraud_answers.SimulateAnswer,
    "/v1/credit": ledger_answers.CreditAnswer,
    "/v1/collaborations": ledger_answers.CollaborationsAnswer,
    "/v1/credit/history": ledger_answers.HistoryAnswer,
    "/v1/credit/what_if": ledger_answers.WhatIfAnswer,
    "/v1/models": answers.ModelsAnswer,
}
BRIEF = asking.BRIEF | {"title": "Matcha latte 🍵 مشروب"}


@pytest.fixture(scope="module")
def own_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the data directory, so that what is written here is seen by nobody else."""
    return Path(shutil.copytree(home, tmp_path_factory.mktemp("service") / "home"))


@pytest.fixture(scope="module")
def service(own_home: Path, dataset: Path) -> Iterator[httpx.Client]:
    port = free_port()
    command = [CREATORMATCH, "serve", "--data", str(dataset), "--port", str(port)]
    env = {"CREATORMATCH_HOME": str(own_home)}
    with running(command, port, own_home.parent / "log", env, own_home.parent) as client:
        yield client


@pytest.fixture(scope="module")
def ids(dataset: Path) -> list[str]:
    return sorted(read_tables(dataset)["creators"]["creator_id"].unique())


def post(service: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = service.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_it_is_alive_ready_and_measured(service):
    assert [service.get(path).status_code for path in ("/livez", "/readyz", "/metrics", "/", "/docs.json")] == [200] * 5


def test_the_threads_of_a_worker_share_one_heap(service):
    """The allocator reads this when a process starts, so it must be there before Python is."""
    assert all(one.environ()["MALLOC_ARENA_MAX"] == "1" for one in workers_of(service_on(service.base_url.port)))


def test_metrics_and_log_tell_of_a_request(service, own_home):
    answer = service.post("/v1/creators/rank", json={"brief": BRIEF, "explain": True}, headers={"X-Request-ID": "told"})
    assert answer.headers["x-request-id"] == "told"
    metrics = service.get("/metrics").text
    stages = set(re.findall(r'stage_duration_seconds_count\{route="/v1/creators/rank",stage="(\w+)"', metrics))
    assert stages >= {"filter", "query", "embed", "retrieve", "features", "score", "success", "explain"}
    assert 'creatormatch_model_data_timestamp_seconds{model="ranker"} ' in metrics
    assert re.search(r'creatormatch_release_version\{pid="\d+"\} 1.0', metrics)
    lines = [json.loads(line) for line in (own_home.parent / "log").read_text().splitlines()]
    [line] = [line for line in lines if line.get("request_id") == "told"]
    assert (line["route"], line["status"], line["caller"]) == ("/v1/creators/rank", 200, "loopback")
    assert sum(line["stages_ms"].values()) - line["stages_ms"]["embed"] < line["duration_ms"]


def test_every_answer_has_the_shape_that_openapi_promises(service, ids):
    bodies = {
        "/v1/creators/rank": {"brief": BRIEF, "limit": 5, "explain": True, "filters": {"min_followers": 1000}},
        "/v1/creators/search": {"query": "food", "page_size": 3},
        "/v1/fraud/accounts": {"accounts": [{"account_id": "a", "followers_count": 3}, {"account_id": "b"}]},
        "/v1/fraud/comments": {
            "comments": [{"comment_text": text} for text in ("", "😂", "الوصفة رائعة", "a" * 20_000)]
        },
        "/v1/credit/history": {"creator_id": ids[0]},
        "/v1/credit/what_if": {"creator_id": ids[0], "events": [{"event_type": "TRAINING_PASSED"}]},
        "/v1/fraud/policies/simulate": {"policy": {"levels": [{"risk_level": "HIGH", "min_risk_score": 905}]}},
        "/v1/fraud/queue": {"limit": 30, "policy": {"levels": [{"risk_level": "HIGH", "min_risk_score": 905}]}},
        "/v1/models": {},
    }
    for path, model in RETURNS.items():
        answer = service.post(path, json=bodies.get(path, {"creator_ids": ids[:3]}))
        assert answer.status_code == 200, (path, answer.text)
        model.model_validate_json(answer.content)


def test_a_ranking_is_ordered_explained_and_the_same_again(service):
    first, second = (post(service, "/v1/creators/rank", brief=BRIEF, limit=10, explain=True) for _ in range(2))
    assert [one["rank"] for one in first["results"]] == list(range(1, 11))
    scores = [one["score"] for one in first["results"]]
    assert scores == sorted(scores, reverse=True)
    assert all(one["reasons"] for one in first["results"])
    assert first.pop("ranking_id") != second.pop("ranking_id")
    assert first == second


def test_cli_equals_http(service, own_home, dataset, tmp_path):
    request = {"brief": BRIEF | {"language": "ja"}, "limit": 7, "explain": True, "explore": True, "diversity": 0.3}
    file = tmp_path / "brief.json"
    file.write_text(json.dumps(request))
    command = [CREATORMATCH, "rank", str(dataset), "--brief", str(file), "--json"]
    printed = subprocess.run([*command, "--home", str(own_home)], capture_output=True, text=True, check=True)
    offline, online = json.loads(printed.stdout), post(service, "/v1/creators/rank", **request)
    assert offline.pop("ranking_id") != online.pop("ranking_id")
    assert offline == online


def test_credit_by_the_command_line_equals_http(service, own_home, dataset, ids):
    command = [CREATORMATCH, "credit", str(dataset), "--creator", ids[5], "--json", "--home", str(own_home)]
    printed = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(printed.stdout) == post(service, "/v1/credit", creator_ids=[ids[5]])


def test_an_upserted_creator_is_found_at_once_and_a_deleted_one_no_more(service):
    row = {"creator_id": "new-one", "bio": "matcha", "country_code": "IS", "language": "is", "followers_count": 5000}
    share = {"creator_id": "new-one", "dimension": "gender", "bucket": "FEMALE", "share": 1.0}
    post(service, "/v1/creators/upsert", creators=[row], audience=[share])
    post(service, "/v1/creators/upsert", audience=[share | {"bucket": "MALE"}])
    profile = post(service, "/v1/creators/profile", creator_ids=["new-one"])["results"][0]
    assert (profile["followers_count"], profile["country_code"]) == (5000, "IS")
    assert [(one["bucket"], one["share"]) for one in profile["audience"]] == [("MALE", 1.0)]
    found = post(service, "/v1/creators/search", filters={"languages": ["is"]})["results"]
    assert [one["creator_id"] for one in found] == ["new-one"]
    post(service, "/v1/creators/delete", creator_ids=["new-one"])
    assert service.post("/v1/creators/profile", json={"creator_ids": ["new-one"]}).status_code == 404


def test_the_same_observation_sent_again_takes_the_place_of_the_first(service, ids):
    key = {"creator_id": ids[1], "observed_at": post(service, "/v1/models")["data_as_of"]}
    for followers, bucket in ((5, "FEMALE"), (6, "MALE")):
        share = key | {"dimension": "gender", "bucket": bucket, "share": 1.0}
        post(service, "/v1/creators/upsert", creators=[key | {"followers_count": followers}], audience=[share])
    profile = post(service, "/v1/creators/profile", creator_ids=[ids[1]])["results"][0]
    shares = [(one["bucket"], one["share"]) for one in profile["audience"] if one["dimension"] == "gender"]
    assert (profile["followers_count"], shares) == (6, [("MALE", 1.0)])


def test_a_default_lowers_credit_and_sending_it_twice_changes_nothing_more(service, ids):
    creator = {"creator_id": ids[0], "collaboration_id": "e2e-k", "brand_id": "e2e-brand"}
    types = ["INVITED", "ACCEPTED", "CONTRACTED", "DEFAULTED"]
    latest = post(service, "/v1/models")["data_as_of"]
    events = [
        {"event_id": f"e2e-{i}", "event_type": kind, "event_time": latest} | creator for i, kind in enumerate(types)
    ]
    before = post(service, "/v1/credit", creator_ids=[ids[0]])["results"][0]["score"]
    assert post(service, "/v1/events", events=events)["accepted"] == 4
    after = post(service, "/v1/credit", creator_ids=[ids[0]])["results"][0]["score"]
    assert after < before
    again = post(service, "/v1/events", events=events)
    assert (again["accepted"], again["duplicates"], again["rejected"]) == (0, 4, 0)
    assert post(service, "/v1/events", events=[events[0] | {"note": "other"}])["rejected"] == 1
    assert post(service, "/v1/credit", creator_ids=[ids[0]])["results"][0]["score"] == after


def test_history_ends_with_the_credit_of_now_and_what_if_tells_that_of_tomorrow(service, ids):
    def credit() -> dict[str, Any]:
        (found,) = post(service, "/v1/credit", creator_ids=[ids[3]])["results"]
        return found

    def changes() -> list[dict[str, Any]]:
        return post(service, "/v1/credit/history", creator_id=ids[3])["results"]

    event = {"event_type": "TRAINING_PASSED", "event_time": post(service, "/v1/models")["data_as_of"]}
    told = post(service, "/v1/credit/what_if", creator_id=ids[3], events=[event])
    assert told["before"] == credit()
    assert told["points"] > 0
    before = changes()
    assert before[-1]["after"]["score"] == credit()["score"]
    post(service, "/v1/events", events=[event | {"event_id": "e2e-training", "creator_id": ids[3]}])
    assert credit()["score"] == told["after"]["score"]
    assert {name: changes()[-1][name] for name in ("code", "event_id", "points")} == {
        "code": "TRAINING_PASSED", "event_id": "e2e-training", "points": told["points"],
    }  # fmt: skip
    asked = {"creator_id": ids[3], "events": [{"event_type": "SETTLED", "collaboration_id": "e2e-none"}]}
    refused = service.post("/v1/credit/what_if", json=asked)
    assert (refused.status_code, refused.json()["error"]["details"][0]["field"]) == (400, "events.0.event_type")


def test_a_finding_is_appealed_and_overturned(service, ids):
    def send(kind: str, refers_to: str | None = None, **more: Any) -> str:
        moment = datetime.now(UTC).isoformat()
        event = {"event_id": f"e2e-{kind}", "creator_id": ids[4], "event_type": kind, "event_time": moment}
        (found,) = post(service, "/v1/events", events=[event | {"refers_to": refers_to} | more])["results"]
        return found["status"]

    def credit() -> dict[str, Any]:
        (found,) = post(service, "/v1/credit", creator_ids=[ids[4]])["results"]
        return found

    score = credit()["score"]
    assert send("APPEAL_OPENED", "e2e-VIOLATION_CONFIRMED") == "REJECTED"
    assert send("VIOLATION_CONFIRMED", severity=3, note="Song at 0:12") == "ACCEPTED"
    assert (credit()["order_status"], credit()["score"] < score) == ("SUSPENDED", True)
    assert send("APPEAL_OPENED", "e2e-VIOLATION_CONFIRMED", note="I hold a licence") == "ACCEPTED"
    appeal = credit()["appeals"][0]
    assert (appeal["state"], appeal["statement"]) == ("OPEN", "I hold a licence")
    assert appeal["finding"]["note"] == "Song at 0:12"
    assert send("APPEAL_DECIDED", "e2e-APPEAL_OPENED", note="So it is") == "ACCEPTED"
    assert send("VIOLATION_OVERTURNED", "e2e-VIOLATION_CONFIRMED") == "ACCEPTED"
    appeal = credit()["appeals"][0]
    assert (appeal["state"], appeal["outcome"], appeal["decision"]) == ("DECIDED", "OVERTURNED", "So it is")
    assert (credit()["order_status"], credit()["score"]) == ("OPEN", score)


def test_a_collaboration_is_led_step_by_step(service, ids):
    order = {"creator_id": ids[1], "collaboration_id": "e2e-led", "brand_id": "e2e-brand"}
    latest = post(service, "/v1/models")["data_as_of"]

    def send(kind: str, **more: Any) -> dict[str, Any]:
        event = {"event_id": f"e2e-led-{kind}", "event_type": kind, "event_time": latest} | order | more
        return post(service, "/v1/events", events=[event])["results"][0]

    def standing() -> dict[str, Any]:
        (found,) = post(service, "/v1/collaborations", collaboration_ids=["e2e-led"])["results"]
        return found

    assert service.post("/v1/collaborations", json={"collaboration_ids": ["e2e-led"]}).status_code == 404
    for kind, must_act in (("INVITED", "CREATOR"), ("ACCEPTED", "BRAND")):
        assert send(kind)["status"] == "ACCEPTED"
        assert (standing()["state"], standing()["must_act"]) == (kind, must_act)
    rejected = send("PUBLISHED")
    assert rejected["status"] == "REJECTED"
    assert rejected["error"].endswith(f"legal: {', '.join(standing()['next_legal'])}")
    assert send("CONTRACTED", due_at=latest)["status"] == "ACCEPTED"
    found = standing()
    assert (found["awaited"], found["must_act"], found["due_at"]) == ("CONTENT_SUBMITTED", "CREATOR", latest)
    assert found["overdue_days"] >= 0
    assert not found["incomplete"]
    assert [event["event_type"] for event in found["history"]] == ["INVITED", "ACCEPTED", "CONTRACTED"]
    assert send("CANCELLED_BY_BRAND", creator_id=ids[2])["error"].startswith("creator_id: ")


def test_what_was_shown_comes_back_as_impressions_that_training_reads(service, own_home):
    ranking = post(service, "/v1/creators/rank", brief=BRIEF | {"brand_id": "e2e-brand"}, limit=2)
    shown_at = post(service, "/v1/models")["data_as_of"]
    items = [
        {"creator_id": one["creator_id"], "position": one["rank"], "shown_at": shown_at, "surface": "E2E"}
        for one in ranking["results"]
    ]
    items[1] |= {"outcome": "SHORTLISTED", "outcome_at": shown_at}
    answer = post(service, "/v1/feedback", ranking_id=ranking["ranking_id"], items=items)
    answers.FeedbackAnswer.model_validate(answer)
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (2, 0, 0)
    assert post(service, "/v1/feedback", ranking_id=ranking["ranking_id"], items=items)["duplicates"] == 2
    (store,) = (own_home / "stores").glob("*.sqlite")
    examples = [one for one in ranking_examples(read_tables(url_of(store))) if one.brand_id == "e2e-brand"]
    assert [(set(one.creator_ids), sorted(one.grades)) for one in examples] == [
        ({item["creator_id"] for item in items}, [0, 2])
    ]


def test_a_label_moves_credit_and_is_in_the_rows_of_the_next_training(service, own_home, dataset, ids):
    (before,) = post(service, "/v1/credit", creator_ids=[ids[2]])["results"]
    latest = data_as_of(read_tables(dataset))
    known = str(latest - pd.Timedelta(days=1))
    label = {"creator_id": ids[2], "is_fake": 1, "known_at": known, "sampled": "QUEUE", "source": "e2e"}
    answer = post(service, "/v1/fraud/labels", labels=[label])
    fraud_answers.LabelsAnswer.model_validate(answer)
    assert answer["accepted"] == 1
    (after,) = post(service, "/v1/credit", creator_ids=[ids[2]])["results"]
    assert after["score"] < before["score"]
    assert post(service, "/v1/fraud/labels", labels=[label])["duplicates"] == 1
    (store,) = (own_home / "stores").glob("*.sqlite")
    assert fake_rows(read_tables(url_of(store)), ids[2], latest) > fake_rows(read_tables(dataset), ids[2], latest) == 0
    assert post(service, "/v1/fraud/labels", labels=[label | {"is_fake": 0}])["accepted"] == 1
    assert post(service, "/v1/credit", creator_ids=[ids[2]])["results"][0]["score"] > after["score"]


def test_a_creator_whom_the_queue_shows_leaves_it_with_its_label(service):
    first = post(service, "/v1/fraud/queue", limit=5)["results"][0]
    label = {"creator_id": first["creator_id"], "is_fake": 0, "sampled": first["reason"]}
    assert post(service, "/v1/fraud/labels", labels=[label])["accepted"] == 1
    queue = post(service, "/v1/fraud/queue", limit=200)
    assert first["creator_id"] not in {one["creator_id"] for one in queue["results"]}
    assert {one["reason"] for one in queue["results"]} == {"QUEUE", "RANDOM"}


def test_a_policy_is_replayed_over_the_days_that_there_are_scores_for_and_no_others(service):
    answer = post(service, "/v1/fraud/policies/simulate")
    assert answer["total"]["alerts"] == sum(month["alerts"] for month in answer["results"]) > 0
    days = {"from": answer["covered"]["from"], "to": answer["results"][0]["to"]}
    assert post(service, "/v1/fraud/policies/simulate", **days)["results"] == answer["results"][:1]
    refused = service.post("/v1/fraud/policies/simulate", json={"from": "1999-01-01T00:00:00Z"})
    assert refused.status_code == 400
    assert answer["covered"]["from"] in refused.text
    table = post(service, "/v1/models")["risk_table"]
    assert [(table[0]["risk_score"], table[0]["false_positive_rate"]), table[-1]["false_positive_rate"]] == [(0, 1), 0]


def test_a_creator_given_as_a_record_is_scored_as_by_id(service, dataset, ids):
    record = record_of(read_tables(dataset), ids[4])
    answers = [
        post(service, "/v1/fraud/score", **body)["results"][0]
        for body in ({"creator_ids": [ids[4]]}, {"records": [record]})
    ]
    known, given = [(one["fraud_probability"], one["risk_score"], one["data_as_of"]) for one in answers]
    assert given == pytest.approx(known)
    fraud_answers.FraudAnswer.model_validate({"results": answers})


def fake_rows(tables: Tables, creator_id: str, until: pd.Timestamp) -> int:
    """How many rows of the fraud model's training call this creator fake."""
    labels = dated_labels(tables, until)
    dates = training_dates(tables, labels, until)[-2:]
    frames = {date: feature_frame(tables, labels, date, until, None) for date in dates}
    rows = training_rows(labels, frames, until, creators=400)
    return int(rows.target[rows.features.index == creator_id].sum())


def test_callers_side_by_side_get_the_answers_of_callers_one_by_one(service, ids):
    def score(one: str) -> float:
        return post(service, "/v1/credit", creator_ids=[one])["results"][0]["score"]

    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(score, ids[:24])) == [score(one) for one in ids[:24]]


@pytest.mark.parametrize(
    "inside",
    ["[]", '["a"]', "5", "[[1], 2]", '[1e999, "a"]', '[NaN, "a"]', '["1", 2]', f'[1{"0" * 400}, "a"]', "[" * 2500],
)
def test_a_page_token_of_another_making_is_no_5xx(service, inside):
    token = base64.urlsafe_b64encode(inside.encode()).decode()
    for shown in (token, inside, token[:-1], "é"):
        assert service.post("/v1/creators/search", json={"page_token": shown}).status_code < 500


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=RANKING)
def test_no_rank_request_whatsoever_is_a_5xx(service, body):
    answer = service.post("/v1/creators/rank", content=json.dumps(body), headers=JSON)
    assert answer.status_code < 500, body
    (answers.RankAnswer if answer.status_code == 200 else answers.ErrorAnswer).model_validate_json(answer.content)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(OF_FRAUD)
def test_nothing_that_a_risk_team_may_ask_is_a_5xx(service, asked):
    path, body = asked
    answer = service.post(f"/v1/fraud/{path}", content=json.dumps(body), headers=JSON)
    assert answer.status_code < 500, (path, body)
