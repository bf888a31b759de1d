"""Starting the real service as its users do, and stopping it whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

CREATORMATCH = str(Path(sys.executable).with_name("creatormatch"))
PATIENCE = 240.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def service_on(port: int) -> psutil.Process:
    """The process that this one started to serve on ``port``; its children are the workers."""
    children = psutil.Process().children()
    return next(one for one in children if str(port) in one.cmdline())


def workers_of(service: psutil.Process) -> list[psutil.Process]:
    """The workers that are alive."""
    return [one for one in service.children() if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    log: Path,
    env: Mapping[str, str],
    cwd: Path,
    end: signal.Signals = signal.SIGINT,
    readiness: int = 200,
) -> Iterator[httpx.Client]:
    """A client of the service that ``command`` starts on ``port``, once it tells this ``readiness``; it is ended by
    signal ``end``."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **env}, stdout=output, stderr=output, start_new_session=True
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                _wait_until(readiness, client, process, log)
                yield client
        finally:
            stop(process, end)


def _wait_until(readiness: int, client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if client.get("/readyz").status_code == readiness:
                return
        time.sleep(0.2)
    raise AssertionError(f"the service did not become ready:\n{log.read_text()[-4000:]}")


def stop(process: "subprocess.Popen[bytes]", end: signal.Signals) -> None:
    """BentoML's worker is a process of its own, so all of them go; SIGKILL is for all of them at once."""
    everyone = [*psutil.Process(process.pid).children(recursive=True), process] if process.poll() is None else []
    if end != signal.SIGKILL:
        process.send_signal(end)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
    for one in everyone:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()
