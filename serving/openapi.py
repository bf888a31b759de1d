"""The OpenAPI 3.1 document of the routes, from the same table and types that serve them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

if TYPE_CHECKING:
    from serving.app import Endpoint

REF = "#/components/schemas/{model}"
"""A stub"""


def document(endpoints: Sequence["Endpoint"]) -> dict[str, Any]:
    """The document for ``/docs.json``."""
    bodies = dict.fromkeys(endpoint.body for endpoint in endpoints)
    refs, definitions = models_json_schema([(body, "validation") for body in bodies], ref_template=REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "CreatorMatch", "version": "1"},
        "paths": {
            endpoint.path: {"post": _operation(endpoint, refs[endpoint.body, "validation"])} for endpoint in endpoints
        },
        "components": {"schemas": definitions["$defs"]},
    }


def _operation(endpoint: "Endpoint", body: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": endpoint.answer.__doc__,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
    }
