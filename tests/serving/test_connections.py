"""Connections of clients who hold on without asking anything, over an application that answers before a body comes."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from serving.connections import LARGEST_HEAD, Impatient
from tests.end_to_end.serve import free_port

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n"


class Hasty(Impatient):
    head_s = 2.0


async def unauthenticated(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = free_port()
    config = uvicorn.Config(unauthenticated, port=port, http=Hasty, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join()


def sent_until_closed(port: int, first: bytes, piece: bytes, pause: float) -> int:
    """How many bytes of ``piece`` again and again the server takes after ``first``, within six seconds."""
    taken, end = 0, time.monotonic() + 6
    with socket.create_connection(("127.0.0.1", port)) as wire, suppress(ConnectionError):
        wire.sendall(first)
        while time.monotonic() < end:
            wire.sendall(piece)
            taken += len(piece)
            time.sleep(pause)
        raise AssertionError(f"{taken} bytes were taken, and more would be")
    return taken


def test_a_body_that_trickles_on_after_its_answer_is_cut_off(port):
    assert sent_until_closed(port, HEAD % 10_000 + b"\r\n", b"x", 0.1) < 40


def test_headers_without_end_are_cut_off(port):
    began = time.monotonic()
    assert sent_until_closed(port, HEAD % 0 + b"X: ", b"x" * 10_000, 0.01) > LARGEST_HEAD
    assert time.monotonic() - began < Hasty.head_s


def test_large_headers_and_the_next_request_on_the_same_connection_are_answered(port):
    with socket.create_connection(("127.0.0.1", port)) as wire:
        for _ in range(2):
            wire.sendall(HEAD % 1 + b"X: " + b"x" * (LARGEST_HEAD // 2) + b"\r\n\r\n")
            time.sleep(0.05)
            wire.sendall(b"x")
            assert wire.recv(4096).startswith(b"HTTP/1.1 401")
            time.sleep(0.2)
