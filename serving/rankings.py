"""Every ranking, written beside the answers: Parquet parts that appear when they are complete.

features/rankings.py says what they hold and reads them.
"""

import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Thread
from time import monotonic
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from features import columns as c
from models.considered import Considered, Logged, log_table
from serving import metrics

QUEUED = 256  # rankings that wait for their turn; with `explore` each holds the scores of all its candidates
PART_ROWS = 50_000
PART_S = 60.0  # what a killed process loses at most
CLOSING_S = 10.0

logger = logging.getLogger(__name__)


class RankingLog:
    """Writes what it is told into ``folder`` in a thread of its own; a part has at most about ``rows`` rows and
    nothing that is older than ``seconds``. What comes faster than it is written is dropped and counted."""

    def __init__(self, folder: Path, rows: int = PART_ROWS, seconds: float = PART_S) -> None:
        self._folder, self._rows, self._seconds = folder, rows, seconds
        self._queue: Queue[tuple[Considered, Mapping[str, Any]] | None] = Queue(QUEUED)
        self._thread = Thread(target=self._write_parts, name="rankings", daemon=True)

    def keep_writing(self) -> None:
        """Writes from now on, until it is closed."""
        self._thread.start()

    def tell(self, considered: Considered, facts: Mapping[str, Any]) -> None:
        """Keeps a ranking; ``facts`` are what its rows share, ``ranking_id`` among them. Never waits."""
        try:
            self._queue.put_nowait((considered, facts))
        except Full:
            metrics.RANKINGS.labels("dropped").inc()

    def close(self) -> None:
        """Writes what waits; nothing can be told from now on."""
        self._queue.put(None, timeout=CLOSING_S)
        self._thread.join(CLOSING_S)

    def _write_parts(self) -> None:
        more = True
        while more:
            rankings, more = self._collected()
            try:
                if rankings:
                    _write(self._folder, log_table(rankings))
                metrics.RANKINGS.labels("written").inc(len(rankings))
            except Exception:  # a full disk is no reason to stop: the next part may find room
                logger.exception("%d rankings are not written", len(rankings))
                metrics.RANKINGS.labels("dropped").inc(len(rankings))

    def _collected(self) -> tuple[list[Logged], bool]:
        """The rankings of the next part, and whether another one may follow."""
        rankings: list[Logged] = []
        rows = 0
        one, end = self._queue.get(), monotonic() + self._seconds
        while one is not None:
            rankings.append(_logged(*one))
            rows += len(rankings[-1].features)
            if rows >= self._rows:
                return rankings, True
            try:
                one = self._queue.get(timeout=max(end - monotonic(), 0))
            except Empty:
                return rankings, True
        return rankings, False


def _logged(considered: Considered, facts: Mapping[str, Any]) -> Logged:
    return considered.logged(np.random.default_rng(UUID(facts[c.RANKING_ID]).int), facts)


def _write(folder: Path, rows: pd.DataFrame) -> None:
    """The part appears under its name when it is complete; what a killed process leaves begins with a dot."""
    folder.mkdir(exist_ok=True)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{os.getpid()}.parquet"
    rows.to_parquet(folder / f".{name}", index=False, compression="zstd")
    (folder / f".{name}").replace(folder / name)
