"""The OpenAPI 3.1 document of the routes, from the same table and types that serve them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.answers import ErrorAnswer
from serving.errors import LATER, RETRY_AFTER, STATUS

if TYPE_CHECKING:
    from serving.app import Endpoint

REF = "#/components/schemas/{model}"
RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string", "examples": [RETRY_AFTER]}}}
SECURITY = {"key": {"type": "http", "scheme": "bearer", "description": "An API key, where the service has keys."}}


def document(endpoints: Sequence["Endpoint"]) -> dict[str, Any]:
    """The document for ``/docs.json``: each body with its example, each answer, and the one shape of every error."""
    models: list[type[BaseModel]] = [ErrorAnswer]
    models += [model for endpoint in endpoints for model in (endpoint.body, endpoint.returns)]
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "CreatorMatch", "version": "1", "description": "Matching, fraud and credit of creators."},
        "paths": {endpoint.path: {"post": _operation(endpoint)} for endpoint in endpoints},
        "components": {"schemas": definitions["$defs"], "securitySchemes": SECURITY},
    }


def _operation(endpoint: "Endpoint") -> dict[str, Any]:
    errors = {str(status): _error(code) for code, status in STATUS.items()}
    return {
        "operationId": endpoint.path.removeprefix("/v1/").replace("/", "_"),
        "summary": endpoint.answer.__doc__,
        "description": f"Scope: {' or '.join(sorted(endpoint.scopes))}.",
        "security": [{"key": []}, {}],
        "requestBody": _content(endpoint.body, "JSON.") | {"required": True},
        "responses": {"200": _content(endpoint.returns, "The answer.")} | errors,
    }


def _error(code: str) -> dict[str, Any]:
    return _content(ErrorAnswer, code) | ({"headers": RETRY} if code in LATER else {})


def _content(model: type[Any], description: str) -> dict[str, Any]:
    schema = {"$ref": REF.format(model=model.__name__)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
