"""The service's own database: the contract's tables in SQLite, so that training reads the store like any dataset."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from features import columns as c
from features import schema
from features.errors import bad
from features.schema import Kind, Table
from features.tables import as_text, write_tables
from features.validation import read_usable, wall_clock

TYPES = {Kind.STRING: sa.Text, Kind.LIST: sa.Text, Kind.NUMBER: sa.Float, Kind.TIME: sa.DateTime}
SUFFIXES = (".parquet", ".csv")
INDEXES = {
    schema.COLLABORATION_EVENTS.name: (c.EVENT_ID, c.CREATOR_ID, c.COLLABORATION_ID),
    schema.CREATORS.name: (c.CREATOR_ID,),
    schema.AUDIENCE.name: (c.CREATOR_ID,),
    schema.IMPRESSIONS.name: (c.RANKING_ID,),
    schema.FRAUD_LABELS.name: (c.CREATOR_ID, c.ACCOUNT_ID),
}

logger = logging.getLogger(__name__)


def url_of(path: Path) -> str:
    """The SQL URL of the SQLite database at ``path``."""
    return f"sqlite:///{path}"


def open_store(home: Path, source: str | None) -> Path:
    """The path of the store for the dataset ``source`` (a folder or a SQL URL) under ``home``, imported when it is new.

    Without a source it is the store that was opened last. Raises InputError when there is none.
    """
    stores = home / "stores"
    last = stores / "last"  # a file with the name of the store that was opened last
    if source:
        where = source if "://" in source else str(Path(source).resolve())
        path = stores / f"{hashlib.sha256(where.encode()).hexdigest()[:12]}.sqlite"
        import_dataset(source, path)
        last.write_text(path.name)
    if not last.is_file():
        raise bad("data", "nothing was imported yet; name a dataset", source)
    return stores / last.read_text()


def import_dataset(source: str, path: Path) -> None:
    """Copy the dataset at ``source`` into a new store at ``path``, all or nothing; one that is there stays as it is.

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
    _prepare(unfinished)
    origin.write_text(json.dumps({"imported_at": f"{wall_clock():%Y-%m-%d %H:%M} UTC", "files": files}))
    unfinished.rename(path)
    logger.info("imported %d rows into %s", sum(rows.values()), path)


def _files(source: str) -> dict[str, list[int]]:
    """Name → size and time of change of the files of a dataset's folder; a database tells nothing of the kind."""
    if "://" in source:
        return {}
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


@dataclass(frozen=True)
class Ranking:
    """An answer that feedback may come to: its brief as JSON of the contract's columns, the release that ranked."""

    ranking_id: str
    brief: str
    policy_version: str | None
    ranked_at: datetime


