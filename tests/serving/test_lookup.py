"""Rows that are looked up in a store are those that tables in memory hold, and answers made of either are the same."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from features import columns as c
from features.bank import TextBank
from features.schema import CONTRACT, Tables
from features.source import InMemory, Source, about
from features.tables import read_tables, write_tables
from features.text import EMBEDDINGS, EmbeddingCache, encoder_name, load_encoder
from models.bundle import Bundle
from models.engine import Engine
from models.kept import CREDIT, FRAUD, Kept
from models.lookup import Lookup
from models.registry import local_champion
from models.shelf import save_catalogue
from serving.ahead import begin_beside, make
from serving.follower import Follower
from serving.opening import open_store
from serving.store import Store
from tests.models.test_catalogue import anew, copied
from tests.serving.fakes import open_store_at
from tests.serving.test_store import event, events

FEW = 25
NOW = pd.Timestamp("2030-01-01")


@pytest.fixture(scope="module")
def few(dataset: Path) -> Tables:
    tables = read_tables(dataset)
    ids = tables["creators"][c.CREATOR_ID].unique()[:FEW]
    return {
        name: frame[frame[c.CREATOR_ID].isin(ids)] if c.CREATOR_ID in frame else frame for name, frame in tables.items()
    }


@pytest.fixture
def store(few: Tables, url: str, tmp_path: Path) -> Store:
    write_tables(few, url)
    return open_store_at(open_store(tmp_path, url))


@pytest.fixture(scope="module")
def release(home: Path) -> tuple[Bundle, TextBank]:
    bundle = Bundle.load(local_champion(home))
    return bundle, TextBank(load_encoder(encoder_name(bundle.encoder_id)), EmbeddingCache(home / EMBEDDINGS))


def engine(release: tuple[Bundle, TextBank], source: Source) -> Engine:
    return Engine(release[0], source, release[1])


def ordered(frame: pd.DataFrame) -> pd.DataFrame:
    rows = pd.Series([str(row) for row in frame.itertuples(index=False)], dtype="str")
    return frame.iloc[rows.argsort()].reset_index(drop=True)


def answers(one: Engine) -> Iterator[dict[str, Any]]:
    """Of every route that reads rows."""
    ids = sorted(one.catalogue.everyone(lambda part: part.credit).index)
    yield one.profile({"creator_ids": ids[:10]}, risk=True)
    yield one.fraud_score({"creator_ids": ids})
    yield one.fraud_queue({"limit": 10})
    yield one.fraud_simulation({})
    yield one.credit({"creator_ids": ids})
    yield one.credit_history({"creator_id": ids[3]})
    yield one.collaborations({"creator_ids": ids[:5]}, NOW)
    said = pd.concat([one.assessments(), one.policy_changes()])
    yield {"results": said.sort_values(c.EVENT_ID).to_csv(index=False)}
    past = one.fraud_history(ids[0])[1]
    yield {"results": [past.fillna(-1).to_dict()]}


@pytest.fixture(scope="module")
def expected(few: Tables, release: tuple[Bundle, TextBank]) -> list[dict[str, Any]]:
    return list(answers(engine(release, InMemory(few))))


def test_a_store_holds_the_rows_of_tables_in_memory(few, store):
    ids = list(few["creators"][c.CREATOR_ID].unique()[5:9])
    with store.reading() as stored, InMemory(few).reading() as held:
        for name in CONTRACT:
            pd.testing.assert_frame_equal(ordered(stored.table(name)), ordered(held.table(name)))
        looked_up, expected = about(stored, ids), about(held, ids)
    for name in CONTRACT:
        pd.testing.assert_frame_equal(ordered(looked_up[name]), ordered(expected[name]))
    assert len(expected["engagements"]) > len(few["engagements"][few["engagements"][c.CREATOR_ID].isin(ids)])


def test_answers_from_a_store_are_those_from_tables_in_memory(store, release, expected):
    assert list(answers(engine(release, store))) == expected


def test_after_writes_answers_are_those_of_an_engine_that_is_built_anew(few, store, release, tmp_path):
    first, second, third = few["creators"][c.CREATOR_ID].unique()[:3]
    serving = engine(release, store)
    list(answers(serving))
    kept, lookup = Kept.empty(FEW, tmp_path), serving._lookup
    lookup.make_ahead(serving.catalogue, serving._evidence, range(FEW), kept)
    serving.read_ahead(kept)
    follower, at = Follower(serving, store, 0), serving.as_of + pd.Timedelta(microseconds=1)
    job = {"collaboration_id": "k", "brand_id": "b", "event_time": at}
    with store.writing() as it:
        it.append_events(events(*(event(kind, first, event_type=kind, **job) for kind in ("INVITED", "ACCEPTED"))))
    creators = few["creators"]
    mended = creators[creators[c.CREATOR_ID] == second].tail(1).assign(bio="tea", observed_at=at)
    with store.writing() as it:
        it.upsert(mended, few["audience"][:0])
    with store.writing() as it:
        it.delete([third])
    assert follower.follow()
    new = copied(serving)
    new._catalogue, new._lookup = anew(serving), Lookup(serving._bundle, store)
    new._evidence = new._lookup.evidence(new._catalogue)
    assert list(answers(serving)) == list(answers(new))


def test_answers_made_ahead_from_a_store_and_a_catalogue_on_disk_are_those_made_when_asked(
    store, home, release, tmp_path
):
    serving, kept, folder = engine(release, store), Kept.empty(FEW, tmp_path), tmp_path / "built-x"
    save_catalogue(serving.catalogue, folder)
    save_catalogue(serving.catalogue, shared := tmp_path / "shared")
    make(local_champion(home), store.url, folder, map(os.dup, kept.descriptors))
    asked = {"creator_ids": list(serving.catalogue.state.ids)}
    assert kept.of(FRAUD, range(FEW)) == serving.fraud_score(asked)["results"]
    assert [one["answer"] for one in kept.of(CREDIT, range(FEW))] == serving.credit(asked)["results"]
    assert not folder.exists()
    Kept.beside(FEW, shared).put(CREDIT, range(3, FEW), ["made before"] * (FEW - 3))
    make(local_champion(home), store.url, shared, ())
    beside = Kept.beside(FEW, shared)
    assert beside.unmade(CREDIT, range(FEW)) == []
    for kind in (CREDIT, FRAUD):
        assert beside.of(kind, range(3)) == kept.of(kind, range(3))
    assert beside.of(CREDIT, range(3, FEW)) == ["made before"] * (FEW - 3)


def test_workers_on_one_machine_have_one_process_make_the_answers_of_a_catalogue_they_map(home, tmp_path):
    release, before = local_champion(home), psutil.Process().children()
    first, second = (begin_beside(tmp_path, release, "sqlite:///none", FEW) for _ in range(2))
    (made,) = [one for one in psutil.Process().children() if one not in before]
    second.put(CREDIT, [0, 1], ["first", "last"])
    assert first.of(CREDIT, [0, 1, 2, -1]) == ["first", "last", None, None]
    assert str(tmp_path / "told.lock") in [one.path for one in made.open_files()]  # as long as it lives
    (values,) = tmp_path.glob("told-*.values")
    os.truncate(values, len(json.dumps("first")) + 2)  # a computer lost power
    assert first.of(CREDIT, [0, 1]) == ["first", None]
    del first
    assert not made.is_running()
    third = begin_beside(tmp_path, release, "sqlite:///none", FEW)
    assert made not in psutil.Process().children()
    assert len(psutil.Process().children()) == len(before) + 1
    assert (second.size, third.size) == (FEW, FEW)
