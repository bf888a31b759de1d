"""Before another credit policy is served the ledger says so, once."""

from pathlib import Path

import pandas as pd

from features.schema import COLLABORATION_EVENTS, conform
from serving.api import Api
from serving.store import Store
from tests.serving.fakes import AS_OF, FakeEngine, make_store

CHANGES = {"event_id": "p1", "creator_id": "ana", "event_type": "POLICY_CHANGED", "event_time": AS_OF}


def test_the_change_is_in_the_store_and_in_what_is_served(tmp_path: Path) -> None:
    engine, store = FakeEngine(), Store(make_store(tmp_path))
    engine.changes = conform(pd.DataFrame([CHANGES]), COLLABORATION_EVENTS)
    for _ in range(2):
        Api(engine, store).announce_policy()
    assert engine.events == ["p1"]
    assert store.events_about(engine.changes)["event_type"].tolist() == ["POLICY_CHANGED"]
