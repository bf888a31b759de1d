"""The compose file cannot be run where there is no Docker: here it is read, and held against what the project has."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from training.cli import app

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tools" / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_names_only_what_there_is(name):
    service = SERVICES[name]
    assert "image" in service
    assert {*service.get("depends_on", {})} <= SERVICES.keys()
    assert {one.partition(":")[0] for one in service.get("volumes", ())} <= COMPOSE["volumes"].keys()
    assert {*service.get("secrets", ())} <= COMPOSE["secrets"].keys()
    if "build" in service:
        assert (FOLDER / service["build"]["context"]).resolve() == ROOT
        assert (ROOT / service["build"]["dockerfile"]).is_file()


def test_whoever_waits_for_a_healthy_one_waits_for_one_that_tells():
    waited = {
        one for each in SERVICES.values() for one, how in each.get("depends_on", {}).items() if "healthy" in str(how)
    }
    assert all("healthcheck" in SERVICES[one] for one in waited)


def test_its_commands_are_ours():
    commands = " ".join(
        shlex.join(one) if isinstance(one, list) else one
        for one in (service.get("command", "") for service in SERVICES.values())
    )
    ours = set(re.findall(r"creatormatch ([a-z-]+)", commands))
    assert ours == {"simulate", "train", "promote", "pull"}
    assert ours <= {*get_command(app).commands}
    assert "serving.service:CreatorMatch" in commands


def test_the_image_copies_what_there_is_and_runs_as_nobody_special():
    lines = (FOLDER / "Dockerfile").read_text().splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert {"features", "models", "serving", "training", "requirements.lock"} <= {*copied}
    assert all((ROOT / one).exists() for one in copied)
    assert "USER creatormatch" in lines
