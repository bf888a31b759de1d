"""The real service under good keys, bad keys and no keys."""

import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path

import httpx
import pytest

from features.source import InMemory
from features.tables import read_tables
from models.engine import Engine
from models.registry import local_champion
from serving.auth import hash_key
from serving.headers import ALWAYS
from tests.end_to_end.serve import free_port, running
from tests.serving.fakes import error_of, make_client
from tests.serving.test_app import examples

ROOT = Path(__file__).parents[2]
SERVE = [sys.executable, "-m", "bentoml", "serve", "serving.service:CreatorMatch", "--working-dir", str(ROOT)]
GOOD, NEW, BAD = ("good-secret-9f2c", "new-secret-77aa", "bad-secret-41d0")


def key(secret: str, scope: str) -> dict[str, object]:
    return {"name": f"{scope}-desk", "sha256": hash_key(secret), "scopes": [scope]}


def start(folder: Path, readiness: int = 200, **env: str) -> AbstractContextManager[httpx.Client]:
    """The service on every address, as ``bentoml serve`` starts it, with ``folder``/home."""
    port = free_port()
    env |= {"CREATORMATCH_HOME": str(folder / "home"), "BENTOML_DO_NOT_TRACK": "True"}
    command = [*SERVE, "--host", "0.0.0.0", "--port", str(port)]
    return running(command, port, folder / "log", env, folder, readiness=readiness)


@pytest.fixture(scope="module")
def folder(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("security")
    shutil.copytree(home, folder / "home")
    (folder / "keys.json").write_text(json.dumps([key(GOOD, "risk")]))
    return folder


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    """When it is closed the service is stopped."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def service(folder: Path, dataset: Path, stack: ExitStack) -> httpx.Client:
    keys = str(folder / "keys.json")
    return stack.enter_context(start(folder, CREATORMATCH_DATA=str(dataset), CREATORMATCH_KEYS=keys))


@pytest.fixture(scope="module")
def creator(dataset: Path) -> str:
    return str(read_tables(dataset)["creators"]["creator_id"].min())


def score(service: httpx.Client, secret: str, creator: str) -> httpx.Response:
    shown = {"authorization": f"Bearer {secret}"}
    return service.post("/v1/fraud/score", json={"creator_ids": [creator]}, headers=shown)


def test_every_answer_has_the_security_headers_and_tells_no_product(service, creator):
    answers = [
        service.get(path) for path in ("/", "/docs.json", "/livez", "/readyz", "/metrics", "/schema.json", "/no")
    ]
    answers += [score(service, secret, creator) for secret in (GOOD, BAD)]
    shown = {"authorization": f"Bearer {GOOD}"}
    answers += [service.post(path, json={}, headers=shown) for path in ("/v1/fraud/score", "/v1/models")]
    assert [one.status_code for one in answers] == [200] * 6 + [404, 200, 401, 400, 403]
    for one in answers:
        assert {name.decode(): value.decode() for name, value in ALWAYS}.items() <= one.headers.items(), one.url
        assert "server" not in one.headers


def test_a_key_is_replaced_while_the_service_runs(service, folder, creator):
    assert score(service, NEW, creator).status_code == 401
    (folder / "keys.json").write_text(json.dumps([key(GOOD, "risk"), key(NEW, "risk")]))
    time.sleep(1)
    assert [score(service, secret, creator).status_code for secret in (GOOD, NEW)] == [200, 200]
    (folder / "keys.json").write_text("[{")
    time.sleep(1)
    assert [score(service, secret, creator).status_code for secret in (GOOD, NEW, BAD)] == [200, 200, 401]
    assert "the new keys are refused, the old ones stay" in (folder / "log").read_text()


def test_once_stopped_the_audit_has_every_read_and_no_secret_was_written(service, folder, stack, creator):
    reads = [score(service, secret, creator).status_code for secret in (GOOD, BAD, GOOD)]
    assert reads == [200, 401, 200]
    score(service, f"{BAD}\x7f", creator)
    broken = {"authorization": f"Bearer {GOOD}", "content-type": "application/json"}
    assert service.post("/v1/fraud/score", content='{"creator_ids"', headers=broken).status_code == 400
    stack.close()
    (store,) = (folder / "home" / "stores").glob("*.sqlite")
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute("SELECT caller, route, subjects, request_id IS NULL FROM audit").fetchall()
    assert rows[-2:] == [("risk-desk", "/v1/fraud/score", json.dumps([creator]), 0)] * 2
    written = [path for path in (folder / "log", *(folder / "home").rglob("*")) if path.is_file()]
    assert not [path for path in written for secret in (GOOD, NEW, BAD) if secret.encode() in path.read_bytes()]


def test_without_keys_it_does_not_serve_other_machines(tmp_path):
    with start(tmp_path, readiness=503) as client:
        status, _, field = error_of(client.post("/v1/models", json={}))
    assert (status, field) == (503, "--host")
    assert "not ready: --host: without CREATORMATCH_KEYS must be 127.0.0.1" in (tmp_path / "log").read_text()


def with_leaves(value: object, put: str) -> Iterator[object]:
    """``value`` with ``put`` in the place of one of its strings, for each of them."""
    if isinstance(value, str):
        yield put
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, part in parts:
        for other in with_leaves(part, put):
            changed = value.copy()
            changed[place] = other
            yield changed


def test_nothing_that_a_request_names_is_opened(home, dataset, tmp_path):
    engine = Engine.load(local_champion(home), InMemory(read_tables(dataset)), home / "embeddings")
    client = make_client(tmp_path, engine=engine)
    named, opened = tmp_path / "named.json", []
    named.touch()
    sys.addaudithook(lambda event, values: opened.append(values) if event == "open" and str(named) in values else None)
    named.read_text()  # and so it would be seen
    assert len(opened) == 1
    statuses = set()
    for path, example in examples(client).items():
        for body in (*with_leaves(example, str(named)), example | {"page_token": str(named)}):
            statuses.add(client.post(path, json=body).status_code)
    assert (statuses, len(opened)) == ({200, 400, 404}, 1)
