"""BentoML's parent process starts the workers; one whose parent was killed would keep the port and the store."""

import logging
import os
import signal
from threading import Thread
from time import sleep

LOOK_S = 0.5

logger = logging.getLogger(__name__)


def stop_with_parent(parent: int | None = None) -> None:
    """From now on this process stops as by SIGTERM, with its requests finished, soon after its ``parent`` has ended:
    the process that is its parent now, or the one of that number, which may have ended while this one was starting."""
    Thread(target=_watch, args=(parent or os.getppid(),), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        sleep(LOOK_S)
    logger.error("the parent process %d has ended; so does this process", parent)
    os.kill(os.getpid(), signal.SIGTERM)
