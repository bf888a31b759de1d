"""Text that people wrote moves out of the ledger, so that it can be erased and the ledger's rows stay as they are.

``collaboration_events``, which training reads, becomes a view: the events of who is there, with their notes. The
database itself refuses to change or remove what stands in ``ledger``.
"""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"

VIEW = """
CREATE VIEW collaboration_events AS
SELECT ledger.*, notes.note FROM ledger LEFT JOIN notes ON notes.event_id = ledger.event_id
WHERE EXISTS (SELECT 1 FROM creators WHERE creators.creator_id = ledger.creator_id)
"""
REFUSALS = {
    "sqlite": [
        f"CREATE TRIGGER ledger_no_{action} BEFORE {action} ON ledger "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is only ever added to'); END"
        for action in ("update", "delete")
    ],
    "postgresql": [
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is only ever added to'; END $$",
        "CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ],
}


def upgrade() -> None:
    """Rename the table, move its notes, and put the view in its place."""
    op.rename_table("collaboration_events", "ledger")
    op.create_table(
        "notes",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.execute("INSERT INTO notes SELECT event_id, note FROM ledger WHERE note IS NOT NULL")
    op.drop_column("ledger", "note")
    op.execute(VIEW)
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
