"""What the commands read and print: request files in strict JSON, answers as the API's JSON or as a table."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import typer

from features.errors import bad

LARGEST_REQUEST = 1_000_000  # bytes
BID = {"creator_id", "amount", "currency"}
AUDIENCE = {"dimension", "buckets", "min_share"}


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _are_objects(value: object, fields: set[str]) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and item.keys() == fields for item in value)


def _are_bids(value: Any) -> bool:
    return _are_objects(value, BID) and all(_is_number(bid["amount"]) for bid in value)


def _is_audience(value: Any) -> bool:
    return _are_objects(value, AUDIENCE) and all(
        _are_texts(wanted["buckets"]) and _is_number(wanted["min_share"]) for wanted in value
    )


def _is_filter(name: str, value: object) -> bool:
    if name.startswith(("min_", "max_")):
        return _is_number(value)
    return _is_audience(value) if name == "audience" else _are_texts(value)


def _are_filters(value: object) -> bool:
    return isinstance(value, dict) and all(_is_filter(*item) for item in value.items() if item[1] is not None)


# What the service's request types check over HTTP, for a request that comes from a file; the engine does the rest.
SHAPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "brief": ("a JSON object", lambda value: isinstance(value, dict)),
    "limit": ("a whole number from 1 to 200", lambda value: type(value) is int and 1 <= value <= 200),
    "filters": ("a JSON object of lists, with numbers for min_ and max_", _are_filters),
    "exclude_creator_ids": ("a list of texts", _are_texts),
    "pin_creator_ids": ("a list of texts", _are_texts),
    "bids": ("a list of {creator_id, amount, currency}", _are_bids),
    "diversity": ("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1),
    "explore": ("true or false", lambda value: isinstance(value, bool)),
    "seed": ("a whole number from 0", lambda value: type(value) is int and value >= 0),
    "explain": ("true or false", lambda value: isinstance(value, bool)),
}


def read_request(path: Path) -> dict[str, Any]:
    """The rank request in a JSON file, which holds either the whole request or only its ``brief``.

    Fields that are null are left out. Raises InputError for a file that cannot be read, has more than LARGEST_REQUEST
    bytes, is not strict JSON (no NaN, no infinity) with an object at the top, holds a null character, or does not have
    the SHAPES of a request.
    """
    content = _parse(_read_text(path), str(path))
    if not isinstance(content, dict):
        raise bad(str(path), "write a JSON object, a brief or a rank request", type(content).__name__)
    request = content if "brief" in content else {"brief": content}
    given = {field: value for field, value in request.items() if value is not None}
    for field in given.keys() & SHAPES.keys():
        expected, fits = SHAPES[field]
        if not fits(given[field]):
            raise bad(field, f"must be {expected}", given[field])
    return given


def emit_json(answer: Mapping[str, Any]) -> None:
    """Prints an answer on standard output as the API sends it."""
    typer.echo(json.dumps(answer, ensure_ascii=False, allow_nan=False))


def emit_table(rows: Iterable[Mapping[str, Any]]) -> None:
    """Prints one line per row under the rows' keys, numbers with four digits after the point."""
    frame = pd.DataFrame(rows)
    typer.echo("nothing to show" if frame.empty else frame.to_string(index=False, na_rep="-", float_format="%.4g"))


def emit(answer: Mapping[str, Any], as_json: bool, row: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Prints an answer, for programs as JSON or for people as a table of its results."""
    if as_json:
        emit_json(answer)
    else:
        emit_table(row(result) for result in answer["results"])


def row_of(*fields: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """A function that keeps ``fields`` of a result."""
    return lambda result: {field: result[field] for field in fields}


def ranked_row(result: Mapping[str, Any]) -> dict[str, Any]:
    """One line of a ranked list for people: the result of a rank answer, with the first reasons if there are any."""
    price = result["price"] or {"amount": None, "currency": None}
    return {
        **{field: result[field] for field in ("rank", "creator_id", "score", "success_probability")},
        "price": price["amount"],
        "currency": price["currency"],
        "credit": result["credit"]["score"],
        "fraud": result["fraud"]["risk_level"],
        "reasons": "; ".join(reason["text"] for reason in result["reasons"][:3]),
    }


def _read_text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > LARGEST_REQUEST:
            raise bad(str(path), f"must be at most {LARGEST_REQUEST} bytes", size, "TOO_LARGE")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise bad(str(path), "must be a readable UTF-8 file", str(error)) from error


def _parse(text: str, path: str) -> object:
    if "\\u0000" in text:
        raise bad(path, "remove the null character", "\\u0000")
    try:
        content = json.loads(text, parse_constant=_no_number, parse_float=_finite)
        json.dumps(content, ensure_ascii=False).encode()  # which half of a surrogate pair fails, escaped as it may be
    except (ValueError, RecursionError) as error:
        raise bad(path, "must be JSON of whole Unicode characters", str(error)) from error
    return content


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def _no_number(digits: str) -> NoReturn:
    raise ValueError(f"{digits} is not a finite number")
