"""Rankings are kept for the feedback that may come; nobody waits long for that, or at all while the store is down."""

import atexit
import logging
from collections import OrderedDict
from threading import Condition, Thread
from time import sleep

from prometheus_client import Counter

from features.errors import InputError
from serving.store import Ranking, Store

PATIENCE_S = 0.1  # what an answer waits for its ranking to be on disk
LONGEST_S = 5.0  # what feedback waits for it
AFTER_FAILURE_S = 1.0
AT_THE_END_S = 3.0
MOST_TOGETHER = 500
MOST_CHARACTERS = 50_000_000  # of briefs that wait in memory

LOST = Counter("creatormatch_rankings_lost", "Rankings that were answered and not stored: feedback on them is a 404.")
logger = logging.getLogger(__name__)


class Remembering:
    """Writes rankings to ``store`` in the order in which they come, many in one transaction, from a thread of its own.

    While the store does not answer they wait in memory; what does not fit there, or is left when the process ends, is
    told to the log with its number.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = Condition()
        self._waiting: OrderedDict[str, Ranking] = OrderedDict()
        self._characters, self._down = 0, False
        self._thread: Thread | None = None

    def keep(self, ranking: Ranking) -> None:
        """Hands a ranking over, and waits a moment for it to be stored."""
        with self._changed:
            if self._characters + len(ranking.brief) > MOST_CHARACTERS:
                self._lose(1)
                return
            self._waiting[ranking.ranking_id] = ranking
            self._characters += len(ranking.brief)
            self._start()
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._down or ranking.ranking_id not in self._waiting, PATIENCE_S)

    def check_stored(self, ranking_id: str) -> None:
        """Waits a while for a ranking that was answered here; raises InputError UNAVAILABLE where it is not stored."""
        with self._changed:
            self._changed.wait_for(lambda: self._down or ranking_id not in self._waiting, LONGEST_S)
            if ranking_id in self._waiting:
                raise InputError("this ranking is not stored yet; try again in a second", code="UNAVAILABLE")

    def _start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._write, name="remembering", daemon=True)
            self._thread.start()
            atexit.register(self._end)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                some = list(self._waiting.values())[:MOST_TOGETHER]
            try:
                self._store.remember(some)
            except Exception as error:  # whatever it is, the rankings wait
                logger.warning("%d rankings wait for the store: %s", len(self._waiting), error)
                self._written([], down=True)
                sleep(AFTER_FAILURE_S)
            else:
                self._written(some, down=False)

    def _written(self, some: list[Ranking], down: bool) -> None:
        with self._changed:
            self._down = down
            for one in some:
                self._characters -= len(self._waiting.pop(one.ranking_id).brief)
            self._changed.notify_all()

    def _lose(self, count: int) -> None:
        LOST.inc(count)
        logger.error("%d rankings were not stored: feedback on them will be a 404", count)

    def _end(self) -> None:
        """At the end of the process: what waits gets a last moment."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, AT_THE_END_S)
            if self._waiting:
                self._lose(len(self._waiting))
