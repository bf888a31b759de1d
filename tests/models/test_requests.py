"""What a rank request may hold, from a file as over HTTP."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from features.errors import InputError
from models import requests
from models.requests import check_rank_request
from serving.requests import Filters, RankRequest

BID = {"creator_id": "a", "amount": 1.5, "currency": "EUR"}
AUDIENCE = {"dimension": "age", "buckets": ["18-24"], "min_share": 0.3}
SOUND = {
    "brief": {},
    "limit": 3,
    "filters": {"languages": ["en"], "country_codes": ["US"], "min_followers": 10, "audience": [AUDIENCE]},
    "exclude_creator_ids": ["b"],
    "pin_creator_ids": ["a"],
    "bids": [BID],
    "diversity": 0,
    "explore": False,
    "seed": 1,
    "explain": True,
}


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("limit", "3", "limit"),
        ("limit", 201, "limit"),
        ("limit", True, "limit"),
        ("limit", 2.5, "limit"),
        ("limit", None, "limit"),
        ("seed", -1, "seed"),
        ("seed", 2**32, "seed"),
        ("filters", [], "filters"),
        ("filters", {"colour": ["red"]}, "filters.colour"),
        ("filters", {"languages": [1]}, "filters.languages.0"),
        ("filters", {"languages": ["en|fr"]}, "filters.languages.0"),
        ("filters", {"min_followers": "many"}, "filters.min_followers"),
        ("filters", {"min_followers": -1}, "filters.min_followers"),
        ("filters", {"max_creator_price": 1e16}, "filters.max_creator_price"),
        ("filters", {"max_fraud_probability": 2}, "filters.max_fraud_probability"),
        ("filters", {"min_credit_score": 1001}, "filters.min_credit_score"),
        ("filters", {"content_formats": ["FILM"]}, "filters.content_formats.0"),
        ("filters", {"audience": [{"dimension": "age"}]}, "filters.audience.0"),
        ("filters", {"audience": [AUDIENCE | {"dimension": "taste"}]}, "filters.audience.0.dimension"),
        ("filters", {"audience": [AUDIENCE | {"buckets": []}]}, "filters.audience.0.buckets"),
        ("filters", {"audience": [AUDIENCE | {"min_share": 7}]}, "filters.audience.0.min_share"),
        ("exclude_creator_ids", "a", "exclude_creator_ids"),
        ("pin_creator_ids", [1], "pin_creator_ids.0"),
        ("pin_creator_ids", ["a"] * 201, "pin_creator_ids"),
        ("bids", {}, "bids"),
        ("bids", [{"creator_id": "a"}], "bids.0"),
        ("bids", [BID | {"creator_id": []}], "bids.0.creator_id"),
        ("bids", [BID | {"creator_id": ""}], "bids.0.creator_id"),
        ("bids", [BID | {"amount": -5}], "bids.0.amount"),
        ("bids", [BID | {"amount": "1"}], "bids.0.amount"),
        ("bids", [BID | {"currency": "ZZZ"}], "bids.0.currency"),
        ("bids", [BID | {"currency": 7}], "bids.0.currency"),
        ("diversity", 2, "diversity"),
        ("explore", "no", "explore"),
        ("explain", 1, "explain"),
        ("brief", None, "brief"),
        ("limt", 5, "limt"),
    ],
)
def test_what_is_wrong_is_named_as_over_http(field: str, value: object, named: str) -> None:
    check_rank_request(SOUND)
    wrong = SOUND | {field: value}
    with pytest.raises(InputError) as refusal:
        check_rank_request(wrong)
    assert refusal.value.details[0]["field"] == named
    assert not _is_valid_over_http(wrong)


def test_the_fields_are_those_of_the_service() -> None:
    assert {*requests.FIELDS} == {*RankRequest.model_fields}
    assert {*requests.FILTERS} == {*Filters.model_fields}


words = st.sampled_from(["en", "US", "EUR", "age", "LIVE", "18-24", "", "a|b", "x" * 201, "ZZZ"]) | st.text(max_size=3)
numbers = st.sampled_from([0, 1, -1, 0.5, 1000, 1001, 10**15, 10**16, 2**32, 201]) | st.floats(allow_nan=False)
scalars = st.none() | st.booleans() | numbers | words
audiences = st.fixed_dictionaries(
    {}, optional={"dimension": words, "buckets": st.lists(words, max_size=2), "min_share": numbers, "more": words}
)
bids = st.fixed_dictionaries({"creator_id": scalars, "amount": numbers, "currency": words}, optional={"more": words})
values = scalars | st.lists(words | audiences | bids, max_size=3)
chosen = st.dictionaries(st.sampled_from(sorted(requests.FILTERS)), values, max_size=3)
filters = st.fixed_dictionaries({}, optional={"filters": chosen | values})
bodies = st.dictionaries(st.sampled_from(sorted(requests.FIELDS.keys() - {"brief"})), values, max_size=3)


@settings(max_examples=300, deadline=None)
@example(body=SOUND | {"filters": None, "bids": None, "seed": None})
@given(body=st.builds(lambda body, filters: {"brief": {}} | body | filters, bodies, filters))
def test_a_file_may_hold_what_http_may_and_nothing_else(body: dict[str, object]) -> None:
    assert _is_valid(body) == _is_valid_over_http(body)


def _is_valid(body: dict[str, object]) -> bool:
    try:
        check_rank_request(body)
    except InputError:
        return False
    return True


def _is_valid_over_http(body: dict[str, object]) -> bool:
    try:
        RankRequest.model_validate_json(json.dumps(body))
    except ValidationError:
        return False
    return True
