"""Which release is served: a promoted one is loaded aside, checked and swapped in while the one before it answers.

See docs/models-in-service.md.
"""

import gc
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from features.errors import InputError
from features.memory import return_holes
from models.registry import POINTER, champion_version, local_champion
from serving import metrics
from serving.follower import Follower
from serving.shelves import MOST_BEHIND
from serving.store import Store
from serving.watch import Watch

if TYPE_CHECKING:
    from models.engine import Engine

TIMED = 5  # rank requests to each engine, of which the fastest counts: a busy machine only ever adds to a time
SLOWEST = 5.0  # times as long as the served engine takes at the same moment
SERVED = "served.json"
REQUEST = {"brief": {"description": "Cozy summer recipes with iced matcha", "content_labels": ["food"]}}
Load = Callable[[Path, Follower], Follower]
"""Makes the follower of the release in a folder beside the one that is served."""

logger = logging.getLogger(__name__)


class Releases(Watch):
    """Keeps ``served``, which answers with release ``version`` at first, on the one that is promoted under ``home``;
    ``load`` makes the follower of another beside it."""

    def __init__(self, home: Path, store: Store, served: Follower, version: str, load: Load) -> None:
        super().__init__(home / POINTER)
        self._home, self._store, self._served, self._load = home, store, served, load
        self._version = version

    def _named(self) -> str:
        return champion_version(self._home)

    def _take(self, version: str | None) -> None:
        if version != self._version:
            release = local_champion(self._home)
            self._swap(self._load(release, self._served))
            self._version = release.name
            metrics.RELEASES.labels("served").inc()
            metrics.tell_release(release, self._pointer)
            logger.info("release %s is served", release.name)
            release_memory()
        if last_served(self._home) != self._version:
            part = self._home / f"{SERVED}.{os.getpid()}"  # other workers write theirs
            part.write_text(json.dumps({"version": self._version}) + "\n", encoding="utf-8")
            part.replace(self._home / SERVED)

    def _keep_up(self) -> bool:
        """Takes the same release over a catalogue that is built anew, aside, once many creators have changed."""
        if self._served.engine.catalogue.changed <= MOST_BEHIND:
            return True
        try:
            self._swap(self._load(self._home / "releases" / self._version, self._served))
        except Exception:
            logger.exception("the catalogue cannot be built anew; it is tried again")
            return False
        logger.info("release %s is served over a new catalogue", self._version)
        release_memory()
        return True

    def _swap(self, new: Follower) -> None:
        check_speed(new.engine, self._served.engine)
        new.engine.rehearse(self._served.engine)
        new.look()
        if len(new.engine.policy_changes()):
            with self._store.writing() as store:  # nobody else writes between the policy and the ledger it is for
                new.look()
                store.append_events(new.engine.policy_changes())
        self._served.give_way(new)


def first_served(home: Path, load: Callable[[Path], Follower]) -> tuple[Path, Follower]:
    """The promoted release's folder and follower when a process starts; where it is refused, those of the release that
    was served last, so that a worker that is started again answers as the others do.

    Raises InputError for what stands in the way of both.
    """
    try:
        release = local_champion(home)
        return release, load(release)
    except InputError as error:
        last = last_served(home)
        if error.code == "UNAVAILABLE" or last is None:
            raise
        logger.error("the promoted release is refused, %s was served last: %s", last, error.message)
        release = home / "releases" / last
        return release, load(release)


def last_served(home: Path) -> str | None:
    """The version that a service on this data directory has taken last; None where there was none."""
    try:
        return str(json.loads((home / SERVED).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


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
    """Gives back what the process has dropped; what is left lives long, and no collection need walk it.

    Nor does this one walk what was frozen before: every answer waits for a collection, and an engine goes without one.
    """
    gc.collect()
    gc.freeze()
    return_holes()


def _seconds(engine: "Engine") -> float:
    start = perf_counter()
    engine.rank(REQUEST)
    return perf_counter() - start
