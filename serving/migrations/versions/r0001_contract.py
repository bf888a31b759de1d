"""The tables that there were before there were migrations: the contract's and the rankings."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None
KINDS = {"": sa.Text, "number": sa.Float, "time": sa.DateTime}
COLUMNS = {
    "creators": """
        creator_id observed_at:time platform handle_name display_name bio country_code language
        content_labels content_styles content_formats followers_count:number following_count:number
        likes_count:number videos_count:number median_views:number engagement_rate:number
        engagement_rate_basis creator_price:number currency onboarding_status max_open_orders:number
        joined_at:time has_avatar:number is_private:number handle_length:number handle_digits:number
        bio_length:number
    """,
    "creator_prices": """
        creator_id content_format amount:number currency observed_at:time
    """,
    "exchange_rates": """
        currency date:time usd:number
    """,
    "audience": """
        creator_id dimension bucket share:number observed_at:time
    """,
    "videos": """
        video_id creator_id create_time:time observed_at:time caption content_format duration_s:number
        video_views:number paid_video_views:number likes:number comments:number shares:number
        favorites:number video_completion_rate:number collaboration_id
    """,
    "daily_stats": """
        creator_id date:time followers_count:number video_views:number paid_video_views:number likes:number
        comments:number shares:number
    """,
    "accounts": """
        account_id observed_at:time created_at:time followers_count:number following_count:number
        videos_count:number has_avatar:number is_private:number handle_length:number handle_digits:number
        bio_length:number country_code
    """,
    "engagements": """
        account_id creator_id action event_time:time video_id comment_text
    """,
    "briefs": """
        brief_id brand_id created_at:time title description reference_captions language objective industry
        content_labels content_styles content_formats budget:number currency creators_wanted:number
        target_countries target_languages target_ages target_genders target_interests min_followers:number
        max_followers:number
    """,
    "impressions": """
        brief_id creator_id shown_at:time position:number ranking_id surface policy_version
        propensity:number outcome outcome_at:time quoted_price:number received_at:time
    """,
    "collaboration_events": """
        event_id creator_id event_type event_time:time received_at:time collaboration_id brand_id brief_id
        refers_to due_at:time amount:number currency rating:number severity:number violation_type factor
        value:number model_version video_id video_views:number clicks:number conversions:number gmv:number
        note
    """,
    "fraud_labels": """
        creator_id account_id is_fake:number known_at:time period_start:time period_end:time source
        fraud_type sampled
    """,
}
INDEXES = {
    "collaboration_events": ("event_id", "creator_id", "collaboration_id"),
    "creators": ("creator_id",),
    "audience": ("creator_id",),
    "impressions": ("ranking_id",),
    "fraud_labels": ("creator_id", "account_id"),
}


def upgrade() -> None:
    """Create what is not there: a store from before has all of it, an imported dataset only what it holds."""
    inspector = sa.inspect(op.get_bind())
    there = inspector.get_table_names()
    for table, columns in COLUMNS.items():
        known = {column["name"] for column in inspector.get_columns(table)} if table in there else set()
        _create(table, [column for column in map(_column, columns.split()) if column.name not in known], bool(known))
        _index(table, {index["name"] for index in inspector.get_indexes(table)} if known else set())
    if "rankings" not in there:
        op.create_table(
            "rankings",
            sa.Column("ranking_id", sa.Text, primary_key=True),
            sa.Column("brief", sa.Text, nullable=False),
            sa.Column("policy_version", sa.Text),
            sa.Column("ranked_at", sa.DateTime, nullable=False),
        )


def _column(text: str) -> "sa.Column[object]":
    name, _, kind = text.partition(":")
    return sa.Column(name, KINDS[kind])


def _create(table: str, columns: "list[sa.Column[object]]", there: bool) -> None:
    if not there:
        op.create_table(table, *columns)
    else:
        for column in columns:
            op.add_column(table, column)


def _index(table: str, there: "set[str | None]") -> None:
    for name in INDEXES.get(table, ()):
        if f"{table}_{name}" not in there:
            op.create_index(f"{table}_{name}", table, [name], unique=name == "event_id")
