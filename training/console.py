"""What the commands read and print: request files in strict JSON, answers as the API's JSON or as a table."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import typer

from features.errors import bad
from models.requests import check_rank_request

LARGEST_REQUEST = 1_000_000  # bytes


def read_request(path: Path) -> dict[str, Any]:
    """The rank request in a JSON file, which holds either the whole request or only its ``brief``.

    Fields that are null are left out. Raises InputError for a file that cannot be read, has more than LARGEST_REQUEST
    bytes, is not strict JSON (no NaN, no infinity) with an object at the top, holds a null character, or is no request.
    """
    content = _parse(_read_text(path), str(path))
    if not isinstance(content, dict):
        raise bad(str(path), "write a JSON object, a brief or a rank request", type(content).__name__)
    request = content if "brief" in content else {"brief": content}
    check_rank_request(request)
    return {field: value for field, value in request.items() if value is not None}


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


def evidence_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A line for each reason of a fraud answer and each innocent explanation, with the day it is about."""
    told = {"for fraud": result["reason_codes"], "for innocence": result["innocent_explanations"]}
    return [
        {
            "speaks": side,
            "code": one["code"],
            "date": evidence.get("peak_date", evidence.get("date")),
            "seen": one["text"],
        }
        for side, found in told.items()
        for one in found
        for evidence in [one["evidence"]]
    ]


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
