"""Kill -9 in the middle of a stream of writers: what was acknowledged is there, and nothing is there twice."""

import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from queue import SimpleQueue
from threading import Event
from typing import Any

import httpx
import numpy as np
import pandas as pd

from features.asof import data_as_of
from features.tables import read_tables
from models.credit import credit_answers
from models.credit_policy import load_policy
from tests.end_to_end.serve import free_port
from tests.serving.fakes import make_store
from tests.serving.server import start

WRITERS = 8
STEPS = ("INVITED", "ACCEPTED", "CONTRACTED", "CONTENT_SUBMITTED", "CONTENT_APPROVED", "PUBLISHED", "SETTLED")
CREATORS = [f"c{i}" for i in range(20)]
Row = dict[str, Any]


def batch_of(writer: int, number: int) -> list[Row]:
    """A collaboration from beginning to end."""
    key = f"{writer}-{number}"
    same = {"collaboration_id": key, "creator_id": CREATORS[(writer + number) % len(CREATORS)], "brand_id": "b"}
    return [
        {"event_id": f"{key}-{i}", "event_type": kind, "event_time": f"2025-05-0{i + 1}T00:00:00"} | same
        for i, kind in enumerate(STEPS)
    ]


def write(port: int, writer: int, told: "SimpleQueue[int]", done: Event) -> list[Row]:
    """Sends one batch after another, each until it is acknowledged, and tells so; answers the events acknowledged."""
    acknowledged: list[Row] = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for number in count():
            batch = batch_of(writer, number)
            answer = sent(client, batch)
            assert answer["rejected"] == 0, answer
            acknowledged += batch
            told.put(writer)
            if done.is_set():
                return acknowledged
    raise AssertionError


def sent(client: httpx.Client, batch: list[Row]) -> Row:
    while True:
        with suppress(httpx.TransportError):
            answer = client.post("/v1/events", json={"events": batch})
            if answer.status_code == 200:
                return dict(answer.json())
        time.sleep(0.05)


def killed(url: str, times: int, rng: np.random.Generator, check: Callable[[int], None]) -> list[Row]:
    """The events that writers saw acknowledged while the service was killed so many times; ``check`` is told the port
    of the one that was started last."""
    port, told, done = free_port(), SimpleQueue[int](), Event()
    process = start(url, port)
    try:
        with ThreadPoolExecutor(WRITERS) as pool:
            writers: list[Future[list[Row]]] = [pool.submit(write, port, one, told, done) for one in range(WRITERS)]
            for _ in range(times):
                for _ in range(rng.integers(4, 3 * WRITERS)):
                    told.get(timeout=60)
                time.sleep(rng.uniform(0, 0.1))
                process.send_signal(signal.SIGKILL)
                process.wait()
                process = start(url, port)
                while not told.empty():
                    told.get()
            done.set()
            events = [event for writer in writers for event in writer.result()]
        check(port)
    finally:
        process.kill()
        process.wait()
    return events


def test_no_acknowledged_event_is_lost_or_doubled_and_credit_is_that_of_a_replay(tmp_path, url, crashes):
    make_store(tmp_path, CREATORS, url)
    shown: list[Row] = []

    def ask(port: int) -> None:
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/credit", json={"creator_ids": CREATORS}, timeout=30)
        shown.extend(answer.json()["results"])

    acknowledged = killed(url, crashes, np.random.default_rng(crashes), ask)
    tables = read_tables(url)
    stored = tables["collaboration_events"]
    assert Counter(stored["event_id"]) == Counter(event["event_id"] for event in acknowledged)
    sent_rows = pd.DataFrame(acknowledged).set_index("event_id").sort_index()
    kept = stored.set_index("event_id").sort_index()[sent_rows.columns]
    assert kept.astype("str").equals(sent_rows.assign(event_time=pd.to_datetime(sent_rows["event_time"])).astype("str"))
    replay = credit_answers(stored, tables["creators"], load_policy(), data_as_of(tables), CREATORS)
    assert shown == replay
    assert len(acknowledged) >= 4 * len(STEPS) * crashes
