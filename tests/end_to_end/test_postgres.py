"""The real service on PostgreSQL: killed while it is written to, without its store, and without its parent process."""

import shutil
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import psutil

from features.tables import read_some, read_tables, write_tables
from serving.app import THREADS
from tests.end_to_end.serve import CREATORMATCH, free_port, running, service_on, workers_of
from tests.postgres import Server

WRITERS = 8
READING = ("/v1/credit", "/v1/fraud/score", "/v1/creators/profile")  # the rows of whom they are about


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
    *ids, unasked, hung = sorted(read_tables(dataset)["creators"]["creator_id"].unique())[: WRITERS + 2]
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
        postgres.stop()
        try:
            rankings = without_a_store(service, ids, unasked)
        finally:
            postgres.start()
        with_a_store_again(service, unasked, rankings)
        while_the_store_hangs(service, postgres, hung)
        without_a_parent(port)


def without_a_store(service: httpx.Client, ids: list[str], unasked: str) -> list[dict[str, Any]]:
    """What is in memory is served and says of when it is, credit of ``ids`` too, which was asked before; the rest, such
    as that of who is ``unasked``, is a 503. Answers the rankings made meanwhile."""
    began = time.monotonic()
    rankings = [service.post("/v1/creators/rank", json={"brief": {"title": f"tea {i}"}}).json() for i in range(20)]
    assert time.monotonic() - began < 10
    assert all(one["results"] and one["data_as_of"] for one in rankings)
    assert service.post("/v1/credit", json={"creator_ids": ids[:1]}).status_code == 200
    for path, body in needing(unasked, rankings[0]):
        answer = service.post(path, json=body)
        assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1"), (path, answer.text)
    for path, body in (("/v1/creators/search", {"query": "tea"}), ("/v1/creators/similar", {"creator_ids": ids[:1]})):
        assert service.post(path, json=body).status_code == 200
    assert service.get("/readyz").status_code == 200
    return rankings


def with_a_store_again(service: httpx.Client, unasked: str, rankings: list[dict[str, Any]]) -> None:
    """Within seconds everything is answered, also feedback on what was ranked while the store was down."""
    for path, body in needing(unasked, rankings[0]):
        end = time.monotonic() + 20
        while (answer := service.post(path, json=body)).status_code == 503 and time.monotonic() < end:
            time.sleep(0.2)
        assert answer.status_code == 200, (path, answer.text)
    answers = [service.post("/v1/feedback", json=feedback(one)).json() for one in rankings[1:]]
    assert [one["accepted"] for one in answers] == [1] * len(answers)


def while_the_store_hangs(service: httpx.Client, postgres: Server, hung: str) -> None:
    """More callers want rows of creator ``hung`` than there are threads that look up: nobody else waits for them, and
    they are answered when the store answers."""
    with ThreadPoolExecutor(3 * THREADS) as pool:
        with postgres.hanging():
            asked = [
                pool.submit(service.post, "/v1/credit", json={"creator_ids": [hung]}, timeout=60)
                for _ in range(3 * THREADS)
            ]
            time.sleep(1)
            began = time.monotonic()
            rankings = [service.post("/v1/creators/rank", json={"brief": {"title": f"hung {i}"}}) for i in range(10)]
            assert time.monotonic() - began < 20
            assert {one.status_code for one in rankings} == {200}
            assert service.get("/readyz").status_code == 200
        statuses = [one.result().status_code for one in asked]
    assert set(statuses) <= {200, 429}
    assert 200 in statuses


def needing(creator_id: str, ranking: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Requests that need the store."""
    event = {
        "event_id": "outage",
        "event_type": "TRAINING_PASSED",
        "creator_id": creator_id,
        "event_time": "2025-01-01",
    }
    label = {"creator_id": creator_id, "is_fake": 0, "known_at": ranking["data_as_of"], "sampled": "RANDOM"}
    what_if = {"creator_id": creator_id, "events": [{"event_type": "TRAINING_PASSED"}]}
    return [
        ("/v1/events", {"events": [event]}),
        ("/v1/feedback", feedback(ranking)),
        ("/v1/fraud/labels", {"labels": [label]}),
        ("/v1/credit/what_if", what_if),
        ("/v1/creators/upsert", {"creators": [{"creator_id": "of-the-outage"}]}),
        ("/v1/creators/delete", {"creator_ids": ["of-the-outage"]}),
        *((path, {"creator_ids": [creator_id]}) for path in READING),
    ]


def feedback(ranking: dict[str, Any]) -> dict[str, Any]:
    shown = {"creator_id": ranking["results"][0]["creator_id"], "position": 1, "shown_at": ranking["data_as_of"]}
    return {"ranking_id": ranking["ranking_id"], "items": [shown]}


def without_a_parent(port: int) -> None:
    """BentoML's process is killed: its workers end too, so that another service can have port and store."""
    parent = service_on(port)
    workers = workers_of(parent)
    parent.kill()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive
