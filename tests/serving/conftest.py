"""The databases that a store can be in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.opening import url_of
from tests.serving.fakes import OPENED


@pytest.fixture(autouse=True)
def closed_stores() -> Iterator[None]:
    """What a test opened through the fakes is closed with it."""
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is not there yet, or empty."""
    if request.param == "sqlite":
        return url_of(tmp_path / "store.sqlite")
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def crashes(request: pytest.FixtureRequest) -> int:
    """How many times the service is killed: ``--crashes``."""
    return int(request.config.getoption("--crashes"))
