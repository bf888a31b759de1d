"""Pages of an answer that is computed whole: a token pins the moments it speaks of, so that no page shifts."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from features.errors import bad
from serving.rows import Time

SEPARATOR = "~"
PINNED = ("as_of", "known_at")
_TIME = TypeAdapter(Time)


def pinned(request: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """The request for the whole answer that a page's ``page_token`` is about, and how many results came before.

    Raises InputError for a token that no answer gave.
    """
    whole = {name: value for name, value in request.items() if name not in ("page_size", "page_token")}
    if "page_token" not in request:
        return whole, 0
    try:
        *moments, before = request["page_token"].split(SEPARATOR)
        told = {name: _TIME.validate_python(moment).isoformat() for name, moment in zip(PINNED, moments, strict=True)}
        return whole | told, _count(before)
    except ValueError as error:
        raise bad("page_token", "send the next_page_token of the last answer", request["page_token"]) from error


def page_of(answer: Mapping[str, Any], before: int, size: int) -> dict[str, Any]:
    """``size`` results of the whole ``answer`` after the first ``before``, with the token of the next page."""
    end = before + size
    more = end < len(answer["results"])
    token = SEPARATOR.join([*(answer[name] for name in PINNED), str(end)]) if more else None
    return {**answer, "results": answer["results"][before:end], "next_page_token": token}


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number
