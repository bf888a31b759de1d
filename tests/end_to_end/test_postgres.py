"""The real service on PostgreSQL, killed while it is written to."""

import shutil
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx

from features.tables import read_some, read_tables, write_tables
from tests.end_to_end.serve import CREATORMATCH, free_port, running

WRITERS = 8


def writes(port: int, creator_id: str) -> list[str]:
    """The events that were acknowledged before the service was gone."""
    acknowledged = []
    with suppress(httpx.TransportError), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as service:
        for number in range(10_000):
            event = {"event_id": f"{creator_id}-{number}", "event_type": "TRAINING_PASSED", "creator_id": creator_id}
            answer = service.post("/v1/events", json={"events": [event | {"event_time": "2025-01-01"}]})
            assert answer.json()["accepted"] == 1, answer.text
            acknowledged.append(event["event_id"])
    return acknowledged


def stored(url: str) -> int:
    return len(read_some(url, ["collaboration_events"])["collaboration_events"])


def test_what_was_acknowledged_outlasts_kill_9_and_credit_is_computed_from_it(home, dataset, postgres, tmp_path):
    url, port = postgres.new_database(), free_port()
    write_tables(read_tables(dataset), url)
    own_home = shutil.copytree(home, tmp_path / "home")
    ids = sorted(read_tables(dataset)["creators"]["creator_id"].unique())[:WRITERS]
    command = [CREATORMATCH, "serve", "--home", str(own_home), "--data", url, "--port", str(port)]
    log, known = tmp_path / "log", stored(url)

    def credit(service: httpx.Client) -> list[dict[str, Any]]:
        return list(service.post("/v1/credit", json={"creator_ids": ids}).json()["results"])

    with ThreadPoolExecutor(WRITERS) as pool:
        with running(command, port, log, {}, tmp_path, signal.SIGKILL) as service:
            before = credit(service)
            writers: list[Future[list[str]]] = [pool.submit(writes, port, one) for one in ids]
            while stored(url) < known + 3 * WRITERS:
                time.sleep(0.1)
        acknowledged = {event_id for writer in writers for event_id in writer.result()}
    ledger = read_tables(url)["collaboration_events"]["event_id"]
    assert ledger.is_unique
    assert len(acknowledged) >= WRITERS
    assert acknowledged <= set(ledger)
    with running(command, port, log, {}, tmp_path) as service:
        assert all(now["score"] > then["score"] for now, then in zip(credit(service), before, strict=True))
