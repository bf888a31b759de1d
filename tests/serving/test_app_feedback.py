"""What of a ranking was shown and done, over the fake engine."""

import pandas as pd
from starlette.testclient import TestClient

from features.tables import read_tables
from serving.opening import url_of
from tests.serving.fakes import error_of, make_client
from training.examples import ranking_examples


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
