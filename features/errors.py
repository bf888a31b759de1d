"""The one error a user's mistake becomes, on the command line (exit 2) and over HTTP (4xx) alike."""

from collections.abc import Sequence
from typing import TypedDict


class Detail(TypedDict):
    """What is wrong with one value: where it stands, what to do about it, and the value itself."""

    field: str
    problem: str
    value: object


class InputError(Exception):
    """Input that cannot be used. ``code`` is INVALID_ARGUMENT, NOT_FOUND, CONFLICT, TOO_LARGE or UNAVAILABLE."""

    def __init__(self, message: str, details: Sequence[Detail] = (), code: str = "INVALID_ARGUMENT") -> None:
        super().__init__(message)
        self.message = message
        self.details = list(details)
        self.code = code


def bad(field: str, problem: str, value: object, code: str = "INVALID_ARGUMENT") -> InputError:
    """The error for a single field; the message reads ``field: problem (got value)``."""
    return InputError(
        f"{field}: {problem} (got {value!r:.100})", [Detail(field=field, problem=problem, value=value)], code
    )
