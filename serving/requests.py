"""The bodies that the API takes; the types that their rows come from stand in :mod:`serving.rows`.

Every body carries an example: OpenAPI shows it and the tests send it.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from features import schema
from features import vocabulary as v
from models import requests as limits
from serving.feedback import ITEM
from serving.rows import Amount, Body, Country, Currency, Id, OneOf, RowOf, Share, Time, Words

Limit = Annotated[int, Field(ge=1, le=limits.MOST_RESULTS)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=limits.MOST_RESULTS)]
AnyIds = Annotated[list[Id], Field(max_length=limits.MOST_IDS)]
Formats = Annotated[list[Annotated[str, OneOf(v.CONTENT_FORMATS)]], Field(max_length=len(v.CONTENT_FORMATS))]

Brief = Annotated[Body, RowOf(schema.BRIEFS, optional=schema.BRIEFS.names)]
Creator = Annotated[Body, RowOf(schema.CREATORS)]
Audience = Annotated[list[Annotated[Body, RowOf(schema.AUDIENCE)]], Field(max_length=10_000, default_factory=list)]
Event = Annotated[Body, RowOf(schema.COLLABORATION_EVENTS)]
Item = Annotated[Body, RowOf(ITEM)]


def example(**body: Any) -> ConfigDict:
    """The configuration of a body whose example is ``body``."""
    return ConfigDict(json_schema_extra={"example": body})


class AudienceFilter(Body):
    """At least ``min_share`` of the creator's audience lies in these buckets of one dimension."""

    dimension: Annotated[str, OneOf(v.AUDIENCE_DIMENSIONS)]
    buckets: Annotated[Words, Field(min_length=1)]
    min_share: Share


class Filters(Body):
    """Hard limits. A creator whose credit or fraud is unknown passes, and is counted as unknown; pt finds pt-BR too.

    ``brand_safety`` takes ADULT_AUDIENCE_ONLY, ALCOHOL, GAMBLING and FINANCE: how young an audience may be.
    """

    country_codes: Annotated[list[Country], Field(max_length=limits.MOST_COUNTRIES)] | None = None
    languages: Words | None = None
    content_labels: Words | None = None
    content_styles: Words | None = None
    content_formats: Formats | None = None
    min_followers: Amount | None = None
    max_followers: Amount | None = None
    min_median_views: Amount | None = None
    max_median_views: Amount | None = None
    min_engagement_rate: Amount | None = None
    max_engagement_rate: Amount | None = None
    min_creator_price: Amount | None = None
    max_creator_price: Amount | None = None
    min_credit_score: Annotated[float, Field(ge=0, le=1000)] | None = None
    max_fraud_probability: Share | None = None
    audience: Annotated[list[AudienceFilter], Field(max_length=limits.MOST_AUDIENCES)] | None = None
    brand_safety: Words | None = None


class Bid(Body):
    """What a creator asks for this brief, instead of the listed price."""

    creator_id: Id
    amount: Amount
    currency: Currency


class RankRequest(Body):
    """Rank creators for a brief."""

    model_config = example(
        brief={
            "title": "Matcha latte launch",
            "description": "Short, cozy recipe videos for a new matcha latte; honest taste, no voice-over needed.",
            "objective": "AWARENESS",
            "language": "en",
            "content_labels": ["food"],
            "budget": 5000,
            "currency": "USD",
            "creators_wanted": 5,
            "target_countries": ["US", "JP"],
            "target_ages": ["18-24", "25-34"],
        },
        limit=5,
        filters={"min_followers": 1000, "max_fraud_probability": 0.8},
        explain=True,
    )
    brief: Brief
    limit: Limit = 20
    filters: Filters | None = None
    exclude_creator_ids: AnyIds | None = None
    pin_creator_ids: Annotated[AnyIds, Field(max_length=limits.MOST_RESULTS)] | None = None
    bids: Annotated[list[Bid], Field(max_length=limits.MOST_BIDS)] | None = None
    diversity: Share = 0.0
    explore: bool = False
    seed: Annotated[int, Field(ge=0, le=limits.MOST_SEED)] | None = None
    explain: bool = False


