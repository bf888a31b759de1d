"""One engine over the shared release for the tests that only read, and one of their own for those that write."""

from pathlib import Path

import pytest

from features import columns as c
from features.schema import Tables
from features.source import InMemory
from features.tables import read_tables
from models.engine import Engine
from models.registry import local_champion

FEW = 60


@pytest.fixture(scope="session")
def few(dataset: Path) -> Tables:
    """The dataset with its first 60 creators only: enough to search, quick to rebuild."""
    tables = read_tables(dataset)
    ids = set(tables["creators"][c.CREATOR_ID].unique()[:FEW])
    return {
        name: frame[frame[c.CREATOR_ID].isin(ids)].reset_index(drop=True) if c.CREATOR_ID in frame else frame
        for name, frame in tables.items()
    }


@pytest.fixture(scope="session")
def engine(home: Path, dataset: Path) -> Engine:
    """Over the whole dataset. Read only."""
    return Engine.load(local_champion(home), InMemory(read_tables(dataset)), home / "embeddings")


@pytest.fixture
def own_engine(engine: Engine, few: Tables) -> Engine:
    """Over 60 creators, free to write to."""
    return Engine(engine._bundle, InMemory(few), engine._bank)
