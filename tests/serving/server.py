"""The service's own routes, store and follower in a process of its own, over an engine that starts in a second: it
knows of creators and their ledger only, and computes credit as the real one does.

Usage: python -m tests.serving.server URL PORT [FILE: by how many seconds its clock is wrong]
"""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pandas as pd
import uvicorn

from features import columns as c
from features.asof import data_as_of
from features.schema import Tables
from features.source import Rows
from features.tables import read_tables
from models.credit import credit_answers
from models.credit_policy import load_policy
from serving.api import Api
from serving.app import build_app
from serving.auth import Auth
from serving.books import Books
from serving.clock import Clock
from serving.follower import Follower
from serving.opening import open_store
from serving.rankings import RankingLog
from serving.releases import Releases
from serving.store import Store
from serving.trials import Trials
from tests.serving.fakes import no_release

ROOT = Path(__file__).parents[2]


class LedgerEngine:
    """Credit from the events that it has followed."""

    def __init__(self, tables: Tables) -> None:
        self._tables = {**tables}
        self.as_of = data_as_of(tables)

    def credit(self, request: Mapping[str, Any]) -> dict[str, Any]:
        events, creators = self._tables["collaboration_events"], self._tables["creators"]
        return {"results": credit_answers(events, creators, load_policy(), self.as_of, request["creator_ids"])}

    def search(self, _: Mapping[str, Any]) -> dict[str, Any]:
        ids = self._tables["creators"][c.CREATOR_ID]
        return {"results": [{c.CREATOR_ID: one} for one in ids], "next_page_token": None}

    def replace(self, creator_ids: Sequence[str], rows: Rows) -> None:
        for name in ("creators", "collaboration_events"):
            others = self._tables[name][~self._tables[name][c.CREATOR_ID].isin(creator_ids)]
            fresh = rows.where(name, c.CREATOR_ID, creator_ids)
            self._tables[name] = pd.concat([others, fresh], ignore_index=True)
        self.as_of = max(self.as_of, data_as_of(self._tables))


def start(url: str, port: int, *more: str) -> "subprocess.Popen[bytes]":
    """The service on that store, ready to answer."""
    process = subprocess.Popen([sys.executable, "-m", "tests.serving.server", url, str(port), *more], cwd=ROOT)
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        with suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/docs.json")
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the service did not start")


def wrong_by(path: str) -> Clock:
    return Clock(wall=lambda: time.time() + float(Path(path).read_text()))


def main(url: str, port: int, *wrong: str) -> None:
    with TemporaryDirectory() as home:
        (Path(home) / "stores").mkdir()
        store = Store(open_store(Path(home), url))
    with store.reading() as now:
        since = now.number()
    engine: Any = LedgerEngine(read_tables(url))
    follower = Follower(engine, store, since)
    follower.keep_following()
    books = Books(store)
    books.keep_settling()
    releases = Releases(Path(home), store, follower, "1", no_release)
    trials = Trials(Path(home), follower, no_release)
    api = Api(store, follower, releases, trials, RankingLog(Path(home) / "rankings"), *map(wrong_by, wrong))
    uvicorn.run(build_app(api, Auth(), books), port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
