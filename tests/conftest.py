"""A simulated dataset and a release trained on it, built once for all tests of a run, also with pytest-xdist."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pytest
from hypothesis import settings

from tests.postgres import Server, running_server

settings.register_profile("no deadlines", deadline=None)  # on a busy machine an example may take seconds
settings.load_profile("no deadlines")
SEED = 7


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--crashes", type=int, default=2, help="how often tests/serving/test_crash.py kills the service")
    parser.addoption("--workers", type=int, default=1, help="processes of each service in test_replicas.py")
    parser.addoption("--swaps", type=int, default=3, help="how often tests/end_to_end/test_swaps.py promotes a release")
    parser.addoption("--kills", type=int, default=1, help="how often test_faults.py kills a worker")
    parser.addoption("--cases", type=int, default=100, help="requests of test_openapi.py, examples of each fuzz test")


@pytest.fixture(scope="session")
def cases(request: pytest.FixtureRequest) -> int:
    """How many requests or examples a test draws: ``--cases``."""
    return int(request.config.getoption("--cases"))


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    """How many workers are killed: ``--kills``."""
    return int(request.config.getoption("--kills"))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def dataset(shared: Path) -> Path:
    """A simulated marketplace of 400 creators, 120 briefs and 150 days; with its truth/. Read only."""
    return _built_once(shared / "dataset", _simulate)


@pytest.fixture(scope="session")
def home(shared: Path, dataset: Path) -> Path:
    """A data directory whose champion is trained on ``dataset``. Read only: copy it to write."""
    return _built_once(shared / "home", lambda folder: _train(dataset, folder))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for this process's tests alone."""
    with running_server() as server:
        yield server


def _built_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """``folder`` as ``build`` made it; whoever comes while another worker builds waits for it."""
    done = folder.with_suffix(".done")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            build(folder)
            done.touch()
    return folder


def _simulate(folder: Path) -> None:
    from training.simulate import simulate, write
    from training.world import WORLD_1

    write(simulate(WORLD_1, creators=400, briefs=120, days=150, rng=np.random.default_rng(SEED)), folder)


def _train(dataset: Path, home: Path) -> None:
    from features.tables import read_tables
    from models.registry import Registry
    from training.train import train

    train(read_tables(dataset), home, seed=SEED)
    Registry(home).promote()
