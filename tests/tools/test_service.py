"""What ``make stop`` stops, and what it leaves alone."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools import service

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Start]:
    """Starts a process that sleeps, with these words on its command line, and notes it as the service's."""
    processes = []

    def start(*words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        (tmp_path / "service.pid").write_text(str(process.pid))
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "words", [("creatormatch", "serve", "--port", "1"), ("bentoml", "serve", "serving.service:CreatorMatch", "--x")]
)
def test_the_service_is_stopped(tmp_path: Path, started: Start, words: tuple[str, ...]) -> None:
    process = started(*words)
    service.stop(tmp_path)
    assert process.wait(10) < 0
    assert not (tmp_path / "service.pid").exists()


def test_another_server_that_got_its_number_is_left_alone(tmp_path: Path, started: Start) -> None:
    process = started("http-server", "serve")
    service.stop(tmp_path)
    assert process.poll() is None


def test_a_service_that_ends_by_itself_meanwhile_is_stopped(
    tmp_path: Path, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = started()
    process.kill()
    process.wait()
    seen = iter([True, False])
    monkeypatch.setattr(service, "_is_ours", lambda _: next(seen))
    service.stop(tmp_path)
    assert not (tmp_path / "service.pid").exists()
