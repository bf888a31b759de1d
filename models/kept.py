"""What is told of a catalogue's creators, made ahead: one process writes it, those that answer read it."""

import hashlib
import json
import os
import weakref
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Self

import numpy as np

import features
import models

FRAUD, CREDIT = "fraud", "credit"
KINDS = (FRAUD, CREDIT)
LENGTH = 24  # bits; the place in the file stands above them


class Kept:
    """At most one JSON value of each of KINDS for each of ``size`` rows, some 3 KB a creator, in two files: ``values``
    one after the other, ``places`` (kinds, size) where, 0 for none."""

    def __init__(self, size: int, values: IO[bytes], places: IO[bytes]) -> None:
        self.size, self._files = size, (values, places)
        for file in self._files:
            weakref.finalize(self, file.close)
        self._places = np.memmap(places, np.int64, "r+", shape=(len(KINDS), size))

    @classmethod
    def empty(cls, size: int, folder: Path) -> Self:
        """With nothing in it yet, on the disk of ``folder``, in files without a name, which go with the last process
        that has them open."""
        values, places = (TemporaryFile(dir=folder) for _ in range(2))  # noqa: SIM115 - open as long as this is read
        places.truncate(8 * len(KINDS) * size)
        return cls(size, values, places)

    @classmethod
    def beside(cls, size: int, folder: Path) -> Self:
        """The one that all processes of this code share which read the catalogue in ``folder``, and which goes with
        it."""
        paths = (folder / f"told-{_code()}.{name}" for name in ("values", "places"))
        values, places = (os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") for path in paths)
        places.truncate(8 * len(KINDS) * size)
        return cls(size, values, places)

    @classmethod
    def inherited(cls, size: int, descriptors: Iterable[int]) -> Self:
        """The one of a parent process, by its :attr:`descriptors`."""
        values, places = (os.fdopen(one, "r+b") for one in descriptors)
        return cls(size, values, places)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Of its open files."""
        return tuple(one.fileno() for one in self._files)

    def of(self, kind: str, rows: Iterable[int]) -> list[Any]:
        """The value for each of ``rows``; None where there is none, as for -1."""
        return [self._value(KINDS.index(kind), row) for row in rows]

    def unmade(self, kind: str, rows: range) -> list[int]:
        """Those of ``rows`` that have no value yet."""
        places = self._places[KINDS.index(kind), rows.start : rows.stop]
        return (rows.start + np.flatnonzero(places == 0)).tolist()

    def put(self, kind: str, rows: Sequence[int], values: Iterable[Any]) -> None:
        """Keeps values that JSON can hold; a reader finds them from then on."""
        told = [json.dumps(value, ensure_ascii=False, allow_nan=False).encode() for value in values]
        file = self._files[0]
        end = file.seek(0, os.SEEK_END)
        file.write(b"".join(told))
        file.flush()  # the places come after what stands there
        lengths = np.array([len(one) for one in told], np.int64)
        self._places[KINDS.index(kind), list(rows)] = (end + np.cumsum(lengths) - lengths) << LENGTH | lengths

    def _value(self, kind: int, row: int) -> Any:
        place = int(self._places[kind, row]) if row >= 0 else 0
        if not place:
            return None
        with suppress(ValueError):  # where a computer lost power, the end of a file may be missing
            return json.loads(os.pread(self.descriptors[0], place & ~(-1 << LENGTH), place >> LENGTH))
        return None


@cache
def _code() -> str:
    """Of what answers are made with beside the release: other code makes them anew."""
    digest = hashlib.sha256()
    for room in (features, models):
        for path in sorted(Path(str(room.__file__)).parent.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
