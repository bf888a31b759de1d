"""Rankings are kept for the feedback that may come: their answers do not wait for it, feedback does."""

import logging
from collections import OrderedDict
from threading import Condition, Thread
from time import monotonic, sleep

from prometheus_client import Counter

from features.errors import InputError
from serving.store import Ranking, Store

GATHER_S = 0.25  # rankings of so long are written together; what a killed process loses
LONGEST_S = 5.0  # what feedback waits for a ranking of this process
ELSEWHERE_S = 1.0  # and for one that another process may be about to write
AGAIN_S = 0.05
AFTER_FAILURE_S = 1.0
AT_THE_END_S = 3.0
MOST_TOGETHER = 500
MOST_CHARACTERS = 50_000_000  # of briefs that wait in memory

LOST = Counter("creatormatch_rankings_lost", "Rankings that were answered and not stored: feedback on them is a 404.")
logger = logging.getLogger(__name__)


class Remembering:
    """Writes rankings to ``store`` in the order in which they come, those of :data:`GATHER_S` in one transaction, from
    a thread of its own.

    While the store does not answer they wait in memory; what does not fit there, or is left when the process ends, is
    told to the log with its number.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = Condition()
        self._waiting: OrderedDict[str, Ranking] = OrderedDict()
        self._characters, self._down, self._hurried = 0, False, False
        self._thread: Thread | None = None

    def keep(self, ranking: Ranking) -> None:
        """Hands a ranking over; never waits."""
        with self._changed:
            if self._characters + len(ranking.brief) > MOST_CHARACTERS:
                self._lose(1)
                return
            self._waiting[ranking.ranking_id] = ranking
            self._characters += len(ranking.brief)
            self._start()
            if len(self._waiting) == 1:
                self._changed.notify_all()

    def await_stored(self, ranking_id: str) -> None:
        """Until the ranking is in the store, or long enough to say that nobody is about to write it.

        Raises InputError UNAVAILABLE where it was answered here and cannot be stored now.
        """
        with self._changed:
            if ranking_id in self._waiting:
                self._hurry()
                self._changed.wait_for(lambda: self._down or ranking_id not in self._waiting, LONGEST_S)
            if ranking_id in self._waiting:
                raise InputError("this ranking is not stored yet; try again in a second", code="UNAVAILABLE")
        end = monotonic() + ELSEWHERE_S
        while not self._is_stored(ranking_id) and monotonic() < end:
            sleep(AGAIN_S)

    def close(self) -> None:
        """Gives what waits a last moment."""
        with self._changed:
            self._hurry()
            self._changed.wait_for(lambda: not self._waiting, AT_THE_END_S)
            if self._waiting:
                self._lose(len(self._waiting))

    def _is_stored(self, ranking_id: str) -> bool:
        with self._store.reading() as store:
            return store.ranking(ranking_id) is not None

    def _hurry(self) -> None:
        self._hurried = True
        self._changed.notify_all()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._write, name="remembering", daemon=True)
            self._thread.start()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                self._changed.wait_for(lambda: self._hurried, GATHER_S)
                self._hurried = False
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
