"""The bodies of the routes that read the ledger: collaborations, and what made credit what it is."""

from typing import Annotated

from pydantic import Field

from serving.requests import Ids, Limit, example
from serving.rows import Body, Id, RowOf, Time
from serving.what_if import EVENT


class CollaborationsRequest(Body):
    """Collaborations by exactly one of: their own ids, those of creators, those of brands; a page at a time, in order
    of collaboration_id."""

    model_config = example(creator_ids=["c000001"], page_size=10)
    collaboration_ids: Ids | None = None
    creator_ids: Ids | None = None
    brand_ids: Ids | None = None
    page_size: Limit = 20
    page_token: Annotated[Id, Field(description="The last answer's next_page_token.")] | None = None


class HistoryRequest(Body):
    """One creator, up to a moment, by what was known at another; by default the latest for both. Pages after the first
    are of the moments of the first."""

    model_config = example(creator_id="c000001", page_size=50)
    creator_id: Id
    as_of: Time | None = None
    known_at: Time | None = None
    page_size: Limit = 100
    page_token: Annotated[Id, Field(description="The last answer's next_page_token.")] | None = None


class WhatIfRequest(Body):
    """Events of one creator that have not happened; one without ``event_time`` would happen now."""

    model_config = example(creator_id="c000001", events=[{"event_type": "TRAINING_PASSED"}])
    creator_id: Id
    events: Annotated[list[Annotated[Body, RowOf(EVENT)]], Field(min_length=1, max_length=100)]
