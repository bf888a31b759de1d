"""How much each key may ask: so many requests a second, in each worker, and so many a day, in all of them together."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Lock

import sqlalchemy as sa

from serving.auth import Caller
from serving.errors import ComeAgain
from serving.layout import USAGE
from serving.store import Store

BURST_S = 2.0
_ADD = sa.text(
    "INSERT INTO usage (day, name, requests) VALUES (:day, :name, :requests) "
    "ON CONFLICT (day, name) DO UPDATE SET requests = usage.requests + excluded.requests"
).bindparams(sa.bindparam("day", type_=sa.Date))

Use = tuple[date, str]


def utc_now() -> datetime:
    """The wall clock, with its zone."""
    return datetime.now(UTC)


class Limits:
    """What keys have used up; whoever calls without a key, from this machine, is not counted.

    A key and the one that takes its place have one name, and are counted as one.
    """

    def __init__(self, store: Store, now: Callable[[], datetime] = utc_now) -> None:
        self._pace, self._quotas, self._now = Pace(), Quotas(store), now

    def spend(self, caller: Caller) -> None:
        """Count one request; raises ComeAgain where it is one too many, which then does not count."""
        if caller.key is None:
            return
        wait_s = self._pace.wait_s(caller.name, caller.key.requests_per_second)
        if wait_s:
            raise ComeAgain(f"the key {caller.name} may ask {caller.key.requests_per_second:g} times a second", wait_s)
        now = self._now()
        if not self._quotas.spend((now.date(), caller.name), caller.key.requests_per_day):
            problem = f"the key {caller.name} has asked {caller.key.requests_per_day:,} times today (UTC)"
            midnight = datetime.combine(now.date(), datetime.min.time(), UTC) + timedelta(days=1)
            raise ComeAgain(problem, (midnight - now).total_seconds())

    def settle(self) -> None:
        """Exchange with the store what was used here and elsewhere. Raises InputError where it does not answer."""
        self._quotas.settle()


class Pace:
    """A token bucket per name, which its rate fills and :data:`BURST_S` seconds of it (or one token) make full.

    A bucket is kept as the time at which it is full again: the generic cell rate algorithm (ITU-T I.371).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full: dict[str, float] = {}

    def wait_s(self, name: str, per_second: float) -> float:
        """0 and a token is taken, or the seconds until there is one."""
        now = self._clock()
        filling_s = max(self._full.get(name, now) - now, 0) + 1 / per_second
        wait = filling_s - max(BURST_S, 1 / per_second)
        if wait > 0:
            return wait
        self._full[name] = now + filling_s
        return 0


class Quotas:
    """Requests by day and name, of all workers that share the store, which each of them asks when it settles.

    Until then it knows its own only: a name can exceed its quota by what it asks other workers between two settlings.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._new: Counter[Use] = Counter()  # not in the store yet
        self._stored: dict[Use, int] = {}
        self._lock = Lock()

    def spend(self, use: Use, most: int) -> bool:
        """Whether one more is within ``most``, and then it is counted."""
        with self._lock:
            within = self._stored.get(use, 0) + self._new[use] < most
            self._new[use] += within
        return within

    def settle(self) -> None:
        """Add what is new to the store, and read what others added; nothing is forgotten where that fails."""
        with self._lock:
            new = +self._new
        if not new:
            return
        with self._store.noting() as connection:
            rows = [{"day": day, "name": name, "requests": requests} for (day, name), requests in new.items()]
            connection.execute(_ADD, rows)
            days = {day for day, _ in new}
            stored = {
                (day, name): n for day, name, n in connection.execute(USAGE.select().where(USAGE.c.day.in_(days)))
            }
        with self._lock:
            self._new, self._stored = self._new - new, stored
