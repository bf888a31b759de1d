"""Where stores are: a folder's dataset is imported once, into a SQLite file under the data directory; a SQL URL is a
store itself."""

import hashlib
import json
import logging
from pathlib import Path

import sqlalchemy as sa

from features.errors import bad
from features.tables import is_url, read_raw, write_tables
from features.validation import read_usable, wall_clock
from serving.database import engine_at
from serving.migrations import is_store, migrate

SUFFIXES = (".parquet", ".csv")

logger = logging.getLogger(__name__)


def url_of(path: Path) -> str:
    """The SQL URL of the SQLite database at ``path``."""
    return f"sqlite:///{path}"


def open_store(home: Path, source: str | None) -> str:
    """The SQL URL of the store for ``source``, migrated to what this code reads.

    A folder's store is a file under ``home``, imported when it is new. A SQL URL is the store: what is written goes
    there. Without a source it is the folder's store that was opened last; a URL may hold a password and is not kept.
    Raises InputError for what cannot be read or used, and for no source where none was opened.
    """
    stores = home / "stores"
    last = stores / "last"  # a file with the name of the store that was opened last
    if source and is_url(source):
        _refuse_imported(stores / _name_of(source), source)
        last.unlink(missing_ok=True)
        return _opened(source)
    if source:
        path = stores / _name_of(str(Path(source).resolve()))
        import_dataset(source, path)
        last.write_text(path.name)
    if not last.is_file():
        raise bad("data", "nothing was imported yet; name a dataset", source)
    return _opened(url_of(stores / last.read_text()))


def import_dataset(source: str, path: Path) -> None:
    """Copy the folder ``source`` into a new store at ``path``, all or nothing; one that is there stays as it is.

    Logs where the files of ``source`` have changed since: what was written to the store would be lost with it.
    Raises InputError for a dataset that cannot be read or used (:func:`features.validation.read_usable`).
    """
    origin = path.with_suffix(".origin")
    if path.exists():
        _say_if_changed(source, path, origin)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".importing")
    unfinished.unlink(missing_ok=True)
    files = _files(source)
    tables = read_usable(source, wall_clock())
    rows = write_tables(tables, url_of(unfinished))
    _migrated(url_of(unfinished))
    origin.write_text(json.dumps({"imported_at": f"{wall_clock():%Y-%m-%d %H:%M} UTC", "files": files}))
    unfinished.rename(path)
    logger.info("imported %d rows into %s", sum(rows.values()), path)


def _opened(url: str) -> str:
    """``url`` once its database is a store of this version."""
    if not _is_store(url):
        read_usable(url, wall_clock())
    _migrated(url)
    return url


def _is_store(url: str) -> bool:
    with engine_at(url) as engine:
        read_raw(url, ())  # says which database is not there, where SQLite would make one
        return is_store(engine)


def _migrated(url: str) -> None:
    with engine_at(url) as engine:
        migrate(engine)


def _name_of(where: str) -> str:
    return f"{hashlib.sha256(where.encode()).hexdigest()[:12]}.sqlite"


def _refuse_imported(path: Path, source: str) -> None:
    """Raises InputError where an earlier version imported this database, and wrote to the copy since."""
    if path.exists():
        shown = sa.make_url(source).render_as_string(hide_password=True)
        problem = f"was imported before, and written to since: serve {url_of(path)} or move that file away"
        raise bad("data", problem, shown, "CONFLICT")


def _files(source: str) -> dict[str, list[int]]:
    """Name → size and time of change of the files of a dataset's folder."""
    tables = (one for one in Path(source).iterdir() if one.suffix in SUFFIXES)
    return {one.name: [one.stat().st_size, one.stat().st_mtime_ns] for one in tables}


def _say_if_changed(source: str, path: Path, origin: Path) -> None:
    try:
        imported, files = json.loads(origin.read_text()), _files(source)
    except OSError:  # the folder is gone: the store serves on
        return
    if files != imported["files"]:
        logger.warning(
            "serving the store imported on %s; %s has changed since: to import it anew, stop, delete %s "
            "(and with it what was written to the store) and start again",
            imported["imported_at"],
            source,
            path,
        )
