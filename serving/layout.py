"""The store's tables as SQLAlchemy knows them: the contract's, and the service's own. :mod:`serving.migrations` makes
them, one revision after another; a test holds the two equal."""

from typing import Any

import sqlalchemy as sa

from features import columns as c
from features import schema
from features.schema import Kind, Table

TYPES = {Kind.STRING: sa.Text, Kind.LIST: sa.Text, Kind.NUMBER: sa.Float, Kind.TIME: sa.DateTime}
INDEXES = {
    schema.COLLABORATION_EVENTS.name: (c.EVENT_ID, c.CREATOR_ID, c.COLLABORATION_ID),
    schema.CREATORS.name: (c.CREATOR_ID,),
    schema.AUDIENCE.name: (c.CREATOR_ID,),
    schema.IMPRESSIONS.name: (c.RANKING_ID,),
    schema.FRAUD_LABELS.name: (c.CREATOR_ID, c.ACCOUNT_ID),
}
METADATA = sa.MetaData()


def _table(table: Table) -> sa.Table:
    columns: list[sa.Column[Any]] = [sa.Column(column.name, TYPES[column.kind]) for column in table.columns]
    names = INDEXES.get(table.name, ())
    indexes = [sa.Index(f"{table.name}_{name}", name, unique=name == c.EVENT_ID) for name in names]
    return sa.Table(table.name, METADATA, *columns, *indexes)


TABLES = {name: _table(table) for name, table in schema.CONTRACT.items()}
RANKINGS = sa.Table(
    "rankings",
    METADATA,
    sa.Column("ranking_id", sa.Text, primary_key=True),
    sa.Column("brief", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Text),
    sa.Column("ranked_at", sa.DateTime, nullable=False),
)
WRITES = sa.Table("writes", METADATA, sa.Column("number", sa.BigInteger, nullable=False))
"""One row: how many writes there were."""
TOUCHED = sa.Table(
    "touched",
    METADATA,
    sa.Column(c.CREATOR_ID, sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, index=True),
)
"""For every creator that a write was about the number of the last one."""
