"""What the service notes about its callers, and when the store hears of it."""

import logging
from threading import Lock, Thread
from time import sleep

from serving.audit import Audit
from serving.limits import Limits
from serving.store import Store

SETTLE_S = 1.0
AFTER_FAILURE_S = 5.0

logger = logging.getLogger(__name__)


class Books:
    """What keys have used up, and who read whose fraud evidence."""

    def __init__(self, store: Store) -> None:
        self.limits, self.audit = Limits(store), Audit(store)
        self._settling = Lock()

    def settle(self) -> bool:
        """Bring the store up to date; False where that fails: the log says why, and nothing is lost by it."""
        with self._settling:
            try:
                self.limits.settle()
                self.audit.settle()
            except Exception:
                logger.exception("quotas and audit wait in memory")
                return False
        return True

    def keep_settling(self) -> None:
        """Settles again and again from now on, as long as the process lives."""
        Thread(target=self._poll, name="books", daemon=True).start()

    def _poll(self) -> None:
        while True:
            sleep(SETTLE_S if self.settle() else AFTER_FAILURE_S)
