"""A promoted release is swapped in whole, or refused once and reported, while the one before it answers."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.errors import InputError
from features.schema import COLLABORATION_EVENTS, conform
from models.registry import POINTER
from models.release import Manifest, write_manifest
from serving.follower import Follower
from serving.metrics import RELEASES
from serving.releases import Load, Releases, first_served
from serving.store import Store
from tests.serving.fakes import AS_OF, FakeEngine, make_store, open_store_at


class SlowEngine(FakeEngine):
    def rank(self, request: Mapping[str, Any]) -> dict[str, Any]:
        time.sleep(0.02)
        return super().rank(request)


def promote(home: Path, version: str) -> None:
    """What Registry.promote leaves for the service: a checked folder, then the pointer."""
    folder = home / "releases" / version
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder, Manifest("2026-01-01", "features", None, {}))
    (home / "part").write_text(json.dumps({"version": version}))
    (home / "part").replace(home / POINTER)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store_at(make_store(tmp_path))


@pytest.fixture
def served(store: Store) -> Follower:
    return Follower(FakeEngine(), store, 0)


def releases(home: Path, store: Store, served: Follower, load: Load) -> Releases:
    promote(home, "1")
    made = Releases(home, store, served, "1", load)
    assert made.look()
    promote(home, "2")
    return made


def test_what_is_written_while_a_release_is_loaded_is_not_lost(tmp_path: Path, store: Store, served: Follower) -> None:
    new = FakeEngine()
    change = {"event_id": "p1", "creator_id": "ana", "event_type": "POLICY_CHANGED", "event_time": AS_OF}
    new.changes = conform(pd.DataFrame([change]), COLLABORATION_EVENTS)
    event = change | {"event_id": "e1", "event_type": "TRAINING_PASSED"}

    def load(_: Path, __: Follower) -> Follower:
        with store.reading() as now:
            follower = Follower(new, store, now.number())
        with store.writing() as writing:
            writing.append_events(conform(pd.DataFrame([event]), COLLABORATION_EVENTS))
        return follower

    assert releases(tmp_path, store, served, load).look()
    assert served.engine is new
    assert new.events == ["e1", "p1"]


def test_a_bad_release_is_refused_once_until_it_is_promoted_or_asked_for_again(
    tmp_path: Path, store: Store, served: Follower
) -> None:
    tried: list[str] = []

    def load(release: Path, _: Follower) -> Follower:
        tried.append(release.name)
        if len(tried) < 3:
            raise InputError("ranker: is 0.5 off", code="CONFLICT")
        return Follower(FakeEngine(), store, 0)

    counted = RELEASES.labels("refused")._value.get
    watched, before, refused = releases(tmp_path, store, served, load), served.engine, counted()
    for _ in range(3):
        assert watched.look()
    assert tried == ["2"]
    assert counted() == refused + 1
    assert [(one["version"], one["reason"]) for one in watched.refused] == [("2", "ranker: is 0.5 off")]
    promote(tmp_path, "2")
    watched.look()
    assert tried == ["2", "2"]
    assert served.engine is before
    watched.look(again=True)
    assert served.engine is not before
    assert watched.refused == []


def test_a_release_that_ranks_far_slower_is_refused(tmp_path: Path, store: Store, served: Follower) -> None:
    watched = releases(tmp_path, store, served, lambda *_: Follower(SlowEngine(), store, 0))
    watched.look()
    assert "it may take 5 times as long" in watched.refused[0]["reason"]


def test_a_store_that_is_down_refuses_no_release(tmp_path: Path, store: Store, served: Follower) -> None:
    answers = iter([InputError("the store does not answer", code="UNAVAILABLE"), None])

    def load(_: Path, __: Follower) -> Follower:
        if (error := next(answers)) is not None:
            raise error
        return Follower(FakeEngine(["eve"]), store, 0)

    watched = releases(tmp_path, store, served, load)
    assert not watched.look()
    assert watched.refused == []
    assert watched.look()
    assert served.engine.search({})["results"] == [{"creator_id": "eve"}]


@pytest.mark.parametrize("content", ["", "{}", "[1]"])
def test_a_pointer_that_says_nothing_is_reported(tmp_path: Path, store: Store, served: Follower, content: str) -> None:
    watched, before = releases(tmp_path, store, served, lambda *_: served), served.engine
    (tmp_path / POINTER).write_text(content)
    watched.look()
    assert [one["version"] for one in watched.refused] == [None]
    assert served.engine is before


def test_a_process_that_starts_with_a_bad_champion_serves_what_was_served_last(tmp_path: Path, store: Store) -> None:
    def load(release: Path) -> Follower:
        if release.name == "2":
            raise InputError("ranker: is 0.5 off", code="CONFLICT")
        return Follower(FakeEngine(), store, 0)

    promote(tmp_path, "2")
    with pytest.raises(InputError, match=r"is 0\.5 off"):
        first_served(tmp_path, load)
    promote(tmp_path, "1")
    release, served = first_served(tmp_path, load)
    assert release.name == "1"
    watched = Releases(tmp_path, store, served, "1", lambda release, _: load(release))
    watched.look()
    promote(tmp_path, "2")
    assert first_served(tmp_path, load)[0].name == "1"
    watched.look()
    assert [one["version"] for one in watched.refused] == ["2"]
