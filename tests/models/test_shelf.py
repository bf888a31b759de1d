"""A catalogue from files answers as the one that was built, and follows writes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.schema import AUDIENCE, CREATORS, Tables, conform
from features.source import InMemory
from models import index
from models.bitmaps import Subset
from models.engine import Engine
from models.index import VectorIndex
from models.shelf import load_catalogue, save_catalogue
from tests.models.writes import upsert

BRIEF = {"title": "Iced matcha", "content_labels": ["food"], "target_countries": ["US"]}
ASKED = {"brief": BRIEF, "limit": 30, "explain": True, "filters": {"min_followers": 500}}


@pytest.fixture(scope="module")
def built(engine: Engine, few: Tables) -> Engine:
    return Engine(engine._bundle, InMemory(few), engine._bank)


def mapped(built: Engine, folder: Path) -> Engine:
    save_catalogue(built.catalogue, folder)
    return Engine(built._bundle, built._lookup._source, built.bank, load_catalogue(folder))


def test_a_mapped_catalogue_answers_as_the_one_that_was_built(built: Engine, tmp_path: Path) -> None:
    other = mapped(built, tmp_path / "kept")
    ids = list(built.catalogue.state.ids)
    for ask in (
        lambda one: one.rank(ASKED) | {"ranking_id": None},
        lambda one: one.search({"sort": "CREDIT", "page_size": 50}),
        lambda one: one.similar({"creator_ids": ids[:2]}),
        lambda one: one.fraud_score({"creator_ids": ids}),
        lambda one: one.credit({"creator_ids": ids}),
        lambda one: one.fraud_queue({"limit": 5}),
    ):
        assert ask(other) == ask(built)


def test_writes_reach_a_mapped_catalogue_and_leave_its_files_alone(built: Engine, tmp_path: Path) -> None:
    other = mapped(built, tmp_path / "kept")
    row = {c.CREATOR_ID: "new", c.BIO: "matcha", c.FOLLOWERS_COUNT: 5e8, c.OBSERVED_AT: other.as_of}
    upsert(other, conform(pd.DataFrame([row]), CREATORS), conform(pd.DataFrame(), AUDIENCE))
    assert other.search({"page_size": 1})["results"][0]["creator_id"] == "new"
    assert other.catalogue.size == built.catalogue.size + 1
    assert not load_catalogue(tmp_path / "kept").missing(list(built.catalogue.state.ids))
    with pytest.raises(ValueError, match="just built"):
        save_catalogue(other.catalogue, tmp_path / "again")


def test_cells_of_a_file_find_what_those_in_memory_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, small in (("LARGE", 1000), ("CELLS", 16), ("READ", 1500), ("SCANNED", (200, 600)), ("MOST_GATHERED", 10)):
        monkeypatch.setattr(index, name, small)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(3000, 16)).astype(np.float32)
    made = VectorIndex(range(3000), vectors)
    made.save(tmp_path / "cells")
    read = VectorIndex(range(3000), vectors, tmp_path / "cells")
    for share in (1.0, 0.5, 0.05, 0.01, 0.0):
        allowed, query = rng.random(3000) < share, vectors[7]
        found, scores = read.search(query, 50, Subset.of(allowed))
        np.testing.assert_array_equal(found, made.search(query, 50, Subset.of(allowed))[0])
        exact = np.flatnonzero(allowed)[np.argsort(-(vectors[allowed] @ query), kind="stable")[:50]]
        assert allowed[found].all()
        assert len(found) == len(exact)
        assert not len(exact) or np.isin(exact, found).mean() > 0.5
        np.testing.assert_allclose(scores, vectors[found] @ query, rtol=1e-5)
