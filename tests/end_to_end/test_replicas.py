"""Two services on one PostgreSQL database whose models come from an MLflow server, as they would on machines of their
own: each has its own data directory and port, and a third, the trainer's, promotes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from features.tables import read_tables, write_tables
from features.text import EMBEDDINGS
from models.registry import SERVER, Registry
from models.release import build_manifest, read_manifest, read_meta
from tests.end_to_end.serve import free_port, running, stop

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CREATORMATCH = str(BIN / "creatormatch")
SERVED = re.compile(r'^creatormatch_release_version\{pid="\d+"\} (\d+)\.0$', re.MULTILINE)
QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # else seven processes that nobody asks for anything
ANSWERS = 8  # on connections of their own, which the system deals out to the workers
PATIENCE = 90.0


@pytest.fixture
def workers(request: pytest.FixtureRequest) -> int:
    """How many processes each service has: ``--workers``."""
    return int(request.config.getoption("--workers"))


@contextmanager
def background(command: Sequence[str], log: Path, **env: str) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("w") as output:
        process = subprocess.Popen(command, env={**os.environ, **env}, stdout=output, stderr=output)
        try:
            yield process
        finally:
            stop(process, signal.SIGKILL)


def wait_for(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> float:
    """Seconds until it holds."""
    began = time.monotonic()
    while time.monotonic() < began + patience:
        with suppress(httpx.TransportError):
            if condition():
                return time.monotonic() - began
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {patience} seconds")


def mlflow_server(folder: Path, port: int) -> list[str]:
    command = [str(BIN / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'server.db'}", "--serve-artifacts"]
    return [*command, "--artifacts-destination", str(folder / "artifacts")]


def serve(port: int) -> list[str]:
    """As in a container: without the checks of ``creatormatch serve``."""
    command = [str(BIN / "bentoml"), "serve", "serving.service:CreatorMatch", "--working-dir", str(ROOT)]
    return [*command, "--host", "127.0.0.1", "--port", str(port)]


def settings(home: Path, url: str, workers: int) -> dict[str, str]:
    own = {"CREATORMATCH_HOME": str(home), "CREATORMATCH_DATA": url, "CREATORMATCH_WORKERS": str(workers)}
    return {**own, "BENTOML_HOME": str(home / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}


def register(registry: Registry, release: Path, folder: Path) -> str:
    """The models of a release of another registry, as a release of this one."""
    folders = {name: shutil.copytree(release / name, folder / name) for name in read_manifest(release).models}
    versions = {name: registry.log_model(one, read_meta(one)) for name, one in folders.items()}
    return registry.register_release(build_manifest(folders, versions, "2026-01-01T00:00:00+00:00"))


def test_writes_and_promotions_reach_every_replica(home, dataset, postgres, tmp_path, workers):
    url, mlflow_port, ports = postgres.new_database(), free_port(), [free_port(), free_port()]
    homes = [tmp_path / "one", tmp_path / "two"]
    registry = {SERVER: f"http://127.0.0.1:{mlflow_port}"}
    with ExitStack() as stack:
        server = stack.enter_context(background(mlflow_server(tmp_path, mlflow_port), tmp_path / "mlflow.log", **QUIET))
        write_tables(read_tables(dataset), url)
        wait_for(lambda: httpx.get(f"{registry[SERVER]}/health").status_code == 200, "the MLflow server's start")
        trainer = Registry(tmp_path / "trainer", registry[SERVER])
        for letter in "ab":
            register(trainer, home / "releases" / "1", tmp_path / letter)
        assert trainer.promote("1") == "1"
        pulls = []
        for own in homes:
            shutil.copytree(home / EMBEDDINGS, own / EMBEDDINGS)
            command = [CREATORMATCH, "pull", "--every", "0.5", "--home", str(own)]
            pulls.append(stack.enter_context(background(command, own / "pull.log", **registry)))
        wait_for(lambda: all((own / "champion.json").is_file() for own in homes), "the first release's arrival")
        services = [
            running(serve(port), port, own / "log", settings(own, url, workers), own)
            for own, port in zip(homes, ports, strict=True)
        ]
        with ThreadPoolExecutor(len(services)) as pool:
            one, two = pool.map(stack.enter_context, services)

        creator = sorted(read_tables(dataset)["creators"]["creator_id"])[0]
        ask = {"creator_ids": [creator]}

        def score(client: httpx.Client) -> float:
            answer = httpx.post(client.base_url.join("/v1/credit"), json=ask, timeout=60)
            return float(answer.json()["results"][0]["score"])

        before = score(two)
        event = {"event_id": "e", "event_type": "TRAINING_PASSED", "creator_id": creator, "event_time": "2025-01-01"}
        assert one.post("/v1/events", json={"events": [event]}).json()["accepted"] == 1
        seen = wait_for(lambda: score(two) > before, "the event at the other replica")
        wait_for(lambda: all(score(two) > before for _ in range(ANSWERS)), "the event in all workers")
        assert len({score(client) for client in (one, two) for _ in range(ANSWERS)}) == 1

        def served(client: httpx.Client) -> list[str]:
            return SERVED.findall(client.get("/metrics").text)

        assert [served(client) for client in (one, two)] == [["1"] * workers] * 2
        assert trainer.promote("2") == "2"
        swapped = wait_for(lambda: all(served(c) == ["2"] * workers for c in (one, two)), "the second release")
        print(f"event seen after {seen:.1f} s, release 2 served after {swapped:.1f} s")  # noqa: T201

        stop(server, signal.SIGKILL)
        lost = subprocess.run(
            [CREATORMATCH, "pull", "--home", str(homes[0])], env=os.environ | registry, capture_output=True, check=False
        )
        assert (lost.returncode, b"the registry does not answer" in lost.stderr) == (2, True)
        for client in (one, two):
            answer = client.post("/v1/creators/rank", json={"brief": {"title": "street food"}, "limit": 3}).json()
            assert (len(answer["results"]), answer["models"]["release"]) == (3, "2")
        assert [pull.poll() for pull in pulls] == [None, None]
