"""Rankings that are answered while the store is down are stored once it is back."""

import time
from datetime import datetime

import pytest

from features.errors import InputError
from serving import remembering
from serving.remembering import Remembering
from serving.store import Ranking, Store
from tests.serving.fakes import make_store


class Shaky(Store):
    """Does not answer while it is down."""

    down = False

    def remember(self, rankings):
        if self.down:
            raise InputError("down", code="UNAVAILABLE")
        super().remember(rankings)


@pytest.fixture
def store(tmp_path) -> Shaky:
    return Shaky(make_store(tmp_path))


def ranking(number: int, brief: str = "{}") -> Ranking:
    return Ranking(f"r{number}", brief, None, datetime(2025, 1, 1))


def stored(store: Store, number: int) -> bool:
    with store.reading() as it:
        return it.ranking(f"r{number}") is not None


def test_feedback_on_a_ranking_has_it_stored_at_once(store, monkeypatch):
    monkeypatch.setattr(remembering, "GATHER_S", 60)
    rankings = Remembering(store)
    rankings.keep(ranking(1))
    assert not stored(store, 1)
    rankings.await_stored("r1")
    assert stored(store, 1)


def test_who_closes_has_all_stored(store, monkeypatch):
    monkeypatch.setattr(remembering, "GATHER_S", 60)
    rankings = Remembering(store)
    rankings.close()
    rankings.keep(ranking(1))
    rankings.close()
    assert stored(store, 1)


def test_feedback_waits_for_a_ranking_of_another_process(store):
    Remembering(store).keep(ranking(1))
    assert not stored(store, 1)
    Remembering(store).await_stored("r1")
    assert stored(store, 1)


def test_while_the_store_is_down_nobody_waits_and_nothing_is_lost(store):
    rankings = Remembering(store)
    store.down = True
    for number in range(200):
        rankings.keep(ranking(number))
    with pytest.raises(InputError, match="not stored yet"):
        rankings.await_stored("r7")
    store.down = False
    end = time.monotonic() + 10
    while not stored(store, 199) and time.monotonic() < end:
        time.sleep(0.05)
    assert all(stored(store, number) for number in range(200))
    rankings.await_stored("r7")


def test_what_does_not_fit_is_told_to_the_log(store, caplog):
    rankings = Remembering(store)
    store.down = True
    half = "x" * (remembering.MOST_CHARACTERS // 2)
    for number in range(3):
        rankings.keep(ranking(number, half))
    assert "1 rankings were not stored" in caplog.text
    store.down = False
