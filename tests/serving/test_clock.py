"""A clock that jumps: what is written keeps its time."""

from datetime import UTC, datetime, timedelta

import httpx
import pandas as pd
import pytest

from features.tables import read_tables
from serving.clock import LARGEST_STEP_S, Clock
from serving.opening import url_of
from tests.end_to_end.serve import free_port
from tests.serving.fakes import make_store
from tests.serving.server import start

YEAR_S = 365 * 86_400.0
T = pd.Timestamp


class Hands:
    """Two clocks that a test moves."""

    def __init__(self) -> None:
        self.wall, self.passed = T("2025-06-01").timestamp(), 0.0

    def go(self, passed: float, wall: float) -> None:
        self.passed += passed
        self.wall += wall


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def clock(hands: Hands) -> Clock:
    return Clock(lambda: hands.wall, lambda: hands.passed)


def test_small_corrections_are_followed_however_many(clock, hands):
    for _ in range(1000):
        hands.go(passed=3600, wall=3600 + LARGEST_STEP_S / 2)
        clock.now()
    assert clock.now() == T("2025-06-01") + pd.Timedelta(seconds=1000 * (3600 + LARGEST_STEP_S / 2))


@pytest.mark.parametrize("jump", [YEAR_S, -YEAR_S])
def test_time_goes_on_through_a_jump_and_the_log_says_so_once(clock, hands, jump, caplog):
    hands.go(passed=10, wall=10 + jump)
    assert clock.now() == T("2025-06-01 00:00:10")
    hands.go(passed=10, wall=10)
    assert clock.now() == T("2025-06-01 00:00:20")
    hands.go(passed=0, wall=1 - jump)
    assert clock.now() == T("2025-06-01 00:00:21")
    assert [record.message.partition(";")[2][:17] for record in caplog.records] == [
        " it is not follow",
        " it is followed ag"[:17],
    ]


def test_events_that_a_process_takes_while_its_clock_is_wrong_are_received_now(tmp_path):
    url, port, wrong = url_of(tmp_path / "store.sqlite"), free_port(), tmp_path / "wrong"
    make_store(tmp_path, url=url)
    wrong.write_text("0")
    process = start(url, port, str(wrong))
    try:
        for number, jump in enumerate((0, 75 * YEAR_S, -20 * YEAR_S)):
            wrong.write_text(str(jump))
            event = {"event_id": f"e{number}", "event_type": "TRAINING_PASSED", "creator_id": "ana"}
            body = {"events": [event | {"event_time": f"2025-06-0{number + 1}"}]}
            answer = httpx.post(f"http://127.0.0.1:{port}/v1/events", json=body, timeout=30)
            assert answer.json()["accepted"] == 1, answer.text
    finally:
        process.kill()
        process.wait()
    received = read_tables(url)["collaboration_events"]["received_at"]
    now = datetime.now(UTC).replace(tzinfo=None)
    assert received.between(now - timedelta(minutes=2), now).all()