class SearchRequest(Body):
    """Search the catalogue."""

    model_config = example(filters={"country_codes": ["US"]}, query="street food", sort="FOLLOWERS", page_size=10)
    filters: Filters | None = None
    query: Annotated[str, Field(max_length=2000)] | None = None
    sort: Literal["RELEVANCE", "FOLLOWERS", "MEDIAN_VIEWS", "ENGAGEMENT_RATE", "PRICE", "CREDIT"] | None = None
    order: Literal["ASC", "DESC"] | None = None
    page_size: Limit = 20
    page_token: Annotated[str, Field(min_length=1, max_length=4000)] | None = None


class SimilarRequest(Body):
    """Creators like these, which are left out themselves."""

    model_config = example(creator_ids=["c000001", "c000002"], filters={"country_codes": ["US"]}, limit=10)
    creator_ids: Annotated[list[Id], Field(min_length=1, max_length=limits.MOST_GIVEN)]
    filters: Filters | None = None
    limit: Limit = 20


class CreatorIds(Body):
    """Up to 200 creators by id."""

    model_config = example(creator_ids=["c000001"])
    creator_ids: Ids


class CreditRequest(CreatorIds):
    """Up to 1,000 creators by id, as of a moment, with what was known at another; by default the latest for both."""

    model_config = example(creator_ids=["c000001"])
    creator_ids: Annotated[list[Id], Field(min_length=1, max_length=limits.MOST_IDS)]
    as_of: Time | None = None
    known_at: Time | None = None


class UpsertRequest(Body):
    """Rows to add to the catalogue or to put in the place of those with the same key; a row is taken whole.

    A row without ``observed_at`` is as of the latest moment that the service knows.
    """

    model_config = example(
        creators=[
            {
                "creator_id": "new-baker",
                "display_name": "Mika bakes",
                "bio": "Sourdough, matcha and other slow things. 🍞",
                "country_code": "JP",
                "language": "ja",
                "content_labels": ["food"],
                "content_formats": ["SHORT_VIDEO"],
                "followers_count": 12000,
                "median_views": 5400,
                "engagement_rate": 0.061,
                "engagement_rate_basis": "VIEWS",
                "creator_price": 180,
                "currency": "USD",
                "onboarding_status": "IN",
            }
        ],
        audience=[{"creator_id": "new-baker", "dimension": "gender", "bucket": "FEMALE", "share": 1.0}],
    )
    creators: Annotated[list[Creator], Field(max_length=1000, default_factory=list)]
    audience: Audience


class EventsRequest(Body):
    """Events to append to the ledger; ``backfill`` brings in history, whose order of arrival says nothing.

    An event without ``received_at`` was received now: it was not known before, whenever it happened.
    """

    model_config = example(
        events=[
            {
                "event_id": "new-event",
                "event_type": "INVITED",
                "event_time": "2025-06-01T09:00:00Z",
                "creator_id": "c000001",
                "collaboration_id": "new-collaboration",
                "brand_id": "new-brand",
            }
        ]
    )
    events: Annotated[list[Event], Field(min_length=1, max_length=1000)]
    backfill: bool = False


class FeedbackRequest(Body):
    """What of a ranking was shown, and what came of it.

    A creator shown at a moment is one impression: send it again when it has an outcome, with that outcome's time.
    """

    model_config = example(
        ranking_id="a5aaefeb-36a8-4d35-a1db-a7c4c18eb909",
        items=[
            {
                "creator_id": "c000001",
                "position": 1,
                "shown_at": "2025-06-01T09:00:00Z",
                "surface": "SEARCH_PAGE",
                "outcome": "INVITED",
                "outcome_at": "2025-06-01T09:05:00Z",
            }
        ],
    )
    ranking_id: Id
    items: Annotated[list[Item], Field(min_length=1, max_length=1000)]


class Nothing(Body):
    """An empty object."""

    model_config = example()
