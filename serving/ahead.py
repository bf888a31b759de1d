"""Answers about single creators are made before anyone asks, by a process of its own at the lowest priority.

A first answer is computed from rows in the store by functions made for tables: of one creator it takes some twenty
milliseconds, of two hundred together one or two each.
"""

import fcntl
import gc
import logging
import os
import shutil
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from features.errors import InputError
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.kept import CREDIT, Kept
from models.lookup import Lookup
from models.shelf import load_catalogue, save_catalogue
from serving.parent import stop_with_parent
from serving.store import Store

AT_ONCE = 200  # creators
WORTH = 1000  # creators; of fewer, answers are made when they are asked for
IDLE = 19

logger = logging.getLogger(__name__)


def begin(home: Path, release: Path, url: str, catalogue: Catalogue) -> Kept:
    """What a process begins to make of the creators of a ``catalogue`` that was just built, until nobody reads it any
    more."""
    folder = Path(mkdtemp(dir=home, prefix="built-"))
    save_catalogue(catalogue, folder / release.name)
    kept = Kept.empty(len(catalogue.state.ids), home)
    process = _process(release, url, folder / release.name, kept.descriptors)
    weakref.finalize(kept, _end, process, partial(shutil.rmtree, folder, ignore_errors=True))
    return kept


def begin_beside(folder: Path, release: Path, url: str, size: int) -> Kept:
    """What is made of the ``size`` creators of the catalogue in ``folder`` for all who map it: by one process, which
    goes on where an earlier one was ended."""
    kept = Kept.beside(size, folder)
    lock = (folder / "told.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # another worker's process is at it
        lock.close()
    else:  # the process holds the lock, too: as long as it writes, nobody else begins
        process = _process(release, url, folder, (), lock.fileno())
        weakref.finalize(kept, _end, process, lock.close)
    return kept


def _process(
    release: Path, url: str, folder: Path, descriptors: tuple[int, ...], *held: int
) -> "subprocess.Popen[bytes]":
    """One that puts its answers into the :class:`Kept` of ``descriptors``, or beside the catalogue without any."""
    numbers = map(str, (os.getpid(), *descriptors))
    command = [sys.executable, "-m", "serving.ahead", str(release), str(folder), *numbers]
    # A URL may hold a password, and arguments are seen by all; a Bento's code is where only this process looks.
    settings = {"CREATORMATCH_AHEAD": url, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        command,
        env=os.environ | settings,
        pass_fds=(*descriptors, *held),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )


def _end(process: "subprocess.Popen[bytes]", let_go: Callable[[], None]) -> None:
    process.kill()
    process.wait()
    let_go()


def make(release: Path, url: str, folder: Path, descriptors: Iterable[int]) -> None:
    """Makes what is told of the creators of the catalogue in ``folder`` and puts it beside it, or into the
    :class:`Kept` of ``descriptors``, if there are any; then the folder is removed."""
    catalogue, inherited = load_catalogue(folder), [*descriptors]
    size = len(catalogue.state.ids)
    if inherited:
        shutil.rmtree(folder)  # its pages stay as long as they are mapped
    kept = Kept.inherited(size, inherited) if inherited else Kept.beside(size, folder)
    with closing(Store(url)) as store:
        lookup = Lookup(Bundle.load(release), store)
        evidence = lookup.evidence(catalogue)
        with suppress(InputError):
            _ = evidence.groups.together  # looked for now, they hold up no transaction in which rows are read
        gc.freeze()  # what is loaded stays: no collection need walk it
        for start in range(0, size, AT_ONCE):
            rows = kept.unmade(CREDIT, range(start, min(start + AT_ONCE, size)))
            try:
                lookup.make_ahead(catalogue, evidence, rows, kept)
            except Exception as error:  # whatever it is, these answers are computed when they are asked for
                logger.warning("%d answers from row %d on are not made ahead: %s", len(rows), start, error)


if __name__ == "__main__":
    os.nice(IDLE)
    parent, *given = map(int, sys.argv[3:])
    stop_with_parent(parent)
    make(Path(sys.argv[1]), os.environ["CREATORMATCH_AHEAD"], Path(sys.argv[2]), given)
