"""The store's tables as SQLAlchemy knows them: the contract's, and the service's own. :mod:`serving.migrations` makes
them, one revision after another; a test holds the two equal."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from features import columns as c
from features import schema
from features.schema import Kind, Table

TYPES = {Kind.STRING: sa.Text, Kind.LIST: sa.Text, Kind.NUMBER: sa.Float, Kind.TIME: sa.DateTime}
INDEXES = {
    schema.CREATORS.name: (c.CREATOR_ID,),
    schema.CREATOR_PRICES.name: (c.CREATOR_ID,),
    schema.AUDIENCE.name: (c.CREATOR_ID,),
    schema.VIDEOS.name: (c.CREATOR_ID,),
    schema.DAILY_STATS.name: (c.CREATOR_ID,),
    schema.ACCOUNTS.name: (c.ACCOUNT_ID,),
    schema.ENGAGEMENTS.name: (c.CREATOR_ID, c.ACCOUNT_ID),
    schema.BRIEFS.name: (c.BRAND_ID,),
    schema.IMPRESSIONS.name: (c.RANKING_ID, c.CREATOR_ID),
    schema.FRAUD_LABELS.name: (c.CREATOR_ID, c.ACCOUNT_ID),
}
METADATA = sa.MetaData()


def _columns(table: Table, without: Collection[str] = ()) -> "list[sa.Column[Any]]":
    return [sa.Column(one.name, TYPES[one.kind]) for one in table.columns if one.name not in without]


def _table(table: Table) -> sa.Table:
    indexes = [sa.Index(f"{table.name}_{name}", name) for name in INDEXES.get(table.name, ())]
    return sa.Table(table.name, METADATA, *_columns(table), *indexes)


EVENTS = schema.COLLABORATION_EVENTS
TABLES = {name: _table(table) for name, table in schema.CONTRACT.items() if table is not EVENTS}
"""The contract's tables that a dataset and the store share."""
LEDGER = sa.Table(
    "ledger",
    METADATA,
    *_columns(EVENTS, without=(c.NOTE,)),
    sa.Index("collaboration_events_event_id", c.EVENT_ID, unique=True),
    sa.Index("collaboration_events_creator_id", c.CREATOR_ID),
    sa.Index("collaboration_events_collaboration_id", c.COLLABORATION_ID),
    sa.Index("collaboration_events_brand_id", c.BRAND_ID),
)
"""Every event that was ever taken; the database refuses to change or remove one."""
NOTES = sa.Table(
    "notes",
    METADATA,
    sa.Column(c.EVENT_ID, sa.Text, primary_key=True),
    sa.Column(c.NOTE, sa.Text, nullable=False),
)
"""What people wrote in an event, until it is erased."""
SHOWN = sa.Table(EVENTS.name, sa.MetaData(), *_columns(EVENTS))
"""The view that training reads: the events of creators who are there, with their notes."""
EVERY = (
    sa.select(*(NOTES.c.note if name == c.NOTE else LEDGER.c[name] for name in EVENTS.names))
    .outerjoin_from(LEDGER, NOTES, LEDGER.c[c.EVENT_ID] == NOTES.c[c.EVENT_ID])
    .subquery("every_event")
)
"""The same of everyone, deleted creators too."""
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
USAGE = sa.Table(
    "usage",
    METADATA,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("requests", sa.BigInteger, nullable=False),
)
"""How often each API key was used on a day (UTC)."""
AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text),
    sa.Column("subjects", sa.Text, nullable=False),
    sa.Column("dropped", sa.BigInteger, nullable=False),
    sa.Index("audit_at", "at"),
)
"""Who read whose fraud evidence: ``subjects`` is a JSON list of ids, ``dropped`` how many rows are missing here."""
