"""Request ids and log lines of a service over a hand-written engine."""

import io
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from serving.auth import Auth, Key, hash_key
from serving.logs import JsonFormatter
from tests.serving.fakes import FakeEngine, make_client

KEYS = Auth([Key(name="shop", sha256=hash_key("s3cret"), scopes=frozenset({"platform"}))])


class TalkingEngine(FakeEngine):
    """Says a word to the log in the thread that works, and fails where it is asked to."""

    def search(self, request: Mapping[str, Any]) -> dict[str, Any]:
        logging.getLogger("models").warning("searching")
        if request.get("query") == "trouble":
            raise RuntimeError("it broke\nin two lines")
        return super().search(request)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged meanwhile, as the service writes it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    loggers = [logging.getLogger(name) for name in ("serving", "models")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def read(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_every_line_of_a_request_has_its_id_and_one_says_how_it_went(tmp_path, lines):
    answer = make_client(tmp_path, engine=TalkingEngine()).post(
        "/v1/creators/search", json={"page_size": 1}, headers={"X-Request-ID": "order-17.a"}
    )
    assert answer.headers["x-request-id"] == "order-17.a"
    word, line = read(lines)
    assert (word["logger"], word["message"], word["request_id"]) == ("models", "searching", "order-17.a")
    assert line.pop("duration_ms") > 0
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO", "logger": "serving.observe", "message": "request", "request_id": "order-17.a",
        "method": "POST",
        "route": "/v1/creators/search", "status": 200, "caller": "loopback", "bytes_in": 15,
        "bytes_out": len(answer.content),
    }  # fmt: skip


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, 'a"b', "é"])
def test_an_id_that_does_not_belong_in_a_log_is_replaced(tmp_path, sent):
    client = make_client(tmp_path)
    ids = {client.get("/", headers={"X-Request-ID": sent.encode()}).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(len(one) == 32 for one in ids)


def test_an_unexpected_error_is_one_line_with_its_trace(tmp_path, lines):
    answer = make_client(tmp_path, engine=TalkingEngine()).post("/v1/creators/search", json={"query": "trouble"})
    assert answer.status_code == 500
    _, failed, line = read(lines)
    assert "RuntimeError: it broke\nin two lines" in failed["trace"]
    assert {failed["request_id"], line["request_id"]} == {answer.headers["x-request-id"]}
    assert (line["level"], line["status"]) == ("WARNING", 500)


def test_a_log_names_neither_secrets_nor_paths_that_are_made_up(tmp_path, lines):
    client = make_client(tmp_path, KEYS)
    for path in ("/v1/creators/search", "/invented"):
        client.post(path, json={"query": "private"}, headers={"Authorization": "Bearer s3cret", "Cookie": "c00kie"})
    search, unknown = read(lines)
    assert (search["caller"], search["status"]) == ("shop", 200)
    assert (unknown["route"], unknown["status"]) == ("unknown", 404)
    assert not [word for word in ("s3cret", "c00kie", "private", "invented") if word in lines.getvalue()]
