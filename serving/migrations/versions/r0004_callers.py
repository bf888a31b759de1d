"""What the service notes about its callers: requests a day, and who read whose fraud evidence."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    """Add ``usage`` and ``audit``."""
    op.create_table(
        "usage",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("requests", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("subjects", sa.Text, nullable=False),
        sa.Column("dropped", sa.BigInteger, nullable=False),
    )
    op.create_index("audit_at", "audit", ["at"])
