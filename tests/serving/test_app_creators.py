"""Creators that are written and deleted, over the fake engine."""

import pandas as pd
import pytest

from tests.serving.fakes import FakeEngine, error_of, make_client

WHOLE = {"creator_id": "ana", "dimension": "gender", "bucket": "FEMALE", "share": 1}


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
