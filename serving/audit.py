"""Who read whose fraud evidence: a row per request in the store's table ``audit``, written soon after the answer."""

import json
import logging
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any

from features import columns as c
from serving.auth import RISK, Caller
from serving.clock import Clock
from serving.layout import AUDIT
from serving.logs import REQUEST_ID
from serving.metrics import AUDIT_DROPPED
from serving.store import Store

MOST_WAITING = 50_000  # rows, a minute of 800 requests a second
AT_ONCE = 5_000
KEPT = timedelta(days=90)

logger = logging.getLogger(__name__)


class Audit:
    """Up to ``most`` rows wait in memory until they are settled; where the store takes none for too long, later ones
    are dropped, and the log, the metrics and the audit itself say how many."""

    def __init__(self, store: Store, most: int = MOST_WAITING) -> None:
        self._store, self._most = store, most
        self._waiting: deque[dict[str, object]] = deque()
        self._dropped = 0
        self._lock = Lock()
        self._clock = Clock()
        self._swept: datetime | None = None

    def record(self, caller: Caller, route: str, answer: Mapping[str, Any]) -> None:
        """Note whom ``answer`` tells ``caller`` about, where it is fraud evidence."""
        if not (route.startswith("/v1/fraud/") or (route == "/v1/creators/profile" and RISK in caller.scopes)):
            return
        subjects = list(dict.fromkeys(_subjects(answer)))
        with self._lock:
            row = _row(self._clock.now(), caller.name, route, REQUEST_ID.get(), subjects)
            if len(self._waiting) < self._most:
                self._waiting.append(row)
            else:
                self._dropped += 1

    def settle(self) -> None:
        """Write the rows that wait. Raises InputError where the store does not answer: they wait on."""
        self._tell_dropped()
        while rows := self._next():
            with self._store.noting() as connection:
                connection.execute(AUDIT.insert(), rows)
            with self._lock:
                for _ in rows:
                    self._waiting.popleft()
        self._sweep()

    def _next(self) -> list[dict[str, object]]:
        with self._lock:
            return list(islice(self._waiting, AT_ONCE))

    def _tell_dropped(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            if dropped:
                self._waiting.append(_row(self._clock.now(), "", "dropped", None, []) | {"dropped": dropped})
        if dropped:
            AUDIT_DROPPED.inc(dropped)
            logger.error("%d reads of fraud evidence are not in the audit: the store took no rows", dropped)

    def _sweep(self) -> None:
        """Once a day: delete what is older than :data:`KEPT`, by a clock that does not jump."""
        with self._lock:
            now = self._clock.now()
        if self._swept is None or now - self._swept > timedelta(days=1):
            with self._store.noting() as connection:
                connection.execute(AUDIT.delete().where(AUDIT.c.at < now - KEPT))
            self._swept = now


def _row(at: datetime, caller: str, route: str, request_id: str | None, ids: list[str]) -> dict[str, object]:
    subjects = json.dumps(ids, ensure_ascii=False)
    return {
        "at": at,
        "caller": caller,
        "route": route,
        "request_id": request_id,
        "subjects": subjects,
        "dropped": 0,
    }


def _subjects(answer: Mapping[str, Any]) -> Iterator[str]:
    """The creators, or else accounts, that an answer's results are about."""
    for result in answer.get("results", ()):
        for name in (c.CREATOR_ID, c.ACCOUNT_ID):
            if isinstance(result, Mapping) and result.get(name):
                yield result[name]
