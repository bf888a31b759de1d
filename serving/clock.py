"""The time, from a clock that may be set wrong while the service runs.

What the service writes is dated by it, for good: an event received in the year 2100 would make all others a lifetime
old.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pandas as pd

LARGEST_STEP_S = 60.0  # what a time server's corrections stay under

logger = logging.getLogger(__name__)


def since_boot() -> float:
    """Seconds that nobody can set, also those that the machine slept."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Clock:
    """Follows the machine's clock ``wall`` (seconds since 1970) where it moves as ``passed`` does, slow corrections
    included; where it jumps, the time goes on from where it was, until the clock is right again or the service is
    started anew."""

    def __init__(self, wall: Callable[[], float] = time.time, passed: Callable[[], float] = since_boot) -> None:
        self._wall, self._passed = wall, passed
        self._last = wall(), passed()
        self._jumped = False

    def now(self) -> pd.Timestamp:
        """Naive UTC."""
        wall, passed = self._wall(), self._passed()
        expected = self._last[0] + passed - self._last[1]
        self._tell(abs(wall - expected) > LARGEST_STEP_S, wall - expected)
        self._last = (expected if self._jumped else wall), passed
        return pd.Timestamp(datetime.fromtimestamp(self._last[0], UTC).replace(tzinfo=None))

    def _tell(self, jumped: bool, step: float) -> None:
        if jumped != self._jumped:
            logger.error("the clock of this machine jumped by %.0f seconds; it is %s", step, _FATES[jumped])
        self._jumped = jumped


_FATES = {True: "not followed: set it right, or start the service anew", False: "followed again"}
