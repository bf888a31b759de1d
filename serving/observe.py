"""What every request leaves behind: its id in the answer and in every log line, one line about itself, and metrics."""

import logging
import re
from collections.abc import Set
from time import perf_counter
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.trace import Trace, tracing
from serving.logs import FIELDS, REQUEST_ID
from serving.metrics import tell_request

HEADER = b"x-request-id"
SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")  # what may stand in a log, and in a header that goes back
UNKNOWN = "unknown"

logger = logging.getLogger(__name__)


class Observed:
    """ASGI middleware around the routes at ``paths``: what callers make up would give names without end.

    An ``X-Request-ID`` that is :data:`SANE` is kept, else there is a new one. ``scope["state"]["caller"]`` is the name
    of the key that was shown, once it is known. Bodies, queries and headers are never logged.
    """

    def __init__(self, app: ASGIApp, paths: Set[str]) -> None:
        self._app, self._paths = app, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, see :class:`Observed`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        before = REQUEST_ID.set(request_id)
        exchange = _Exchange(receive, send, request_id.encode())
        try:
            with tracing() as trace:
                await self._app(scope, exchange.receive, exchange.send)
        finally:
            self._tell(scope, exchange, trace)
            REQUEST_ID.reset(before)

    def _tell(self, scope: Scope, exchange: "_Exchange", trace: Trace) -> None:
        route = scope["path"] if scope["path"] in self._paths else UNKNOWN
        tell_request(route, exchange.status, exchange.seconds, trace)
        fields = {
            "method": scope["method"],
            "route": route,
            "status": exchange.status,
            "duration_ms": round(1000 * exchange.seconds, 2),
            "caller": scope.get("state", {}).get("caller"),
            "bytes_in": exchange.bytes_in,
            "bytes_out": exchange.bytes_out,
            "experiment": trace.values.get("experiment"),
            "stages_ms": {name: round(1000 * took, 2) for name, took in [*trace.seconds.items()]} or None,
        }
        failed = exchange.status is None or exchange.status >= 500
        logger.log(logging.WARNING if failed else logging.INFO, "request", extra={FIELDS: fields})


class _Exchange:
    """One request and its answer: the bytes of both bodies, and the status (None where no answer was begun)."""

    def __init__(self, receive: Receive, send: Send, request_id: bytes) -> None:
        self._receive, self._send, self._request_id = receive, send, request_id
        self._began = perf_counter()
        self.status: int | None = None
        self.bytes_in = self.bytes_out = 0

    @property
    def seconds(self) -> float:
        return perf_counter() - self._began

    async def receive(self) -> Message:
        message = await self._receive()
        self.bytes_in += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), (HEADER, self._request_id)]}
        self.bytes_out += len(message.get("body", b""))
        await self._send(message)


def _request_id(scope: Scope) -> str:
    sent = dict(scope["headers"]).get(HEADER, b"")
    return sent.decode() if SANE.fullmatch(sent) else uuid4().hex
