"""API keys in a file that is read again while the service runs: a key is added, replaced and taken away without a
restart."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from features.errors import Detail, InputError, bad
from serving.errors import invalid
from serving.metrics import KEYS_REFUSED
from serving.rows import Id, Time

LOOK_EVERY_S = 0.5

logger = logging.getLogger(__name__)


class Key(BaseModel):
    """One API key: its holder's name, the SHA-256 of the secret in hex, the scopes that it opens, the time (UTC) after
    which it opens none, and how much it may ask. A holder has two while one takes the other's place."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Id
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    scopes: frozenset[Literal["platform", "risk", "datascience", "admin"]] = Field(min_length=1)
    not_after: Time | None = None
    requests_per_second: float = Field(100, ge=0.001, le=1e6)
    requests_per_day: int = Field(1_000_000, ge=1)


_KEYS = TypeAdapter(Annotated[list[Key], Field(min_length=1)])


class KeyFile:
    """The keys in a JSON file, a list of :class:`Key`, as they are whenever one iterates over them.

    A change is seen :data:`LOOK_EVERY_S` seconds later. One that cannot be read or used is refused: the keys before it
    stay, ``refused`` and a metric say so, and the log, once. Raises InputError where there are no keys before.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._content = _read(path)
        self._keys = parse_keys(self._content)
        self._looked = clock()
        self.refused: str | None = None

    def __iter__(self) -> Iterator[Key]:
        now = self._clock()
        if now - self._looked >= LOOK_EVERY_S:
            self._looked = now
            self._look()
        return iter(self._keys)

    def _look(self) -> None:
        try:
            content = _read(self._path)  # whole: a time of change can miss a change, and the file is small
            if content != self._content:
                self._keys, self._content = parse_keys(content), content
                logger.info("there are new keys: %s", ", ".join(sorted({key.name for key in self._keys})))
            self.refused = None
        except InputError as error:
            if error.message != self.refused:
                logger.error("the new keys are refused, the old ones stay: %s", error.message)
            self.refused = error.message
        KEYS_REFUSED.set(self.refused is not None)


def parse_keys(content: bytes) -> list[Key]:
    """The keys in such a file; InputError for anything else, without the values: one of them may be a secret."""
    try:
        keys = _KEYS.validate_json(content)
    except ValidationError as error:
        problem = invalid(error)
        hidden = [Detail(field=one["field"], problem=one["problem"], value=None) for one in problem.details]
        raise InputError(f"CREATORMATCH_KEYS: {problem.message}", hidden) from None
    if len({key.sha256 for key in keys}) < len(keys):
        raise InputError("CREATORMATCH_KEYS: the same key stands there twice; give each holder one of its own")
    return keys


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise bad("CREATORMATCH_KEYS", f"must be a readable file: {error.strerror}", str(path)) from error
