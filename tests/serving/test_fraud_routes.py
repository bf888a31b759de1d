"""Labels and the queue over HTTP, beside the fake engine."""

import json

import pytest
from starlette.testclient import TestClient

from features.tables import read_tables
from serving.fraud_answers import LabelsAnswer
from serving.opening import url_of
from tests.serving.fakes import FakeEngine, make_client
from tests.serving.test_app import error_of


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return make_client(tmp_path_factory.mktemp("service"))


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/fraud/score", "{}", ""),
        ("/v1/fraud/score", '{"creator_ids": ["ana"], "records": [{"creator": {"creator_id": "x"}}]}', ""),
        ("/v1/fraud/score", '{"records": []}', "records"),
        ("/v1/fraud/score", '{"records": [{}]}', "records.0.creator"),
        ("/v1/fraud/score", '{"records": [{"creator": {}}]}', "records.0.creator.creator_id"),
        ("/v1/fraud/score", json.dumps({"records": [{"creator": {"creator_id": "x"}}] * 11}), "records"),
        (
            "/v1/fraud/score",
            '{"records": [{"creator": {"creator_id": "x"}, "videos": [{"video_id": "v"}]}]}',
            "records.0.videos.0.create_time",
        ),
        ("/v1/fraud/policies/simulate", '{"from": "yesterday"}', "from"),
        ("/v1/fraud/policies/simulate", '{"start": "2025-01-01"}', "start"),
        ("/v1/fraud/queue", '{"limit": 0}', "limit"),
        ("/v1/fraud/queue", '{"policy": {"levels": []}}', "policy.levels"),
        ("/v1/fraud/queue", '{"policy": {"levels": [{"min_risk_score": 1}]}}', "policy.levels.0.risk_level"),
        (
            "/v1/fraud/queue",
            '{"policy": {"levels": [{"risk_level": "HIGH", "min_risk_score": 1001}]}}',
            "policy.levels.0.min_risk_score",
        ),
        ("/v1/fraud/labels", '{"labels": []}', "labels"),
        ("/v1/fraud/labels", '{"labels": [{"creator_id": "ana"}]}', "labels.0.is_fake"),
        ("/v1/fraud/labels", '{"labels": [{"creator_id": "ana", "is_fake": 0.5}]}', "labels.0.is_fake"),
        ("/v1/fraud/labels", '{"labels": [{"is_fake": 1, "sampled": "ME"}]}', "labels.0.sampled"),
        ("/v1/fraud/labels", '{"labels": [{"is_fake": 1, "known_at": "today"}]}', "labels.0.known_at"),
        ("/v1/fraud/labels", json.dumps({"labels": [{"creator_id": "ana", "is_fake": 1}] * 1001}), "labels"),
    ],
)
def test_a_bad_body_is_a_400_that_names_the_field(client, path, body, field):
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    assert error_of(answer) == (400, "INVALID_ARGUMENT", field)


def test_days_reach_the_engine_by_the_names_they_came_with(client):
    body = {"from": "2025-01-01", "to": "2025-02-01T00:00:00Z"}
    asked = client.post("/v1/fraud/policies/simulate", json=body).json()["asked"]
    assert asked == {"from": "2025-01-01T00:00:00", "to": "2025-02-01T00:00:00"}


def labelled(client: TestClient, *labels: dict[str, object]) -> dict[str, object]:
    answer = client.post("/v1/fraud/labels", json={"labels": labels})
    assert answer.status_code == 200, answer.text
    return LabelsAnswer.model_validate_json(answer.content).model_dump()


def test_labels_are_stored_with_their_events_once_and_after_a_restart_too(tmp_path):
    engine = FakeEngine()
    client = make_client(tmp_path, engine=engine)
    fake, stranger = {"creator_id": "ana", "is_fake": 1}, {"creator_id": "nobody", "is_fake": 1}
    account = {"account_id": "a1", "is_fake": 1}
    answer = labelled(client, fake, fake, stranger, account)
    assert [answer[name] for name in ("accepted", "duplicates", "rejected")] == [2, 1, 1]
    assert [one["status"] for one in answer["results"]] == ["ACCEPTED", "DUPLICATE", "REJECTED", "ACCEPTED"]
    assert [len(one["event_ids"]) for one in answer["results"]] == [1, 0, 0, 0]
    assert (engine.labels, engine.events) == (["ana"], answer["results"][0]["event_ids"])
    assert labelled(make_client(tmp_path), fake, account)["duplicates"] == 2
    cleared = labelled(client, {"creator_id": "ana", "is_fake": 0})
    tables = read_tables(url_of(tmp_path / "store.sqlite"))
    assert list(tables["fraud_labels"]["is_fake"]) == [1, 1, 0]
    assert tables["fraud_labels"]["known_at"].notna().all()
    events = tables["collaboration_events"]
    assert list(events["event_id"]) == [*answer["results"][0]["event_ids"], *cleared["results"][0]["event_ids"]]
    assert list(events["event_type"]) == ["FRAUD_CONFIRMED", "FRAUD_CLEARED"]
    assert events["refers_to"].iloc[1] == events["event_id"].iloc[0]


def test_a_label_whose_event_the_ledger_refuses_is_rejected_with_the_reason_and_nothing_is_kept(tmp_path):
    label = {"creator_id": "ana", "is_fake": 1, "known_at": "2025-05-01T00:00:00Z"}
    (event_id,) = labelled(make_client(tmp_path / "one"), label)["results"][0]["event_ids"]
    engine = FakeEngine()
    client = make_client(tmp_path / "two", engine=engine)
    event = {"event_id": event_id, "creator_id": "bo", "event_type": "TRAINING_PASSED", "event_time": "2025-05-01"}
    assert client.post("/v1/events", json={"events": [event]}).json()["accepted"] == 1
    answer = labelled(client, label, label | {"creator_id": "bo"})
    assert [one["status"] for one in answer["results"]] == ["REJECTED", "ACCEPTED"]
    assert "other content" in answer["results"][0]["error"]
    assert answer["results"][0]["event_ids"] == []
    assert engine.labels == ["bo"]
    assert len(read_tables(url_of(tmp_path / "two" / "store.sqlite"))["fraud_labels"]) == 1


def test_a_finding_that_was_appealed_since_is_not_cleared_before_the_appeal(tmp_path):
    client = make_client(tmp_path)
    finding = {"creator_id": "ana", "is_fake": 1, "known_at": "2025-05-01T00:00:00Z"}
    (event_id,) = labelled(client, finding)["results"][0]["event_ids"]
    appeal = {"event_id": "a", "creator_id": "ana", "event_type": "APPEAL_OPENED", "refers_to": event_id}
    assert client.post("/v1/events", json={"events": [appeal | {"event_time": "2025-05-05"}]}).json()["accepted"] == 1
    clean = finding | {"is_fake": 0}
    early, late = (labelled(client, clean | {"known_at": f"2025-05-{day}T00:00:00Z"}) for day in ("03", "20"))
    assert "contradicts the later APPEAL_OPENED" in early["results"][0]["error"]
    assert late["accepted"] == 1
