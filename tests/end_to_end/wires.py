"""Connections as no well-behaved client has them, and crowds of callers: plain sockets."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

HOST = "127.0.0.1"


def head(path: str, length: int) -> bytes:
    """The headers of a POST of so many bytes of JSON."""
    lines = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode()


def request(path: str, body: Mapping[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    return head(path, len(content)) + content


def connected(port: int, window: int | None = None) -> socket.socket:
    """A connection, with a receive buffer of ``window`` bytes, from which nobody need read."""
    wire = socket.socket()
    if window:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    wire.settimeout(60)
    wire.connect((HOST, port))
    return wire


def status_of(wire: socket.socket) -> int:
    """The status of the answer that comes; 0 where the connection ends without one."""
    with suppress(ConnectionError):
        words = wire.recv(4096).split(b" ", 2)
        return int(words[1]) if len(words) > 1 else 0
    return 0


def trickled(wire: socket.socket, content: bytes) -> int:
    """The status that comes while ``content`` is sent a byte a second."""
    wire.settimeout(1)
    for byte in content:
        with suppress(ConnectionError):
            wire.send(bytes([byte]))
        with suppress(TimeoutError):
            return status_of(wire)
    raise AssertionError("everything was sent and nobody minded")


def crowd(port: int, callers: int, seconds: float, content: Callable[[int], bytes]) -> list[tuple[int, float]]:
    """Status and seconds of every request of so many callers who each ask again at once; 0 for a broken connection."""

    async def call(number: int, until: float, told: list[tuple[int, float]]) -> None:
        while time.monotonic() < until:
            began, status = time.monotonic(), 0
            with suppress(OSError, asyncio.IncompleteReadError):
                status = await _asked(port, content(number))
            told.append((status, time.monotonic() - began))

    async def everyone() -> list[tuple[int, float]]:
        told: list[tuple[int, float]] = []
        until = time.monotonic() + seconds
        await asyncio.gather(*(call(number, until, told) for number in range(callers)))
        return told

    return asyncio.run(everyone())


async def _asked(port: int, content: bytes) -> int:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(content)
        answer = await reader.readuntil(b"\r\n")
        return int(answer.split(b" ", 2)[1])
    finally:
        writer.close()
