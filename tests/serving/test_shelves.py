"""The catalogue of a large store is built once, by a process of its own, and every worker maps it."""

from pathlib import Path

import pandas as pd
import pytest

from features import columns as c
from features.errors import InputError
from features.schema import AUDIENCE, CREATORS, Tables, conform
from features.tables import read_tables, write_tables
from models.registry import local_champion
from serving import loader
from serving.loader import Loader
from serving.opening import open_store, url_of
from serving.shelves import Shelves
from serving.store import Store

FEW = 25


@pytest.fixture(scope="module")
def few(dataset: Path) -> Tables:
    tables = read_tables(dataset)
    ids = tables["creators"][c.CREATOR_ID].unique()[:FEW]
    return {name: one[one[c.CREATOR_ID].isin(ids)] if c.CREATOR_ID in one else one for name, one in tables.items()}


@pytest.fixture
def url(few: Tables, tmp_path: Path) -> str:
    there = url_of(tmp_path / "store.sqlite")
    write_tables(few, there)
    return open_store(tmp_path, there)


def test_workers_map_one_catalogue_and_take_over_what_was_written_since(
    url: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "LARGE", 1)
    release, store, shelves = local_champion(home), Store(url), Shelves(tmp_path, url)
    first = Loader(tmp_path, store, shelves).first(release)
    folder, number = shelves.newest(release.name) or (tmp_path, -1)
    assert number == 0
    assert first.engine.catalogue.state.text.base is not None  # the pages of a file
    row = {c.CREATOR_ID: "new", c.FOLLOWERS_COUNT: 5e8, c.OBSERVED_AT: first.engine.as_of}
    with store.writing() as it:
        it.upsert(conform(pd.DataFrame([row]), CREATORS), conform(pd.DataFrame(), AUDIENCE))
    second = Loader(tmp_path, store, shelves).first(release)
    for one in (first, second):
        assert one.follow()
        assert one.engine.search({"page_size": 1})["results"][0]["creator_id"] == "new"
    assert shelves.newest(release.name) == (folder, 0)
    newer = shelves.build(release, 1)
    assert newer == shelves.newest(release.name) == shelves.build(release, 1)
    monkeypatch.setattr(loader, "MOST_BEHIND", -1)
    assert Loader(tmp_path, store, shelves).beside(release, first).engine.catalogue.size == second.engine.catalogue.size


def test_a_catalogue_that_cannot_be_built_says_so(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be built"):
        Shelves(tmp_path, url).build(tmp_path / "no-release", 0)
    assert Shelves(tmp_path, url).newest("no-release") is None
