"""The bodies of the routes that read the ledger: collaborations, and what made credit what it is."""

from typing import Annotated

from pydantic import ConfigDict, Field

from serving.requests import Ids, Limit
from serving.rows import Body, Id


class CollaborationsRequest(Body):
    """Collaborations by exactly one of: their own ids, those of creators, those of brands; a page at a time, in order
    of collaboration_id."""

    model_config = ConfigDict(json_schema_extra={"example": {"creator_ids": ["c000001"], "page_size": 10}})
    collaboration_ids: Ids | None = None
    creator_ids: Ids | None = None
    brand_ids: Ids | None = None
    page_size: Limit = 20
    page_token: Annotated[Id, Field(description="The last answer's next_page_token.")] | None = None
