"""The bodies that the routes on fraud take, each with an example."""

from typing import Annotated, Literal

from pydantic import Field

from features import schema
from serving.requests import Limit, example
from serving.rows import Body, Id, RowOf, Text, Time

Account = Annotated[Body, RowOf(schema.ACCOUNTS)]
Label = Annotated[Body, RowOf(schema.FRAUD_LABELS)]


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
