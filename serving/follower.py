"""The catalogue in memory follows the store, whoever writes there: this worker, another one, another machine's.
It reads whom writes were about, and their rows, at one moment."""

import logging
from threading import Event, Lock, Thread
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
        self._looking, self._stopped = Lock(), Event()

    @property
    def engine(self) -> "Engine":
        """The engine that answers now. Ask once per request: the next time it may be another."""
        return self._engine

    def follow(self) -> bool:
        """Whether the catalogue now holds everything that was written before the call; else the log says why not."""
        with self._looking:
            try:
                self.look()
            except Exception:
                logger.exception("the catalogue does not follow the store; it is tried again")
                return False
        return True

    def keep_following(self) -> None:
        """Looks again and again from now on, until it is stopped."""
        Thread(target=self._poll, name="follower", daemon=True).start()

    def stop(self) -> None:
        """Looks no more, and lets go of the engine once the last request has."""
        self._stopped.set()

    def give_way(self, other: "Follower") -> None:
        """From now on ``other``'s engine answers, once it holds all that this one's does and all that was written
        before the call. Raises what stands in the way, and then nothing has changed."""
        with self._looking:  # whoever has just written waits here, and is then answered by an engine that knows of it
            other.look()
            self._engine, self._number = other._engine, other._number

    def look(self) -> None:
        """Takes over what is new, see :meth:`follow`, and raises what fails. Not for two threads at once."""
        with self._store.reading() as store:
            if lag := store.number() - self._number:
                news = store.news(self._number)
            metrics.LAG.set(lag)
            if lag:
                if news.creator_ids:
                    self._engine.replace(news.creator_ids, store)
                self._number = news.number
                metrics.LAG.set(0)
        metrics.FOLLOWED.set_to_current_time()
        metrics.DATA.set(self._engine.as_of.timestamp())

    def _poll(self) -> None:
        while not self._stopped.wait(POLL_S if self.follow() else AFTER_FAILURE_S):
            pass
