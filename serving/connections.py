"""What a client may keep of the service without asking anything: connections, and the time to say what it wants."""

import asyncio
import json
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.errors import RETRY_AFTER

HEAD_S = 5.0  # from a connection, or a request's first byte, to the end of its headers
LARGEST_HEAD = 65_536  # bytes
SILENT_S = 30  # a peer that takes nothing of what was sent, or does not answer the kernel, is gone
MOST_CONNECTIONS = 500  # of one worker; Linux gives a process 1,024 files
_FULL = json.dumps(
    {"error": {"code": "UNAVAILABLE", "message": "too many connections; try again in a second", "details": []}}
).encode()
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"
    + b"Retry-After: %s\r\nContent-Length: %d\r\n\r\n%s" % (RETRY_AFTER.encode(), len(_FULL), _FULL)
)
# What the kernel is told; not every system has every option.
_OPTIONS = {"TCP_USER_TIMEOUT": 1000 * SILENT_S, "TCP_KEEPIDLE": SILENT_S, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


class Impatient(HttpToolsProtocol):
    """Uvicorn's protocol for clients who are slow, silent, or too many; how long a body may take is the
    application's to say."""

    head_s = HEAD_S
    _head: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuses one too many; starts to wait for the first request's headers."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.write(FULL)
            transport.close()
            return
        _set_options(transport.get_extra_info("socket"))
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Bytes; of unfinished headers at most :data:`LARGEST_HEAD`, beside those that come with their beginning."""
        awaited = self._head
        super().data_received(data)
        if self._head is not None and self._head is awaited:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD:
                self.transport.abort()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """The request is known; who answers it counts the time from here."""
        self._stop_waiting()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The next headers are waited for; uvicorn would not, where the rest of an answered body trickles in."""
        super().on_response_complete()
        if self._head is None and not self.transport.is_closing():
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._stop_waiting()
        self._head_bytes = 0
        self._head = self.loop.call_later(self.head_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _give_up(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:  # an earlier request is still being answered
            self._await_head()
        else:
            self.transport.abort()


def _set_options(connection: Any) -> None:
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
