"""Writes take turns and leave word of whom they were about, so that every worker's catalogue can follow them."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Add ``writes``, one row that counts them, and ``touched``."""
    writes = op.create_table("writes", sa.Column("number", sa.BigInteger, nullable=False))
    op.bulk_insert(writes, [{"number": 0}])
    op.create_table(
        "touched",
        sa.Column("creator_id", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_touched_number", "touched", ["number"])
