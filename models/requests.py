"""What a rank request may hold, apart from its brief, which is a row of the contract (:func:`models.engine.brief_row`).

The service says the same in types (:mod:`serving.requests`), which make its OpenAPI document; a test holds the two
against each other.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from features import vocabulary as v
from features.errors import bad
from features.schema import SEPARATOR

MOST_RESULTS = 200
MOST_IDS, MOST_BIDS, MOST_COUNTRIES, MOST_AUDIENCES = 1000, 1000, 300, 20
MOST_GIVEN = 5  # creators to find others like
MOST_SEED = 2**32 - 1
LONGEST_WORD = 200
MOST_WORDS = 200
LARGEST = 1e15  # beyond it float64 no longer holds every whole number

Check = Callable[[str, Any], None]  # the field's name and value; raises InputError


def _number(least: float, most: float) -> Check:
    def check(field: str, value: Any) -> None:
        if type(value) not in (int, float) or not least <= value <= most:
            raise bad(field, f"must be a number from {least:g} to {most:g}", value)

    return check


def _whole(least: int, most: int) -> Check:
    def check(field: str, value: Any) -> None:
        if type(value) is not int or not least <= value <= most:
            raise bad(field, f"must be a whole number from {least} to {most}", value)

    return check


def _one_of(words: Iterable[str], named: str = "") -> Check:
    known = frozenset(words)

    def check(field: str, value: Any) -> None:
        if not isinstance(value, str) or value not in known:
            raise bad(field, f"must be {named or 'one of ' + ' '.join(sorted(known))}", value)

    return check


def _flag(field: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise bad(field, "must be true or false", value)


def _id(field: str, value: Any) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_WORD or "\0" in value:
        raise bad(field, f"must be a text of 1 to {LONGEST_WORD} characters, none of them null", value)


def _word(field: str, value: Any) -> None:
    _id(field, value)
    if SEPARATOR in value:
        raise bad(field, f"must be without {SEPARATOR}, which separates the words of a list in the store", value)


def _each(check_one: Check, most: int, least: int = 0) -> Check:
    def check(field: str, value: Any) -> None:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise bad(field, f"must be a list of {least} to {most} values", value)
        for place, one in enumerate(value):
            check_one(f"{field}.{place}", one)

    return check


def _object(checks: Mapping[str, Check]) -> Check:
    """Of known fields only, all of them given."""

    def check(field: str, value: Any) -> None:
        if not isinstance(value, dict) or value.keys() != checks.keys():
            raise bad(field, f"must be an object of {', '.join(checks)}", value)
        for name, one in value.items():
            checks[name](f"{field}.{name}", one)

    return check


def _filters(field: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise bad(field, "must be an object of filters", value)
    for name, one in value.items():
        if name not in FILTERS:
            raise bad(f"{field}.{name}", f"is no filter; the filters are {', '.join(FILTERS)}", one)
        if one is not None:
            FILTERS[name](f"{field}.{name}", one)


def _brief(field: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise bad(field, "must be an object with the columns of the table briefs", value)


_amount, _share = _number(0, LARGEST), _number(0, 1)
_words = _each(_word, MOST_WORDS)
_currency = _one_of(v.CURRENCIES, "an ISO 4217 code such as EUR")
_audience = _object(
    {"dimension": _one_of(v.AUDIENCE_DIMENSIONS), "buckets": _each(_word, MOST_WORDS, 1), "min_share": _share}
)
FILTERS: dict[str, Check] = {
    "country_codes": _each(_one_of(v.COUNTRIES, "an ISO 3166-1 alpha-2 code such as BR"), MOST_COUNTRIES),
    "languages": _words,
    "content_labels": _words,
    "content_styles": _words,
    "content_formats": _each(_one_of(v.CONTENT_FORMATS), len(v.CONTENT_FORMATS)),
    **{
        f"{bound}_{measure}": _amount
        for measure in ("followers", "median_views", "engagement_rate", "creator_price")
        for bound in ("min", "max")
    },
    "min_credit_score": _number(0, 1000),
    "max_fraud_probability": _share,
    "audience": _each(_audience, MOST_AUDIENCES),
    "brand_safety": _words,
}
FIELDS: dict[str, Check] = {
    "brief": _brief,
    "limit": _whole(1, MOST_RESULTS),
    "filters": _filters,
    "exclude_creator_ids": _each(_id, MOST_IDS),
    "pin_creator_ids": _each(_id, MOST_RESULTS),
    "bids": _each(_object({"creator_id": _id, "amount": _amount, "currency": _currency}), MOST_BIDS),
    "diversity": _share,
    "explore": _flag,
    "seed": _whole(0, MOST_SEED),
    "explain": _flag,
}
NULLABLE = frozenset({"filters", "exclude_creator_ids", "pin_creator_ids", "bids", "seed"})


def check_rank_request(request: Mapping[str, Any]) -> None:
    """Raises InputError that names the first field that is unknown or holds what it may not."""
    for name, value in request.items():
        if name not in FIELDS:
            raise bad(name, f"is not a field here; the fields are {', '.join(FIELDS)}", value)
        if value is not None or name not in NULLABLE:
            FIELDS[name](name, value)
