"""Indexes by creator, account and brand, by which single answers look up the rows that no worker holds in memory."""

from alembic import op

revision, down_revision = "0005", "0004"

INDEXES = {
    "creator_prices": ("creator_id",),
    "videos": ("creator_id",),
    "daily_stats": ("creator_id",),
    "accounts": ("account_id",),
    "engagements": ("creator_id", "account_id"),
    "briefs": ("brand_id",),
    "impressions": ("creator_id",),
}


def upgrade() -> None:
    """Create those that are not there."""
    for table, names in INDEXES.items():
        for name in names:
            op.create_index(f"{table}_{name}", table, [name], if_not_exists=True)
    op.create_index("collaboration_events_brand_id", "ledger", ["brand_id"], if_not_exists=True)
