"""A hand-written engine, and the smallest service around it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
from starlette.testclient import TestClient

from features import columns as c
from features.errors import bad
from features.schema import complete
from features.tables import write_tables
from serving.api import Api
from serving.app import build_app
from serving.auth import Auth
from serving.store import Store, import_dataset

AS_OF = pd.Timestamp("2025-06-01")


class FakeEngine:
    """Answers with what it was asked and what it was told, instead of with models."""

    def __init__(self, ids: Sequence[str] = ("ana", "bo")) -> None:
        self.ids = list(ids)
        self.events: list[str] = []
        self.labels: list[str] = []
        self.as_of = AS_OF

    def rank(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.search(request) | {"ranking_id": str(uuid4()), "models": {"release": "7"}}

    def search(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"asked": dict(request), "results": [{"creator_id": one} for one in self.ids]}

    def profile(self, request: Mapping[str, Any], risk: bool) -> dict[str, Any]:
        return {"results": [{"creator_id": one, "risk": risk} for one in self._known(request)]}

    def fraud_score(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"results": [{"creator_id": one} for one in self._known(request)]}

    credit = similar = fraud_score

    def fraud_accounts(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"asked": dict(request)}

    fraud_comments = fraud_queue = fraud_simulation = fraud_accounts

    def credit_history(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"results": [], "creator_ids": self._known({"creator_ids": [request["creator_id"]]})}

    def credit_what_if(self, creator_id: str, further: pd.DataFrame) -> dict[str, Any]:
        return {"creator_id": creator_id, "events": list(further[c.EVENT_ID]), "known": list(self.events)}

    def collaborations(self, request: Mapping[str, Any], now: pd.Timestamp) -> dict[str, Any]:
        return {"asked": dict(request), "as_of": now.isoformat()}

    def models(self) -> dict[str, Any]:
        return {"models": {"ranker": 1}}

    def upsert(self, creators: pd.DataFrame, audience: pd.DataFrame) -> None:
        self.ids = list(dict.fromkeys([*self.ids, *creators[c.CREATOR_ID]]))
        self.as_of = max([self.as_of, *creators[c.OBSERVED_AT], *audience[c.OBSERVED_AT]])

    def delete(self, creator_ids: Sequence[str]) -> None:
        self.ids = [one for one in self.ids if one not in creator_ids]

    def append_events(self, events: pd.DataFrame) -> None:
        self.events += list(events[c.EVENT_ID])
        self.as_of = max([self.as_of, *events[c.RECEIVED_AT]])

    def append_labels(self, labels: pd.DataFrame, events: pd.DataFrame) -> None:
        self.labels += list(labels[c.CREATOR_ID])
        self.append_events(events)
        self.as_of = max([self.as_of, *labels[c.KNOWN_AT]])

    def _known(self, request: Mapping[str, Any]) -> list[str]:
        for one in request["creator_ids"]:
            if one not in self.ids:
                raise bad("creator_ids", "no such creator", one, "NOT_FOUND")
        return list(request["creator_ids"])


def make_store(folder: Path, ids: Sequence[str] = ("ana", "bo")) -> Path:
    """The path of a new store that holds these creators."""
    write_tables(complete({"creators": pd.DataFrame({c.CREATOR_ID: list(ids)})}), folder / "data")
    path = folder / "stores" / "store.sqlite"
    import_dataset(str(folder / "data"), path)
    return path


def make_client(folder: Path, auth: Auth | None = None, engine: Any = None, host: str = "127.0.0.1") -> TestClient:
    """A client of a service over the fake engine, called from ``host``."""
    api = Api(engine or FakeEngine(), Store(make_store(folder)))
    return TestClient(build_app(api, auth or Auth()), base_url=f"http://{host}:3000", client=("127.0.0.1", 1))
