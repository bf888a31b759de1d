"""What developer and CI run is one thing, and what is installed is pinned."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text().split()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement: str) -> str:
    return re.split(r"[=\[<>]", requirement)[0].lower().replace("_", "-")


def test_lock_pins_every_package_exactly_and_names_no_place() -> None:
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in LOCK)
    assert len({name_of(line) for line in LOCK}) == len(LOCK)


def test_lock_holds_what_the_project_asks_for() -> None:
    asked = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    assert {name_of(line) for line in asked} <= {name_of(line) for line in LOCK}
    assert {line for line in asked if "==" in line} <= set(LOCK)


def test_makefile_installs_the_locked_torch_first() -> None:
    pinned = re.search(r"^TORCH := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert pinned is not None
    assert pinned[1] in LOCK


def test_ci_runs_what_the_developer_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("exec make test")


@pytest.mark.parametrize("target", ["run", "stop", "test", "check", "bench", "lock", "clean"])
def test_make_help_names_the_target_and_make_knows_it(target: str) -> None:
    assert f"make {target}" in subprocess.check_output(["make", "help"], cwd=ROOT, text=True)
    assert (
        subprocess.run(["make", "--dry-run", target, "INSTA_BRANDS=x"], cwd=ROOT, capture_output=True).returncode == 0
    )


@pytest.mark.parametrize("room", ["features", "models", "serving", "training"])
def test_nothing_that_is_loaded_can_be_code(room: str) -> None:
    """What ruff does not see of it (pickle, marshal, eval, exec, yaml.load and shells are its S rules)."""
    danger = re.compile(r"allow_pickle=True|\bjoblib\b|cloudpickle|torch\.load|load_pickle")
    assert [str(path) for path in (ROOT / room).rglob("*.py") if danger.search(path.read_text())] == []
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["select"]
    assert {"S102", "S301", "S302", "S307", "S506", "S602", "S605"} <= set(rules)
