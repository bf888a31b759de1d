"""Where the catalogues of large stores are kept: each is built once, by a process of its own, and every worker on the
machine maps its files.

``DATA/catalogues/<store>/<release>-<number>`` knows the store up to the write of that number; the writes after it a
worker takes over as it follows the store.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from features.errors import InputError
from features.text import EMBEDDINGS

CATALOGUES = "catalogues"
LARGE = 100_000  # creators; a smaller catalogue is built in a worker's own memory in seconds
MOST_BEHIND = 5_000  # creators who changed since: more make every request slower than a new catalogue is worth
KEPT = 2  # of a release, the newest
NICE = 10  # whoever answers goes first, and a catalogue that is wanted still comes


class Shelves:
    """The catalogues kept under ``home`` for the store at ``url``."""

    def __init__(self, home: Path, url: str) -> None:
        self._home, self._url = home, url
        shown = sa.make_url(url).render_as_string(hide_password=True)
        self.folder = home / CATALOGUES / hashlib.sha256(shown.encode()).hexdigest()[:12]

    def newest(self, release: str) -> tuple[Path, int] | None:
        """The folder of the newest catalogue of a release, and up to which write it knows the store; None without."""
        return next(reversed(self._kept(release)), None)

    def build(self, release: Path, number: int) -> tuple[Path, int]:
        """The same, with a catalogue that knows at least the writes up to ``number``, built where there is none.

        Raises InputError (UNAVAILABLE) where that fails; the log of the process that built it says why.
        """
        with self._alone():
            if (kept := self.newest(release.name)) and kept[1] >= number:
                return kept  # another worker wanted the same
            folder = self.folder / f"{release.name}-{number}"
            settings = {"CREATORMATCH_SHELF": self._url}  # a URL may hold a password, and arguments are seen by all
            command = [sys.executable, "-m", "serving.shelves", str(self._home), str(release), str(folder)]
            if subprocess.run(command, env=os.environ | settings, check=False).returncode:
                raise InputError(f"the catalogue of release {release.name} could not be built", code="UNAVAILABLE")
            self._clear(release.name)
            return folder, number

    def _kept(self, release: str) -> list[tuple[Path, int]]:
        """Folders and numbers of a release's catalogues, the newest last."""
        found = [(path, int(path.name.rpartition("-")[2])) for path in self.folder.glob(f"{release}-*[0-9]")]
        return sorted(found, key=lambda one: one[1])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _clear(self, release: str) -> None:
        """Removes all but the newest; who has one mapped keeps its pages."""
        for path, _ in self._kept(release)[:-KEPT]:
            shutil.rmtree(path, ignore_errors=True)  # somebody may just be writing answers beside it


def build(home: Path, release: Path, url: str, folder: Path) -> None:
    """Builds the catalogue of the store at ``url`` by the ``release`` into ``folder``, all or nothing."""
    from models.engine import Engine
    from models.shelf import save_catalogue
    from serving.store import Store

    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    save_catalogue(Engine.load(release, Store(url), home / EMBEDDINGS).catalogue, part)
    part.rename(folder)


if __name__ == "__main__":
    os.nice(NICE)
    build(Path(sys.argv[1]), Path(sys.argv[2]), os.environ["CREATORMATCH_SHELF"], Path(sys.argv[3]))
