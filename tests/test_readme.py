"""The README's commands and requests, run as they stand there."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.serve import free_port, running

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
REQUESTS = re.findall(r"```http\nPOST (\S+)\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^\$ (creatormatch .+)$", README, re.MULTILINE)
BRIEF = re.findall(r"```json\n(.*?)```", README, re.DOTALL)[0]
CREATORMATCH = str(Path(sys.executable).with_name("creatormatch"))


@pytest.fixture(scope="module")
def folder(home: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder as ``make run`` leaves it: data/ with the release, data/sample/, and the saved brief.json."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(home, folder / "data")
    shutil.copytree(dataset, folder / "data" / "sample")
    (folder / "brief.json").write_text(BRIEF, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[httpx.Client]:
    port = free_port()
    command = [CREATORMATCH, "serve", "--data", "data/sample", "--port", str(port)]
    with running(command, port, folder / "log", {}, folder) as client:
        yield client


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(command: str, folder: Path) -> None:
    done = subprocess.run([CREATORMATCH, *command.split()[1:]], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    if "--json" in command:
        json.loads(done.stdout)


@pytest.mark.parametrize(("route", "body"), REQUESTS, ids=[route for route, _ in REQUESTS])
def test_request_is_answered(route: str, body: str, service: httpx.Client) -> None:
    answer = service.post(route, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text


def test_every_posted_route_of_the_table_has_an_example_or_writes() -> None:
    table = set(re.findall(r"/v1/[a-z_/]+", README.split("| route |")[1].split("```")[0]))
    writes = {
        "/v1/creators/upsert", "/v1/creators/delete", "/v1/events", "/v1/feedback", "/v1/fraud/labels",
        "/v1/credit/assess", "/v1/models/reload",
    }  # fmt: skip
    assert table - writes == {route for route, _ in REQUESTS}


def test_linked_files_exist() -> None:
    root = Path(__file__).parents[1]
    assert all((root / link).is_file() for link in re.findall(r"\]\((docs/[^)#]+)", README))
