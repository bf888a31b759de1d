"""What the service writes into the ledger by itself: another credit policy, once, and what models think."""

from pathlib import Path

import pandas as pd

from features.schema import COLLABORATION_EVENTS, conform
from tests.serving.fakes import AS_OF, FakeEngine, make_api, make_client, make_store, open_store_at

CHANGES = {"event_id": "p1", "creator_id": "ana", "event_type": "POLICY_CHANGED", "event_time": AS_OF}


def test_the_change_is_in_the_store_and_in_what_is_served(tmp_path: Path) -> None:
    engine, store = FakeEngine(), open_store_at(make_store(tmp_path))
    engine.changes = conform(pd.DataFrame([CHANGES]), COLLABORATION_EVENTS)
    for _ in range(2):
        make_api(tmp_path, engine, store).announce_policy()
    assert engine.events == ["p1"]
    with store.reading() as it:
        assert it.events_about(engine.changes)["event_type"].tolist() == ["POLICY_CHANGED"]


def test_of_two_workers_that_start_together_one_writes_the_change(tmp_path: Path) -> None:
    engines, store = (FakeEngine(), FakeEngine()), open_store_at(make_store(tmp_path))
    for engine in engines:
        engine.changes = conform(pd.DataFrame([CHANGES]), COLLABORATION_EVENTS)
        make_api(tmp_path, engine, store).announce_policy()
    assert [engine.events for engine in engines] == [["p1"], ["p1"]]


def test_assessments_are_written_once_and_counted(tmp_path: Path) -> None:
    engine = FakeEngine()
    said = CHANGES | {"event_type": "ASSESSED", "factor": "INTERACTION", "value": 0.9}
    engine.changes = conform(pd.DataFrame([said]), COLLABORATION_EVENTS)
    client = make_client(tmp_path, engine=engine)
    assert client.post("/v1/credit/assess", json={}).json() == {"written": 1, "by_factor": {"INTERACTION": 1}}
    assert client.post("/v1/credit/assess", json={}).json() == {"written": 0, "by_factor": {}}
    assert engine.events == ["p1"]
