"""One shape for everything that can go wrong: ``{error: {code, message, details: [{field, problem, value}]}}``."""

from collections.abc import Mapping
from math import ceil

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from features.errors import Detail, InputError

STATUS = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "REQUEST_TIMEOUT": 408,
    "CONFLICT": 409,
    "TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
CODES = {status: code for code, status in STATUS.items()}
RETRY_AFTER = "1"  # seconds
LATER = ("RESOURCE_EXHAUSTED", "UNAVAILABLE")
HEADERS = {"UNAUTHENTICATED": {"WWW-Authenticate": "Bearer"}, "REQUEST_TIMEOUT": {"Connection": "close"}}
HEADERS |= {code: {"Retry-After": RETRY_AFTER} for code in LATER}
MOST_DETAILS = 20
LONGEST = 200
UNKNOWN = "is not a field here; /docs.json lists those there are"


class ComeAgain(InputError):
    """RESOURCE_EXHAUSTED that is over in ``after_s`` seconds."""

    def __init__(self, message: str, after_s: float) -> None:
        self.after_s = ceil(after_s)
        super().__init__(f"{message}; come again in {self.after_s} s", code="RESOURCE_EXHAUSTED")


def invalid(error: ValidationError) -> InputError:
    """pydantic's findings as our error: the first :data:`MOST_DETAILS` of them, the message counts them all."""
    details = [
        Detail(field=_field(found["loc"]), problem=_problem(found["type"], found["msg"]), value=_brief(found["input"]))
        for found in error.errors(include_url=False, include_context=False)[:MOST_DETAILS]
    ]
    first = details[0]
    message = f"{first['field'] or 'body'}: {first['problem']}"
    more = error.error_count() - 1
    return InputError(f"{message} (and {more} more)" if more else message, details)


def response(error: InputError) -> JSONResponse:
    """The HTTP response that carries ``error``; an unknown code is a 400."""
    details = [Detail(field=d["field"], problem=d["problem"], value=_brief(d["value"])) for d in error.details]
    body = {"error": {"code": error.code, "message": error.message, "details": details}}
    headers = {"Retry-After": str(error.after_s)} if isinstance(error, ComeAgain) else HEADERS.get(error.code)
    return JSONResponse(body, STATUS.get(error.code, 400), headers)


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Starlette handler for its own exceptions: an unknown route (404) and a wrong method (405)."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    headers = getattr(error, "headers", None) or {}
    allowed = f" (allowed: {headers['Allow']})" if "Allow" in headers else ""
    detail = Detail(field="path", problem=f"see / for the routes{allowed}", value=_brief(request.url.path))
    message = f"{request.method} {_brief(request.url.path)}: {getattr(error, 'detail', '')}{allowed}"
    answer = response(InputError(message, [detail], CODES.get(status, "INVALID_ARGUMENT")))
    answer.headers.update(headers)
    return answer


def _problem(kind: str, message: str) -> str:
    return UNKNOWN if kind == "extra_forbidden" else message[:LONGEST]


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location)[:LONGEST]


def _brief(value: object) -> object:
    """``value`` if it is a short plain one, else the start of its text; containers are named by their size."""
    if isinstance(value, Mapping | list | tuple):
        return f"{len(value)} {'fields' if isinstance(value, Mapping) else 'values'}"
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53):
        return value
    if isinstance(value, float) and value - value == 0:  # finite; JSON has no NaN and no infinity
        return value
    return str(value)[:LONGEST]
