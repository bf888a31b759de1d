"""How much a key may ask: the pace of one worker, the quota of all."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from serving.auth import LOCAL, Auth, hash_key
from serving.books import Books
from serving.keys import Key
from serving.limits import BURST_S, Limits, Pace
from tests.serving.fakes import error_of, make_client, make_store, open_store_at


def key(per_second: float = 1000, per_day: int = 1000) -> Key:
    return Key(
        name="shop", sha256=hash_key("k"), scopes=frozenset({"platform"}),
        requests_per_second=per_second, requests_per_day=per_day,
    )  # fmt: skip


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_and_then_its_rate():
    clock = Clock()
    pace = Pace(clock)
    assert [pace.wait_s("a", 2) for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert pace.wait_s("b", 2) == 0
    clock.now = 0.5
    assert [pace.wait_s("a", 2) for _ in range(2)] == [0, 0.5]
    clock.now = 1000
    assert [pace.wait_s("a", 2) > 0 for _ in range(5)] == [False] * 4 + [True]


@given(st.floats(0.01, 1e4), st.lists(st.floats(0, 5), max_size=60))
def test_no_window_sees_more_than_burst_and_rate(per_second, pauses):
    clock = Clock()
    pace, taken = Pace(clock), 0
    for pause in pauses:
        clock.now += pause
        wait = pace.wait_s("a", per_second)
        taken += wait == 0
        if wait:  # what is told is true: then there is one
            clock.now += wait * 1.000001
            assert pace.wait_s("a", per_second) == 0
            taken += 1
    assert taken <= max(per_second * BURST_S, 1) + per_second * clock.now + 1e-6


def caller(limit: Key):
    return Auth([limit]).caller(None, {"authorization": "Bearer k"})


def refused(limits: Limits, limit: Key) -> str:
    try:
        limits.spend(caller(limit))
    except InputError as error:
        return f"{error.code}: {error.message}"
    return ""


def test_a_quota_is_one_over_all_workers_and_a_new_day_is_a_new_one(tmp_path, url):
    make_store(tmp_path, url=url)
    moment = [datetime(2026, 11, 25, 23, 59, 30, tzinfo=UTC)]
    one, two = (Limits(open_store_at(url), lambda: moment[0]) for _ in range(2))
    limit = key(per_day=3)
    for limits in (one, two, one):
        assert refused(limits, limit) == ""
        limits.settle()
    assert "come again in 30 s" in refused(one, limit)
    two.settle()  # it has nothing to tell, and so does not ask
    assert [bool(refused(two, limit)), two.settle(), bool(refused(two, limit))] == [False, None, True]
    moment[0] += timedelta(minutes=1)
    assert refused(one, limit) == ""


def test_who_calls_from_this_machine_is_not_counted(tmp_path):
    limits = Limits(open_store_at(make_store(tmp_path)))
    for _ in range(5000):
        limits.spend(LOCAL)


@pytest.mark.parametrize(("limit", "wait"), [(key(per_second=0.001), range(990, 1001)), (key(per_day=1), range(86401))])
def test_one_too_many_is_a_429_that_says_when_to_come_again(tmp_path, limit, wait):
    client = make_client(tmp_path, Auth([limit]))
    shown = {"authorization": "Bearer k"}
    answers = [client.post("/v1/creators/search", json={}, headers=shown) for _ in range(2)]
    assert answers[0].status_code == 200
    assert error_of(answers[1]) == (429, "RESOURCE_EXHAUSTED", "")
    assert int(answers[1].headers["retry-after"]) in wait


def test_what_was_used_outlives_a_store_that_is_away(tmp_path):
    path = tmp_path / "store.sqlite"
    books = Books(open_store_at(make_store(tmp_path)))
    books.limits.spend(caller(key()))
    path.rename(tmp_path / "away")
    (tmp_path / "store.sqlite").mkdir()
    assert not books.settle()
    path.rmdir()
    (tmp_path / "away").rename(path)
    assert books.settle()
    assert refused(Limits(open_store_at(f"sqlite:///{path}")), key(per_day=1)) == ""
