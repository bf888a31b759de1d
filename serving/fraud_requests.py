"""The bodies that the routes on fraud take, each with an example."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from features import columns as c
from features import schema
from serving.requests import Creator, Ids, Limit, example
from serving.rows import Body, Id, RowOf, Text, Time

Account = Annotated[Body, RowOf(schema.ACCOUNTS)]
OWN = (c.CREATOR_ID,)  # a record's rows are its creator's
AudienceRow = Annotated[Body, RowOf(schema.AUDIENCE, optional=OWN)]
VideoRow = Annotated[Body, RowOf(schema.VIDEOS, optional=OWN)]
DayRow = Annotated[Body, RowOf(schema.DAILY_STATS, optional=OWN)]
EngagementRow = Annotated[Body, RowOf(schema.ENGAGEMENTS, optional=OWN)]
Label = Annotated[Body, RowOf(schema.FRAUD_LABELS)]


class Record(Body):
    """All that is known of one creator, of the 90 days before the latest moment in it. Every table may be missing, and
    ``creator_id`` in its rows."""

    creator: Creator
    audience: Annotated[list[AudienceRow], Field(max_length=500)] | None = None
    videos: Annotated[list[VideoRow], Field(max_length=1000)] | None = None
    daily_stats: Annotated[list[DayRow], Field(max_length=400)] | None = None
    engagements: Annotated[list[EngagementRow], Field(max_length=10_000)] | None = None
    accounts: Annotated[list[Account], Field(max_length=10_000)] | None = None


class ScoreRequest(Body):
    """Creators of the catalogue by id, or records of creators whom the service has never seen: one of the two."""

    model_config = example(creator_ids=["c000001"])
    creator_ids: Ids | None = None
    records: Annotated[list[Record], Field(min_length=1, max_length=10)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "ScoreRequest":
        if (self.creator_ids is None) == (self.records is None):
            raise ValueError("give either creator_ids or records")
        return self


class AccountsRequest(Body):
    """Accounts that follow or engage; every column but the id may be missing.

    ``base_rate`` is the share of fakes where they come from, if that is known and not that of the training data.
    """

    model_config = example(
        accounts=[
            {"account_id": "a1", "followers_count": 12, "following_count": 3100, "videos_count": 0, "has_avatar": 0},
            {"account_id": "a2", "followers_count": 340, "following_count": 410, "videos_count": 51, "has_avatar": 1},
        ],
        base_rate=0.1,
    )
    accounts: Annotated[list[Account], Field(min_length=1, max_length=1000)]
    base_rate: Annotated[float, Field(gt=0, lt=1)] | None = None


class Comment(Body):
    """One comment; ``video_id`` says which others it stands among, ``event_time`` whether they came at once."""

    comment_text: Text
    video_id: Id | None = None
    account_id: Id | None = None
    event_time: Time | None = None


class CommentsRequest(Body):
    """Comments, best with the others of their videos: near-duplicates, templates and bursts only show together."""

    model_config = example(
        comments=[
            {"video_id": "v1", "comment_text": "Check out my channel and subscribe!!! www.example.com"},
            {"video_id": "v1", "comment_text": "The part at 2:19 made my day 😂"},
        ]
    )
    comments: Annotated[list[Comment], Field(min_length=1, max_length=1000)]


class LabelsRequest(Body):
    """What reviews found of creators or accounts; a label without ``known_at`` became known now."""

    model_config = example(
        labels=[
            {
                "creator_id": "c000001",
                "is_fake": 1,
                "period_start": "2025-03-01T00:00:00Z",
                "period_end": "2025-05-31T00:00:00Z",
                "known_at": "2025-06-01T00:00:00Z",
                "source": "review",
                "fraud_type": "FOLLOWER_SPIKE",
                "sampled": "QUEUE",
            }
        ]
    )
    labels: Annotated[list[Label], Field(min_length=1, max_length=1000)]


class Level(Body):
    """From which risk score on a level begins, and what is recommended there; what is not given stays."""

    risk_level: Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
    min_risk_score: Annotated[int, Field(ge=0, le=1000)] | None = None
    recommended_action: Literal["ALLOW", "REVIEW", "BLOCK"] | None = None


class Policy(Body):
    """Other thresholds or actions than those of the model's policy, for this answer alone."""

    levels: Annotated[list[Level], Field(min_length=1, max_length=4)]


class QueueRequest(Body):
    """So many creators to review, suspects and audits."""

    model_config = example(
        limit=20, policy={"levels": [{"risk_level": "HIGH", "min_risk_score": 950, "recommended_action": "REVIEW"}]}
    )
    limit: Limit = 20
    policy: Policy | None = None


class SimulateRequest(Body):
    """Scores of the past under this policy (without one, the model's own); without days, all that there are."""

    model_config = example(policy={"levels": [{"risk_level": "HIGH", "min_risk_score": 950}]})
    policy: Policy | None = None
    start: Time | None = Field(None, alias="from")
    stop: Time | None = Field(None, alias="to")