class Store:
    """Appends and upserts; every method is one transaction, on disk when it returns. One writer at a time."""

    def __init__(self, path: Path) -> None:
        # A ranking is remembered beside whoever writes: it may wait longer for its turn than SQLite's five seconds.
        self._engine = sa.create_engine(url_of(path), connect_args={"timeout": 30})
        _RANKINGS.create(self._engine, checkfirst=True)

    def close(self) -> None:
        """Give the database file back."""
        self._engine.dispose()

    def known_creators(self, creator_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the catalogue has."""
        column = _TABLES[schema.CREATORS.name].c[c.CREATOR_ID]
        with self._engine.connect() as connection:
            return set(connection.scalars(sa.select(column).where(column.in_(creator_ids)).distinct()))

    def has_others(self, creator_ids: Sequence[str]) -> bool:
        """Whether the catalogue has creators beside these."""
        column = _TABLES[schema.CREATORS.name].c[c.CREATOR_ID]
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(column).where(column.not_in(creator_ids)).limit(1)) is not None

    def upsert(self, creators: pd.DataFrame, audience: pd.DataFrame) -> None:
        """Add conformed rows, whose ``observed_at`` must be given, in the place of those of the same entity that have
        the same one or none: an undated row would count as observed later than any date."""
        with self._engine.begin() as connection:
            for table, frame in ((schema.CREATORS, creators), (schema.AUDIENCE, audience)):
                _replace(connection, table, frame)

    def delete(self, creator_ids: Sequence[str]) -> None:
        """Remove creators and every row about them, from all tables."""
        with self._engine.begin() as connection:
            for stored in _TABLES.values():
                if c.CREATOR_ID in stored.c:
                    connection.execute(stored.delete().where(stored.c[c.CREATOR_ID].in_(creator_ids)))

    def events_about(self, batch: pd.DataFrame) -> pd.DataFrame:
        """The stored events that share an id, a creator or a collaboration with ``batch``, or that it refers to."""
        stored = _TABLES[schema.COLLABORATION_EVENTS.name]
        ids = pd.concat([batch[c.EVENT_ID], batch[c.REFERS_TO]])
        about = sa.or_(
            stored.c[c.EVENT_ID].in_(_values(ids)),
            stored.c[c.CREATOR_ID].in_(_values(batch[c.CREATOR_ID])),
            stored.c[c.COLLABORATION_ID].in_(_values(batch[c.COLLABORATION_ID])),
        )
        with self._engine.connect() as connection:
            return schema.conform(
                pd.read_sql_query(stored.select().where(about), connection), schema.COLLABORATION_EVENTS
            )

    def append_events(self, events: pd.DataFrame) -> None:
        """Append conformed events; an ``event_id`` that is stored already is pandas' DatabaseError."""
        with self._engine.begin() as connection:
            _insert(connection, schema.COLLABORATION_EVENTS, events)

    def labels_about(self, batch: pd.DataFrame) -> pd.DataFrame:
        """The stored fraud labels of the creators and the accounts of ``batch``."""
        stored = _TABLES[schema.FRAUD_LABELS.name]
        about = sa.or_(*(stored.c[name].in_(_values(batch[name])) for name in (c.CREATOR_ID, c.ACCOUNT_ID)))
        with self._engine.connect() as connection:
            return schema.conform(pd.read_sql_query(stored.select().where(about), connection), schema.FRAUD_LABELS)

    def append_labels(self, labels: pd.DataFrame, events: pd.DataFrame) -> None:
        """Append conformed fraud labels and the ledger events that follow from them, both or neither."""
        with self._engine.begin() as connection:
            _insert(connection, schema.FRAUD_LABELS, labels)
            _insert(connection, schema.COLLABORATION_EVENTS, events)

    def remember(self, ranking: Ranking) -> None:
        """Keep a ranking for the feedback that may come."""
        with self._engine.begin() as connection:
            connection.execute(_RANKINGS.insert(), asdict(ranking))

    def ranking(self, ranking_id: str) -> Ranking | None:
        """The ranking with this id, None where it was never made here."""
        with self._engine.connect() as connection:
            row = connection.execute(_RANKINGS.select().where(_RANKINGS.c.ranking_id == ranking_id)).one_or_none()
        return None if row is None else Ranking(*row)

    def impressions_of(self, ranking_id: str) -> pd.DataFrame:
        """The stored impressions of a ranking."""
        stored = _TABLES[schema.IMPRESSIONS.name]
        found = stored.select().where(stored.c[c.RANKING_ID] == ranking_id)
        with self._engine.connect() as connection:
            return schema.conform(pd.read_sql_query(found, connection), schema.IMPRESSIONS)

    def write_feedback(self, brief: pd.DataFrame, impressions: pd.DataFrame) -> None:
        """Put conformed impressions in the place of those with the same key; add their ``brief``, one row, unless there
        is one with its id already."""
        stored, briefs = _TABLES[schema.IMPRESSIONS.name], _TABLES[schema.BRIEFS.name]
        key = [c.RANKING_ID, c.CREATOR_ID, c.SHOWN_AT]
        same = sa.and_(*(stored.c[name] == sa.bindparam(f"key_{name}") for name in key))
        keys = impressions[key].rename(columns=lambda name: f"key_{name}")
        known = sa.select(briefs.c[c.BRIEF_ID]).where(briefs.c[c.BRIEF_ID] == brief[c.BRIEF_ID].iloc[0]).limit(1)
        with self._engine.begin() as connection:
            connection.execute(stored.delete().where(same), keys.to_dict("records"))
            _insert(connection, schema.IMPRESSIONS, impressions)
            if connection.scalar(known) is None:
                _insert(connection, schema.BRIEFS, brief)


def _table(table: Table, metadata: sa.MetaData) -> sa.Table:
    columns: list[sa.Column[Any]] = [sa.Column(column.name, TYPES[column.kind]) for column in table.columns]
    names = INDEXES.get(table.name, ())
    indexes = [sa.Index(f"{table.name}_{name}", name, unique=name == c.EVENT_ID) for name in names]
    return sa.Table(table.name, metadata, *columns, *indexes)


_METADATA = sa.MetaData()
_TABLES = {name: _table(table, _METADATA) for name, table in schema.CONTRACT.items()}
_RANKINGS = sa.Table(
    "rankings",
    sa.MetaData(),
    sa.Column("ranking_id", sa.Text, primary_key=True),
    sa.Column("brief", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Text),
    sa.Column("ranked_at", sa.DateTime, nullable=False),
)


def _prepare(path: Path) -> None:
    """The tables that the dataset did not have, and the indexes of all."""
    engine = sa.create_engine(url_of(path))
    _METADATA.create_all(engine)
    for index in (index for stored in _TABLES.values() for index in stored.indexes):
        index.create(engine, checkfirst=True)
    engine.dispose()


def _replace(connection: sa.Connection, table: Table, frame: pd.DataFrame) -> None:
    stored = _TABLES[table.name]
    key = (*table.entity, c.OBSERVED_AT)
    entity = (stored.c[name] == sa.bindparam(f"key_{name}") for name in table.entity)
    observed = stored.c[c.OBSERVED_AT]
    same = sa.and_(*entity, sa.or_(observed == sa.bindparam(f"key_{c.OBSERVED_AT}"), observed.is_(None)))
    keys = frame[[*key]].drop_duplicates().rename(columns={name: f"key_{name}" for name in key})
    if len(keys):
        connection.execute(stored.delete().where(same), keys.to_dict("records"))
        _insert(connection, table, frame)


def _insert(connection: sa.Connection, table: Table, frame: pd.DataFrame) -> None:
    as_text(frame[[*table.names]], table).to_sql(table.name, connection, if_exists="append", index=False)


def _values(column: pd.Series) -> list[str]:
    return list(column.dropna().unique())
