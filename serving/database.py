"""The databases that can hold the store, SQLite and PostgreSQL. What tells them apart stands here and nowhere else.

========================  ==========================================  ==========================================
..                        SQLite                                      PostgreSQL
========================  ==========================================  ==========================================
one write at a time       ``BEGIN IMMEDIATE`` locks the database      the first statement of a write locks the one
                                                                      row of ``writes`` (:mod:`serving.store`)
one snapshot per reading  ``BEGIN`` in WAL mode                       ``REPEATABLE READ``
on disk when it returns   ``synchronous=FULL``                        the server's default
one migration at a time   ``BEGIN IMMEDIATE``                         an advisory lock
many values, one          a JSON array                                an array
parameter
========================  ==========================================  ==========================================
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from features.errors import bad
from features.tables import sql_engine

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_PATIENCE_S = 30  # how long a write waits for its turn; SQLite's own five seconds a busy disk can outlast
_SESSION = {
    "timezone": "utc",  # times are UTC also where a column has a zone
    "lock_timeout": f"{_PATIENCE_S}s",
    "idle_in_transaction_session_timeout": f"{2 * _PATIENCE_S}s",  # a writer that vanished gives its turn back
}
_CONNECTION = {
    "connect_timeout": 5,
    "tcp_user_timeout": 1000 * _PATIENCE_S,
    "keepalives_idle": _PATIENCE_S,
    "options": " ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
}
_OPTIONS: dict[str, dict[str, Any]] = {
    SQLITE: {"connect_args": {"timeout": _PATIENCE_S}},
    # A server that was restarted meanwhile is connected to anew.
    POSTGRESQL: {"pool_pre_ping": True, "connect_args": _CONNECTION},
}
_READING = {SQLITE: {"sqlite_begin": "BEGIN"}, POSTGRESQL: {"isolation_level": "REPEATABLE READ"}}
_MIGRATION_LOCK = 20_250_601


def open_engine(url: str) -> sa.Engine:
    """The engine for the store at ``url``; its transactions may write. Raises InputError for any other kind of URL."""
    backend = url.partition(":")[0].partition("+")[0]
    if backend not in _OPTIONS:
        raise bad("data", "the service writes to SQLite or PostgreSQL; give such a URL, or a folder", backend)
    # An error that is logged with its trace would else show what people wrote.
    engine = sql_engine(url, hide_parameters=True, **_OPTIONS[backend])
    if backend == SQLITE:
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def engine_at(url: str) -> Iterator[sa.Engine]:
    """:func:`open_engine` for a moment."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def reader(engine: sa.Engine) -> sa.Engine:
    """The same engine for transactions that only read, each of them from one snapshot."""
    return engine.execution_options(**_READING[engine.dialect.name])


def among(
    connection: sa.Connection, column: "sa.ColumnElement[str]", values: Sequence[str]
) -> "sa.ColumnElement[bool]":
    """Whether a column is one of ``values``: any number of them are one parameter."""
    if connection.dialect.name == POSTGRESQL:
        return column == sa.any_(sa.literal(list(values), sa.ARRAY(sa.Text)))
    return column.in_(sa.select(sa.func.json_each(json.dumps(list(values))).table_valued("value").c.value))


def lock_migrations(connection: sa.Connection) -> None:
    """Waits until nobody else migrates this database; lasts as long as the transaction."""
    if connection.dialect.name == POSTGRESQL:
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # Python's own, which would begin transactions behind SQLAlchemy's back
    for setting in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):  # deleted text is overwritten
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN IMMEDIATE"))
