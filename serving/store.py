"""The service's own database: the contract's tables, so that training reads the store like any dataset, and a number
for every write, so that whoever keeps them in memory knows what to read again."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import pandas as pd
import sqlalchemy as sa

from features import columns as c
from features import schema
from features.errors import InputError
from features.schema import Table
from features.source import meeting
from features.tables import as_text
from serving.database import open_engine, reader
from serving.layout import EVERY, LEDGER, NOTES, RANKINGS, TABLES, TOUCHED, WRITES
from serving.lookup import StoredRows

FOLLOWED = (schema.CREATORS, schema.AUDIENCE, schema.COLLABORATION_EVENTS, schema.FRAUD_LABELS)
"""The tables of creators that writes add to."""

_SILENCE = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError, sa.exc.TimeoutError)
"""What SQLAlchemy raises where a database is down, out of space, read-only or out of connections."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ranking:
    """An answer that feedback may come to: its brief as JSON of the contract's columns, the release that ranked."""

    ranking_id: str
    brief: str
    policy_version: str | None
    ranked_at: datetime


@dataclass(frozen=True)
class News:
    """The creators whom the writes up to ``number`` were about."""

    number: int
    creator_ids: list[str]


class Reading(StoredRows):
    """What a transaction may ask."""

    def known_creators(self, creator_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the catalogue has."""
        column = TABLES[schema.CREATORS.name].c[c.CREATOR_ID]
        return set(self._connection.scalars(sa.select(column).where(column.in_(creator_ids)).distinct()))

    def has_others(self, creator_ids: Sequence[str]) -> bool:
        """Whether the catalogue has creators beside these."""
        column = TABLES[schema.CREATORS.name].c[c.CREATOR_ID]
        return self._connection.scalar(sa.select(column).where(column.not_in(creator_ids)).limit(1)) is not None

    def events_about(self, batch: pd.DataFrame) -> pd.DataFrame:
        """The stored events that share an id, a creator or a collaboration with ``batch``, or that it refers to."""
        ids = pd.concat([batch[c.EVENT_ID], batch[c.REFERS_TO]])
        about = sa.or_(
            EVERY.c[c.EVENT_ID].in_(_values(ids)),
            EVERY.c[c.CREATOR_ID].in_(_values(batch[c.CREATOR_ID])),
            EVERY.c[c.COLLABORATION_ID].in_(_values(batch[c.COLLABORATION_ID])),
        )
        return self._rows(schema.COLLABORATION_EVENTS, EVERY, about)

    def labels_about(self, batch: pd.DataFrame) -> pd.DataFrame:
        """The stored fraud labels of the creators and the accounts of ``batch``."""
        stored = TABLES[schema.FRAUD_LABELS.name]
        about = sa.or_(*(stored.c[name].in_(_values(batch[name])) for name in (c.CREATOR_ID, c.ACCOUNT_ID)))
        return self._rows(schema.FRAUD_LABELS, stored, about)

    def impressions_of(self, ranking_id: str) -> pd.DataFrame:
        """The stored impressions of a ranking."""
        stored = TABLES[schema.IMPRESSIONS.name]
        return self._rows(schema.IMPRESSIONS, stored, stored.c[c.RANKING_ID] == ranking_id)

    def ranking(self, ranking_id: str) -> Ranking | None:
        """The ranking with this id, None where it was never made here."""
        row = self._connection.execute(RANKINGS.select().where(RANKINGS.c.ranking_id == ranking_id)).one_or_none()
        return None if row is None else Ranking(*row)

    def number(self) -> int:
        """How many writes there were."""
        return self._connection.scalars(sa.select(WRITES.c.number)).one()

    def news(self, since: int) -> News:
        """Whom the writes after the one numbered ``since`` were about."""
        touched = sa.select(TOUCHED.c[c.CREATOR_ID]).where(TOUCHED.c.number > since)
        return News(self.number(), list(self._connection.scalars(touched)))

    def changed(self, since: int) -> int:
        """How many creators the writes after the one numbered ``since`` were about."""
        return self._connection.scalar(sa.select(sa.func.count()).where(TOUCHED.c.number > since)) or 0

    def creators(self) -> int:
        """How many rows there are of creators."""
        stored = TABLES[schema.CREATORS.name]
        return self._connection.scalar(sa.select(sa.func.count()).select_from(stored)) or 0

    def _rows(self, table: Table, stored: sa.FromClause, which: sa.ColumnElement[bool]) -> pd.DataFrame:
        found = self._connection.execute(sa.select(stored).where(which)).all()
        return schema.conform(pd.DataFrame(found, columns=[*table.names]), table) if found else schema.empty(table)


class Writing(Reading):
    """What a transaction may change; no other write comes between its first question and its end."""

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection)
        # On PostgreSQL this row's lock is what lets one write wait for another; every later statement sees its rows.
        turn = WRITES.update().values(number=WRITES.c.number + 1).returning(WRITES.c.number)
        self._number = connection.execute(turn).scalar_one()

    def upsert(self, creators: pd.DataFrame, audience: pd.DataFrame) -> None:
        """Add conformed rows, whose ``observed_at`` must be given, in the place of those of the same entity that have
        the same one or none: an undated row would count as observed later than any date."""
        for table, frame in ((schema.CREATORS, creators), (schema.AUDIENCE, audience)):
            self._replace(table, frame)

    def delete(self, creator_ids: Sequence[str]) -> None:
        """Remove creators and every row about them, which changes what is known of those whom the same accounts engaged
        with. Of the ledger only what people wrote goes: its events stay, shown to nobody unless the creator comes
        back."""
        met = meeting(self, creator_ids)
        theirs = sa.select(LEDGER.c[c.EVENT_ID]).where(LEDGER.c[c.CREATOR_ID].in_(creator_ids))
        self._connection.execute(NOTES.delete().where(NOTES.c[c.EVENT_ID].in_(theirs)))
        for stored in (stored for stored in TABLES.values() if c.CREATOR_ID in stored.c):
            self._connection.execute(stored.delete().where(stored.c[c.CREATOR_ID].in_(creator_ids)))
        self._touch([*creator_ids, *met])

    def append_events(self, events: pd.DataFrame) -> None:
        """Append conformed events; an ``event_id`` that is stored already is SQLAlchemy's IntegrityError."""
        if events.empty:
            return
        rows, noted = events[[*schema.COLLABORATION_EVENTS.names]], events[c.NOTE].notna()
        self._connection.execute(LEDGER.insert(), _records(rows.drop(columns=c.NOTE)))
        if noted.any():
            self._connection.execute(NOTES.insert(), _records(rows.loc[noted, [c.EVENT_ID, c.NOTE]]))
        self._touch(_values(events[c.CREATOR_ID]))

    def append_labels(self, labels: pd.DataFrame, events: pd.DataFrame) -> None:
        """Append conformed fraud labels and the ledger events that follow from them."""
        self._insert(schema.FRAUD_LABELS, labels)
        self.append_events(events)

    def write_feedback(self, brief: pd.DataFrame, impressions: pd.DataFrame) -> None:
        """Put conformed impressions in the place of those with the same key; add their ``brief``, one row, unless there
        is one with its id already."""
        stored, briefs = TABLES[schema.IMPRESSIONS.name], TABLES[schema.BRIEFS.name]
        key = [c.RANKING_ID, c.CREATOR_ID, c.SHOWN_AT]
        same = sa.and_(*(stored.c[name] == sa.bindparam(f"key_{name}") for name in key))
        self._connection.execute(stored.delete().where(same), _records(impressions[key].add_prefix("key_")))
        self._insert(schema.IMPRESSIONS, impressions)
        known = sa.select(briefs.c[c.BRIEF_ID]).where(briefs.c[c.BRIEF_ID] == brief[c.BRIEF_ID].iloc[0]).limit(1)
        if self._connection.scalar(known) is None:
            self._insert(schema.BRIEFS, brief)

    def _replace(self, table: Table, frame: pd.DataFrame) -> None:
        if frame.empty:
            return
        stored = TABLES[table.name]
        key = [*table.entity, c.OBSERVED_AT]
        entity = (stored.c[name] == sa.bindparam(f"key_{name}") for name in table.entity)
        observed = stored.c[c.OBSERVED_AT]
        same = sa.and_(*entity, sa.or_(observed == sa.bindparam(f"key_{c.OBSERVED_AT}"), observed.is_(None)))
        keys = frame[key].drop_duplicates().add_prefix("key_")
        self._connection.execute(stored.delete().where(same), _records(keys))
        self._insert(table, frame)

    def _insert(self, table: Table, frame: pd.DataFrame) -> None:
        if len(frame):
            self._connection.execute(TABLES[table.name].insert(), _records(as_text(frame[[*table.names]], table)))
            if table in FOLLOWED:
                self._touch(_values(frame[c.CREATOR_ID]))

    def _touch(self, creator_ids: Sequence[str]) -> None:
        if creator_ids:
            self._connection.execute(TOUCHED.delete().where(TOUCHED.c[c.CREATOR_ID].in_(creator_ids)))
            rows = [{c.CREATOR_ID: one, "number": self._number} for one in dict.fromkeys(creator_ids)]
            self._connection.execute(TOUCHED.insert(), rows)


class Store:
    """The store at a SQL URL (:func:`serving.opening.open_store`); several processes may use it side by side.

    Raises InputError (UNAVAILABLE) where the database does not answer.
    """

    def __init__(self, url: str) -> None:
        self.url, self._engine = url, open_engine(url)
        self._reader = reader(self._engine)
        self._turn = Lock()  # in the order of arrival; between processes the database decides

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """One transaction that sees the store as it is at its start."""
        with self._answering(), self._reader.begin() as connection:
            yield Reading(connection)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction, alone; on disk when it ends, and undone where it raises."""
        with self._turn, self._answering(), self._engine.begin() as connection:
            yield Writing(connection)

    def remember(self, rankings: Sequence[Ranking]) -> None:
        """Keep rankings for the feedback that may come; those that are kept already stay as they are."""
        column = RANKINGS.c.ranking_id
        with self.noting() as connection:
            ids = [one.ranking_id for one in rankings]
            known = set(connection.scalars(sa.select(column).where(column.in_(ids))))
            new = [asdict(one) for one in rankings if one.ranking_id not in known]
            if new:
                connection.execute(RANKINGS.insert(), new)

    @contextmanager
    def noting(self) -> Iterator[sa.Connection]:
        """A transaction on the service's own tables, of which no catalogue need hear."""
        with self._answering(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except _SILENCE as error:
            logger.exception("the store does not answer")
            raise InputError("the store does not answer; try again in a second", code="UNAVAILABLE") from error


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None for what is missing and Python's own values otherwise."""
    return [{str(name): value for name, value in row.items()} for row in _plain(frame).to_dict("records")]


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    objects = frame.astype("object")
    return objects.where(frame.notna(), None)


def _values(column: pd.Series) -> list[str]:
    return list(column.dropna().unique())
