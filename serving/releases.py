"""Which release is served: a promoted one is loaded aside, checked and swapped in while the one before it answers.

See docs/models-in-service.md.
"""

import gc
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, Thread
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

from features.errors import InputError
from features.memory import return_holes
from models.registry import POINTER, champion_version, local_champion
from serving import metrics
from serving.follower import Follower
from serving.store import Store

if TYPE_CHECKING:
    from models.engine import Engine

POLL_S = 1.0
AFTER_FAILURE_S = 5.0
TIMED = 5  # rank requests to each engine, of which the fastest counts: a busy machine only ever adds to a time
SLOWEST = 5.0  # times as long as the served engine takes at the same moment
REQUEST = {"brief": {"description": "Cozy summer recipes with iced matcha", "content_labels": ["food"]}}
KEPT = 20  # refusals shown

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refusal:
    """A release that is not served, and why; ``version`` is None where the pointer names none."""

    version: str | None
    reason: str
    refused_at: str


class Releases:
    """Keeps ``served``, which answers with release ``version`` at first, on the one that is promoted under ``home``;
    ``load`` makes the follower of another beside it."""

    def __init__(
        self, home: Path, store: Store, served: Follower, version: str, load: Callable[[Path, Follower], Follower]
    ) -> None:
        self._home, self._store, self._served, self._load = home, store, served, load
        self._version = version
        self._seen: tuple[int, ...] | None = None
        self._refused: dict[str | None, Refusal] = {}
        self._looking = Lock()

    @property
    def refused(self) -> list[dict[str, Any]]:
        """The latest refusals, the newest last; a release that is served after all is none of them."""
        return [asdict(one) for one in self._refused.values()]

    def keep_looking(self) -> None:
        """Looks again and again from now on, as long as the process lives."""
        Thread(target=self._poll, name="releases", daemon=True).start()

    def look(self, again: bool = False) -> bool:
        """Serves what has been promoted since the last look, or refuses it and stays with what is served; ``again``
        also tries what was refused before. False where the store did not answer: the next look tries again."""
        with self._looking:
            pointer = _stamp(self._home / POINTER)
            if pointer == self._seen and not again:
                return True
            done = self._take()
            self._seen = pointer if done else None
            return done

    def _take(self) -> bool:
        version = None
        try:
            version = champion_version(self._home)
            if version != self._version:
                self._swap(local_champion(self._home))
            self._refused = {key: one for key, one in self._refused.items() if key != version}
        except InputError as error:
            if error.code == "UNAVAILABLE":
                logger.warning("release %s is tried again: %s", version, error.message)
                return False
            self._refuse(version, error.message)
        except Exception as error:
            logger.exception("release %s cannot be loaded", version)
            self._refuse(version, f"cannot be loaded: {error!r}")
        return True

    def _swap(self, release: Path) -> None:
        new = self._load(release, self._served)
        check_speed(new.engine, self._served.engine)
        new.look()
        with self._store.writing() as store:  # nobody else writes between the policy and the ledger that it is for
            new.look()
            store.append_events(new.engine.policy_changes())
        self._served.give_way(new)
        self._version = release.name
        metrics.RELEASES.labels("served").inc()
        metrics.tell_release(release, self._home / POINTER)
        logger.info("release %s is served", release.name)
        release_memory()

    def _refuse(self, version: str | None, reason: str) -> None:
        others = [one for one in self._refused.values() if one.version != version]
        refusal = Refusal(version, reason, datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds"))
        self._refused = {one.version: one for one in [*others, refusal][-KEPT:]}
        metrics.RELEASES.labels("refused").inc()
        logger.error("release %s is refused, %s stays: %s", version, self._version, reason)

    def _poll(self) -> None:
        while True:
            sleep(POLL_S if self.look() else AFTER_FAILURE_S)


def check_speed(new: "Engine", served: "Engine") -> None:
    """Raises InputError (CONFLICT) where ``new`` takes SLOWEST times as long to rank as ``served`` does by turns."""
    for engine in (new, served):
        engine.rank(REQUEST)  # the first request makes what later ones share
    rounds = [(_seconds(new), _seconds(served)) for _ in range(TIMED)]
    ours, theirs = (min(times) for times in zip(*rounds, strict=True))
    if ours > SLOWEST * theirs:
        problem = f"ranks in {1000 * ours:.1f} ms where the served release takes {1000 * theirs:.1f}"
        raise InputError(f"{problem}; it may take {SLOWEST:g} times as long", code="CONFLICT")


def release_memory() -> None:
    """Gives back what the process has dropped; what is left lives long, and no collection need walk it."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return_holes()


def _seconds(engine: "Engine") -> float:
    start = perf_counter()
    engine.rank(REQUEST)
    return perf_counter() - start


def _stamp(file: Path) -> tuple[int, ...] | None:
    """Another one whenever the file was replaced; None without a file."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size
