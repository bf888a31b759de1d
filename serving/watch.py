"""Files that name a release, looked at again and again: what one names is tried once, and refused with a reason."""

import logging
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, Thread
from time import sleep
from typing import Any

from features.errors import InputError
from serving import metrics

POLL_S = 1.0
AFTER_FAILURE_S = 5.0
KEPT = 20  # refusals shown

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refusal:
    """A release that is not served, and why; ``version`` is None where the file names none."""

    version: str | None
    reason: str
    refused_at: str


class Watch(ABC):
    """Does what ``pointer`` says whenever it was replaced."""

    def __init__(self, pointer: Path) -> None:
        self._pointer = pointer
        self._seen: tuple[int, ...] | None = ()  # what no file looks like
        self._refused: dict[str | None, Refusal] = {}
        self._looking = Lock()

    @property
    def refused(self) -> list[dict[str, Any]]:
        """The latest refusals, the newest last; a release that was taken after all is none of them."""
        return [asdict(one) for one in self._refused.values()]

    def keep_looking(self) -> None:
        """Looks again and again from now on, as long as the process lives."""
        Thread(target=self._poll, name=self._pointer.stem, daemon=True).start()

    def look(self, again: bool = False) -> bool:
        """Takes what is named since the last look, or refuses it; ``again`` also tries what was refused before. False
        where the store did not answer: the next look tries again."""
        with self._looking:
            pointer = _stamp(self._pointer)
            if pointer == self._seen and not again:
                return self._keep_up()
            done = self._try()
            self._seen = pointer if done else ()
            return done

    @abstractmethod
    def _named(self) -> str | None:
        """The version that the file names, None where it says that there is none. Raises InputError."""

    @abstractmethod
    def _take(self, version: str | None) -> None:
        """Does what the file says. What is raised is the reason of a refusal, UNAVAILABLE one to try again."""

    def _keep_up(self) -> bool:
        """What is to be done while the file stays the same. False where the next look should come later."""
        return True

    def _try(self) -> bool:
        version = None
        try:
            version = self._named()
            self._take(version)
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

    def _refuse(self, version: str | None, reason: str) -> None:
        others = [one for one in self._refused.values() if one.version != version]
        refusal = Refusal(version, reason, datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds"))
        self._refused = {one.version: one for one in [*others, refusal][-KEPT:]}
        metrics.RELEASES.labels("refused").inc()
        logger.error("release %s, named in %s, is refused: %s", version, self._pointer.name, reason)

    def _poll(self) -> None:
        while True:
            sleep(POLL_S if self.look() else AFTER_FAILURE_S)


def _stamp(file: Path) -> tuple[int, ...] | None:
    """Another one whenever the file was replaced; None without a file."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size
