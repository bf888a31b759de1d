"""The catalogue in memory follows the store, whoever writes there: this worker, another one, another machine's."""

import logging
from threading import Lock, Thread
from time import sleep
from typing import TYPE_CHECKING

from serving import metrics
from serving.store import Store

if TYPE_CHECKING:
    from models.engine import Engine

POLL_S = 0.25
AFTER_FAILURE_S = 5.0  # a database that is down is not told to the log four times a second

logger = logging.getLogger(__name__)


class Follower:
    """Takes over into ``engine`` what the writes to ``store`` after the one numbered ``since`` have left.

    What fails is told to the log and tried again with the next look: the write stands in the store all the same.
    """

    def __init__(self, engine: "Engine", store: Store, since: int) -> None:
        self._engine, self._store, self._number = engine, store, since
        self._looking = Lock()

    def follow(self) -> bool:
        """Whether the catalogue now holds everything that was written before the call; else the log says why not."""
        with self._looking:
            try:
                self._look()
            except Exception:
                logger.exception("the catalogue does not follow the store; it is tried again")
                return False
        return True

    def keep_following(self) -> None:
        """Looks again and again from now on, as long as the process lives."""
        Thread(target=self._poll, name="follower", daemon=True).start()

    def _poll(self) -> None:
        while True:
            sleep(POLL_S if self.follow() else AFTER_FAILURE_S)

    def _look(self) -> None:
        with self._store.reading() as store:
            if lag := store.number() - self._number:
                news = store.news(self._number)
        metrics.LAG.set(lag)
        if lag:
            if news.creator_ids:
                self._engine.replace(news.creator_ids, news.rows)
            self._number = news.number
            metrics.LAG.set(0)
        metrics.FOLLOWED.set_to_current_time()
        metrics.DATA.set(self._engine.as_of.timestamp())
