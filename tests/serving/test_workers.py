"""Several workers on one store: each has its own connections and its own catalogue, as processes of their own do."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import pytest

from features import columns as c
from features.tables import read_tables
from serving.follower import Follower
from tests.serving.fakes import FakeEngine, make_client, make_store, open_store_at

WORKERS = 4


@pytest.fixture
def clients(tmp_path, url):
    return [make_client(tmp_path, url=url) for _ in range(WORKERS)]


def job(event_id: str, kind: str, collaboration: str) -> dict[str, object]:
    return {
        "event_id": event_id, "creator_id": "ana", "event_type": kind, "event_time": "2025-05-01T00:00:00Z",
        "collaboration_id": collaboration, "brand_id": "b",
    }  # fmt: skip


def posted(client, *rows: dict[str, object]) -> dict[str, object]:
    answer = client.post("/v1/events", json={"events": rows})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_event_that_comes_to_all_workers_at_once_is_accepted_once(clients, url):
    batches = [[job(f"{batch}-{i}", "INVITED", f"k{batch}-{i}") for i in range(5)] for batch in range(2)]
    with ThreadPoolExecutor(WORKERS) as pool:
        answers = [one for batch in batches for one in pool.map(posted, clients, *map(repeat, batch))]
    fates = Counter(result["status"] for answer in answers for result in answer["results"])
    assert fates == {"ACCEPTED": 10, "DUPLICATE": 10 * (WORKERS - 1)}
    assert read_tables(url)["collaboration_events"][c.EVENT_ID].is_unique


def test_of_steps_that_contradict_each_other_one_is_taken_whoever_comes_first(clients, url):
    posted(clients[0], *(job(f"{kind}{k}", kind, f"k{k}") for k in range(3) for kind in ("INVITED", "ACCEPTED")))
    for k in range(3):
        ends = [job(f"end-{k}-{i}", "CANCELLED_BY_BRAND", f"k{k}") for i in range(WORKERS)]
        with ThreadPoolExecutor(WORKERS) as pool:
            assert sum(answer["accepted"] for answer in pool.map(posted, clients, ends)) == 1
    assert (read_tables(url)["collaboration_events"][c.EVENT_TYPE] == "CANCELLED_BY_BRAND").sum() == 3


def test_a_catalogue_follows_what_another_worker_wrote(tmp_path, url):
    engine, store = FakeEngine(), open_store_at(make_store(tmp_path, url=url))
    follower = Follower(engine, store, 0)
    client = make_client(tmp_path, url=url)
    posted(client, job("e1", "INVITED", "k"))
    client.post("/v1/creators/upsert", json={"creators": [{"creator_id": "new"}]})
    client.post("/v1/creators/delete", json={"creator_ids": ["bo"]})
    follower.follow()
    assert (engine.ids, engine.events) == (["ana", "new"], ["e1"])


class Failing(FakeEngine):
    """Cannot take over what the store says, until it is mended."""

    broken = True

    def replace(self, *news: object) -> None:
        if self.broken:
            raise ZeroDivisionError
        super().replace(*news)


def test_a_write_that_the_catalogue_failed_to_take_is_taken_with_the_next_look(tmp_path, url, caplog):
    engine = Failing()
    client = make_client(tmp_path, engine=engine, url=url)
    first = job("e1", "INVITED", "k")
    assert posted(client, first)["accepted"] == 1
    assert engine.events == []
    assert "does not follow" in caplog.text
    engine.broken = False
    assert posted(client, first)["duplicates"] == 1
    assert engine.events == ["e1"]
