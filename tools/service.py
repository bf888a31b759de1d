"""Starts the service in the background and waits until it answers; stops it again. Only the standard library.

Usage: service.py start DATA_DIR PORT | stop DATA_DIR PORT
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

PATIENCE_S = 120
# In /proc words end with a null byte; the command becomes BentoML in the same process.
OURS = (b"creatormatch\0serve\0", b"serving.service:CreatorMatch\0")
READY = """
CreatorMatch answers on http://127.0.0.1:{port} (its log is {log}; make stop ends it). Ask it for creators:

  curl -s http://127.0.0.1:{port}/v1/creators/rank -H 'Content-Type: application/json' -d '{brief}'

The registry, in MLflow's UI:

  {mlflow} ui --workers 1 --backend-store-uri sqlite:///{data}/mlflow.db
"""
BRIEF = '{"brief": {"title": "Iced matcha", "description": "Cozy summer recipes"}, "limit": 3}'


def start(data: Path, port: int) -> None:
    """Starts the service anew and returns when it is ready; exits with its log when it ends or stays silent."""
    stop(data)
    if _taken(port):
        sys.exit(f"port {port} is taken by another program; choose one with: make run PORT=3001")
    log = data / "service.log"
    command = [str(_beside("creatormatch")), "serve", "--home", str(data), "--data", str(data / "sample")]
    command += ["--port", str(port)]
    with log.open("wb") as output:
        service = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    _pid_file(data).write_text(str(service.pid))
    deadline = time.monotonic() + PATIENCE_S
    while not _ready(port):
        if service.poll() is not None or time.monotonic() > deadline:
            stop(data)
            sys.exit(f"the service did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.2)
    sys.stdout.write(READY.format(port=port, brief=BRIEF, log=log, data=data, mlflow=_beside("mlflow")))


def stop(data: Path) -> None:
    """Stops the service that :func:`start` started, if it still runs."""
    if not _pid_file(data).exists():
        return
    pid = int(_pid_file(data).read_text())
    _pid_file(data).unlink()
    if not _is_ours(pid):
        return
    with suppress(ProcessLookupError):  # it may end by itself just now
        os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    while _is_ours(pid) and time.monotonic() < deadline:
        time.sleep(0.1)


def _is_ours(pid: int) -> bool:
    """Whether the process is still our service: after a reboot its number may be anyone's."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return any(words in command for words in OURS)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _beside(name: str) -> Path:
    return Path(sys.executable).parent / name


def _pid_file(data: Path) -> Path:
    return data / "service.pid"


if __name__ == "__main__":
    action, folder, number = sys.argv[1:]
    if action == "start":
        start(Path(folder).resolve(), int(number))
    else:
        stop(Path(folder).resolve())
