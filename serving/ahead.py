"""Answers about single creators are made before anyone asks, by a process of its own at the lowest priority.

A first answer is computed from rows in the store by functions made for tables: of one creator it takes a tenth of a
second, of a hundred together a few milliseconds each.
"""

import os
import shutil
import subprocess
import sys
import weakref
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from tempfile import mkdtemp

from features.errors import InputError
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.kept import Kept
from models.lookup import Lookup
from models.shelf import load_catalogue, save_catalogue
from serving.parent import stop_with_parent
from serving.store import Store

AT_ONCE = 200  # creators
WORTH = 1000  # creators; of fewer, answers are made when they are asked for
IDLE = 19


def begin(home: Path, release: Path, url: str, catalogue: Catalogue) -> Kept:
    """What a process begins to make of the creators of a ``catalogue`` that was just built, until nobody reads it any
    more."""
    folder = Path(mkdtemp(dir=home, prefix="built-"))
    save_catalogue(catalogue, folder / release.name)
    kept = Kept.empty(len(catalogue.state.ids), home)
    command = [sys.executable, "-m", "serving.ahead", str(release), str(folder), *map(str, kept.descriptors)]
    # A URL may hold a password, and arguments are seen by all; a Bento's code is where only this process looks.
    settings = {"CREATORMATCH_AHEAD": url, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        command, env=os.environ | settings, pass_fds=kept.descriptors, start_new_session=True, stdin=subprocess.DEVNULL
    )
    weakref.finalize(kept, _end, process, folder)
    return kept


def _end(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def make(release: Path, url: str, folder: Path, descriptors: Iterable[int]) -> None:
    """Makes what is told of the creators of the catalogue in ``folder``, which is removed, and puts it into the
    :class:`Kept` of these descriptors."""
    catalogue = load_catalogue(folder / release.name)
    shutil.rmtree(folder)  # its pages stay as long as they are mapped
    kept = Kept.inherited(len(catalogue.state.ids), descriptors)
    with closing(Store(url)) as store:
        lookup = Lookup(Bundle.load(release), store)
        evidence = lookup.evidence(catalogue)
        for start in range(0, kept.size, AT_ONCE):
            with suppress(InputError):  # what the store does not say now is computed when it is asked for
                lookup.make_ahead(catalogue, evidence, range(start, min(start + AT_ONCE, kept.size)), kept)


if __name__ == "__main__":
    os.nice(IDLE)
    stop_with_parent()
    make(Path(sys.argv[1]), os.environ["CREATORMATCH_AHEAD"], Path(sys.argv[2]), [int(one) for one in sys.argv[3:]])
