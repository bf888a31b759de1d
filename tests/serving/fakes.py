"""A hand-written engine, and the smallest service around it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pandas as pd
from starlette.testclient import TestClient

from features import columns as c
from features.asof import data_as_of
from features.errors import InputError, bad
from features.schema import COLLABORATION_EVENTS, complete, empty
from features.source import Rows, about
from features.tables import read_raw, write_tables
from serving.answers import ErrorAnswer
from serving.api import Api
from serving.app import LONGEST_S, build_app
from serving.auth import Auth
from serving.books import Books
from serving.follower import Follower
from serving.opening import open_store, url_of
from serving.rankings import RankingLog
from serving.releases import Load, Releases
from serving.store import Store
from serving.trials import Trials

OPENED: list[Store] = []
"""Closed after each test (conftest.py)."""
CHANGES = 5  # in the history of everyone's credit
AS_OF = pd.Timestamp("2025-06-01")


class FakeEngine:
    """Answers with what it was asked and what it was told, instead of with models."""

    def __init__(self, ids: Sequence[str] = ("ana", "bo")) -> None:
        self.ids = list(ids)
        self.events: list[str] = []
        self.labels: list[str] = []
        self.as_of = AS_OF
        self.catalogue = self
        self.changed = 0
        self.changes = empty(COLLABORATION_EVENTS)

    def rank(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.search(request) | {"ranking_id": str(uuid4()), "models": {"release": "7"}}

    def rehearse(self, other: "FakeEngine") -> None:
        pass

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
        self._known({"creator_ids": [request["creator_id"]]})
        as_of = pd.Timestamp(request.get("as_of") or self.as_of).isoformat()
        moments = {"as_of": as_of, "known_at": request.get("known_at", as_of)}
        return moments | {"creator_id": request["creator_id"], "results": [*range(CHANGES)]}

    def credit_what_if(self, creator_id: str, further: pd.DataFrame) -> dict[str, Any]:
        return {"creator_id": creator_id, "events": list(further[c.EVENT_ID]), "known": list(self.events)}

    def collaborations(self, request: Mapping[str, Any], now: pd.Timestamp) -> dict[str, Any]:
        return {"asked": dict(request), "as_of": now.isoformat()}

    def models(self) -> dict[str, Any]:
        return {"models": {"ranker": 1}}

    def replace(self, creator_ids: Sequence[str], rows: Rows) -> None:
        own = about(rows, creator_ids)
        kept = [one for one in self.ids if one not in creator_ids or one in set(own["creators"][c.CREATOR_ID])]
        self.ids = list(dict.fromkeys([*kept, *own["creators"][c.CREATOR_ID]]))
        self.events = list(dict.fromkeys([*self.events, *own["collaboration_events"][c.EVENT_ID]]))
        self.labels = list(own["fraud_labels"][c.CREATOR_ID])
        self.as_of = max(self.as_of, data_as_of(own))

    def policy_changes(self) -> pd.DataFrame:
        return self.changes[~self.changes[c.EVENT_ID].isin(self.events)]

    def assessments(self) -> pd.DataFrame:
        return self.policy_changes()

    def _known(self, request: Mapping[str, Any]) -> list[str]:
        for one in request["creator_ids"]:
            if one not in self.ids:
                raise bad("creator_ids", "no such creator", one, "NOT_FOUND")
        return list(request["creator_ids"])


def make_store(folder: Path, ids: Sequence[str] = ("ana", "bo"), url: str | None = None) -> str:
    """The SQL URL of a store that holds these creators: ``url``, or a file under ``folder``; made when it is new."""
    folder.mkdir(exist_ok=True)
    url = url or url_of(folder / "store.sqlite")
    if not _is_dataset(url):
        write_tables(complete({"creators": pd.DataFrame({c.CREATOR_ID: list(ids)})}), url)
    return open_store(folder, url)


def no_release(release: Path, _: Follower) -> Follower:
    """The loader of a service that has no other release."""
    raise InputError(f"{release.name}: no such release", code="NOT_FOUND")


def open_store_at(url: str) -> Store:
    """The store there, open until the test ends."""
    OPENED.append(Store(url))
    return OPENED[-1]


def _is_dataset(url: str) -> bool:
    with suppress(InputError):
        return bool(read_raw(url, ["creators"]))
    return False


def make_api(home: Path, engine: Any, store: Store, load: Load = no_release) -> Api:
    """What answers over the engine of release 1; ``load`` makes that of another one that is promoted in ``home``."""
    served = Follower(engine, store, 0)
    releases, trials = Releases(home, store, served, "1", load), Trials(home, served, load)
    return Api(store, served, releases, trials, RankingLog(home / "rankings"))


def make_client(
    folder: Path,
    auth: Auth | None = None,
    engine: Any = None,
    host: str = "127.0.0.1",
    url: str | None = None,
    longest_s: float = LONGEST_S,
) -> TestClient:
    """A client of a service over the fake engine, called from ``host``."""
    engine, store = engine or FakeEngine(), open_store_at(make_store(folder, url=url))
    return TestClient(
        build_app(make_api(folder, engine, store), auth or Auth(), Books(store), longest_s),
        base_url=f"http://{host}:3000",
        client=("127.0.0.1", 1),
    )


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and the first field of an error in our one shape."""
    error = ErrorAnswer.model_validate_json(answer.content).error
    return answer.status_code, error.code, error.details[0].field if error.details else ""
