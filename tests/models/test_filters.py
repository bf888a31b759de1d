from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import columns as c
from features.audience import shares
from features.errors import InputError
from features.tags import Lists, Words
from features.vocabulary import AUDIENCE_DIMENSIONS
from models import requests
from models.bitmaps import count, packed
from models.filters import BRAND_SAFETY, Filtered, apply
from models.listing import Listing

IDS = ["ana", "bo", "chen", "dana", "emil"]
CATALOGUE = pd.DataFrame(
    {
        c.COUNTRY_CODE: pd.Series(["US", "BR", "CN", None, "US"], dtype="str").to_numpy(),
        c.LANGUAGE: pd.Series(["en", "pt", "zh-Hant-TW", "en-US", None], dtype="str").to_numpy(),
        c.CONTENT_LABELS: [["BEAUTY", "FOOD"], ["food"], [], ["TECH"], ["BEAUTY"]],
        c.CONTENT_STYLES: [["VLOG"], [], ["COMEDY"], ["VLOG"], ["REVIEW"]],
        c.CONTENT_FORMATS: [["LIVE"], ["SHORT_VIDEO"], ["LIVE", "IMAGE"], [], ["LIVE"]],
        c.FOLLOWERS_COUNT: [100.0, 2000.0, 30_000.0, np.nan, 500.0],
        c.MEDIAN_VIEWS: [10.0, 20.0, 30.0, 40.0, np.nan],
        c.ENGAGEMENT_RATE: [0.1, 0.2, 0.3, 0.4, 0.5],
        "creator_price_usd": [50.0, 60.0, np.nan, 80.0, 90.0],
        "credit_score": [900.0, 400.0, np.nan, 700.0, 600.0],
        "fraud_probability": [0.01, 0.9, 0.2, np.nan, 0.5],
    },
    index=pd.Index(IDS),
)
ROWS = pd.DataFrame(
    [
        ("ana", "age", "13-17", 0.1), ("ana", "age", "18-24", 0.8), ("ana", "country", "US", 1.0),
        ("bo", "age", "13-17", 0.4), ("bo", "age", "25-34", 0.6), ("chen", "age", "18-24", 0.7),
        ("chen", "age", "25-34", 0.1),
    ],
    columns=[c.CREATOR_ID, c.DIMENSION, c.BUCKET, c.SHARE],
)  # fmt: skip
WORDS = (c.COUNTRY_CODE, c.LANGUAGE)
LISTED = (c.CONTENT_LABELS, c.CONTENT_STYLES, c.CONTENT_FORMATS)


def listing(catalogue: pd.DataFrame, audience: pd.DataFrame) -> Listing:
    numbers = [name for name in catalogue if name not in (*WORDS, *LISTED)]
    return Listing(
        size=len(catalogue),
        words={name: Words.of(catalogue[name]) for name in WORDS},
        lists={name: Lists.of(list(catalogue[name])) for name in LISTED},
        numbers={name: catalogue[name].to_numpy(np.float64) for name in numbers},
        audience={one: shares(audience, catalogue.index, one) for one in AUDIENCE_DIMENSIONS},
    )


LISTING = listing(CATALOGUE, ROWS)


def filtered(filters: dict[str, Any], within: np.ndarray | None = None) -> Filtered:
    return apply(LISTING, filters, None if within is None else packed(within))


def names(result: Filtered) -> list[str]:
    return list(np.array(IDS)[result.allowed.rows])


@pytest.mark.parametrize(
    ("filters", "allowed", "unknown"),
    [
        ({"country_codes": ["us", "CN"]}, ["ana", "chen", "emil"], 1),
        ({"languages": ["EN"]}, ["ana", "dana"], 1),
        ({"languages": ["en-us", "pt-BR", "z"]}, ["dana"], 1),
        ({"languages": ["zh-hant"]}, ["chen"], 1),
        ({"languages": []}, [], 1),
        ({"content_labels": ["food"]}, ["ana", "bo"], 1),
        ({"content_styles": ["VLOG", "REVIEW"]}, ["ana", "dana", "emil"], 1),
        ({"content_formats": ["IMAGE"]}, ["chen"], 1),
        ({"content_formats": []}, [], 1),
        ({"min_followers": 500}, ["bo", "chen", "emil"], 1),
        ({"max_followers": 500}, ["ana", "emil"], 1),
        ({"min_median_views": 20}, ["bo", "chen", "dana"], 1),
        ({"max_engagement_rate": 0.2}, ["ana", "bo"], 0),
        ({"max_creator_price": 60}, ["ana", "bo"], 1),
        ({"min_creator_price": 0}, ["ana", "bo", "dana", "emil"], 1),
        ({"min_credit_score": 600}, ["ana", "chen", "dana", "emil"], 1),  # who has no credit yet passes
        ({"max_fraud_probability": 0.2}, ["ana", "chen", "dana"], 1),  # and who was never assessed
        ({"audience": [{"dimension": "age", "buckets": ["18-24", "25-34"], "min_share": 0.8}]}, ["ana", "chen"], 2),
        ({"audience": [{"dimension": "device", "buckets": ["IOS"], "min_share": 0.0}]}, [], 5),
        ({"audience": []}, IDS, 0),
        ({"brand_safety": ["ADULT_AUDIENCE_ONLY"]}, ["ana", "chen"], 2),
        ({"brand_safety": []}, IDS, 0),
        ({"brand_safety": ["FINANCE"]}, ["ana", "chen"], 2),
        ({"brand_safety": ["ALCOHOL"]}, [], 2),  # ana has 10 % minors and 80 % of 18 to 24, chen 70 % of them
    ],
)
def test_one_filter_by_hand(filters: dict[str, Any], allowed: list[str], unknown: int) -> None:
    result = filtered(filters)
    [name] = filters
    assert names(result) == allowed
    assert result.removed == [{"filter": name, "removed": 5 - len(allowed), "unknown": unknown}]
    assert result.hints == ([{"filter": name, "would_add": 5 - len(allowed)}] if len(allowed) < 5 else [])


AGES = [
    ("none", {"25-34": 1.0}),
    ("young", {"18-24": 0.6, "25-34": 0.4}),  # 25.7 % under 21
    ("younger", {"18-24": 0.62, "25-34": 0.38}),  # 26.6 %
    ("edge", {"13-17": 0.15, "18-24": 7 / 3 * 0.112, "25-34": 0.5}),  # 15 % minors, 26.2 % under 21
    ("quarter", {"13-17": 0.15, "18-24": 7 / 3 * 0.1, "25-34": 0.5}),  # 25 %
    ("minors", {"13-17": 0.16, "25-34": 0.84}),
]


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("ADULT_AUDIENCE_ONLY", ["none", "young", "younger", "edge", "quarter"]),
        ("ALCOHOL", ["none", "young", "edge", "quarter"]),
        ("GAMBLING", ["none", "quarter"]),
        ("FINANCE", ["none", "young", "younger", "edge", "quarter"]),
    ],
)
def test_how_young_an_audience_may_be_by_rule(rule: str, allowed: list[str]) -> None:
    ids = pd.Index([name for name, _ in AGES])
    rows = [(name, "age", bucket, share) for name, ages in AGES for bucket, share in ages.items()]
    table = pd.DataFrame(rows, columns=[c.CREATOR_ID, c.DIMENSION, c.BUCKET, c.SHARE])
    catalogue = CATALOGUE.iloc[[0] * len(ids)].set_axis(ids)
    result = apply(listing(catalogue, table), {"brand_safety": [rule]})
    assert list(ids[result.allowed.rows]) == allowed


def test_every_rule_is_at_least_as_strict_as_the_general_one() -> None:
    adults = filtered({"brand_safety": ["ADULT_AUDIENCE_ONLY"]}).allowed.flags
    for rule in BRAND_SAFETY:
        assert not (filtered({"brand_safety": [rule]}).allowed.flags & ~adults).any()


def test_two_audience_filters_both_hold() -> None:
    wanted = [
        {"dimension": "age", "buckets": ["18-24"], "min_share": 0.5},
        {"dimension": "country", "buckets": ["US"], "min_share": 0.5},
    ]
    result = filtered({"audience": wanted})
    assert names(result) == ["ana"]
    assert result.removed == [{"filter": "audience", "removed": 4, "unknown": 4}]  # of chen the country is unknown


def test_filters_in_order_count_what_those_before_them_left() -> None:
    result = filtered(
        {"content_labels": ["BEAUTY", "FOOD"], "min_followers": 400, "country_codes": ["US"], "languages": None}
    )
    assert names(result) == ["emil"]
    assert result.removed == [
        {"filter": "content_labels", "removed": 2, "unknown": 1},  # chen says nothing, dana says TECH
        {"filter": "min_followers", "removed": 1, "unknown": 0},  # ana
        {"filter": "country_codes", "removed": 1, "unknown": 0},  # bo
    ]


def test_hints_count_whom_one_filter_alone_keeps_out_and_the_largest_is_first() -> None:
    result = filtered({"max_followers": 10_000, "country_codes": ["US"], "min_engagement_rate": 0.2})
    assert names(result) == ["emil"]
    # ana fails the rate alone, bo the country alone; chen fails two and dana two
    assert result.hints == [
        {"filter": "country_codes", "would_add": 1},
        {"filter": "min_engagement_rate", "would_add": 1},
    ]
    more = filtered({"min_engagement_rate": 0.2, "max_followers": 200})
    assert [hint["would_add"] for hint in more.hints] == [4, 1]
    assert more.hints[0]["filter"] == "max_followers"


def test_only_those_within_are_counted_and_allowed() -> None:
    result = filtered({"country_codes": ["US"]}, within=np.array([False, True, False, False, True]))
    assert names(result) == ["emil"]
    assert result.removed == [{"filter": "country_codes", "removed": 1, "unknown": 0}]
    assert result.hints == [{"filter": "country_codes", "would_add": 1}]


def test_no_filter_removes_no_one_and_has_no_hint() -> None:
    result = filtered({})
    assert names(result) == IDS
    assert result.removed == []
    assert result.hints == []


def test_an_empty_catalogue_passes_through_every_filter() -> None:
    filters = {"country_codes": ["US"], "content_labels": ["FOOD"], "brand_safety": ["ADULT_AUDIENCE_ONLY"]}
    result = apply(listing(CATALOGUE.iloc[:0], ROWS), filters)
    assert result.allowed.flags.shape == (0,)
    assert [entry["removed"] for entry in result.removed] == [0, 0, 0]


@pytest.mark.parametrize("name", ["min_height", "followers", "max_", "country_code", "max_credit_score", ""])
def test_an_unknown_filter_is_named(name: str) -> None:
    with pytest.raises(InputError, match="is no filter") as caught:
        filtered({name: 1})
    assert caught.value.details == [{"field": f"filters.{name}", "problem": "is no filter", "value": name}]


def test_unknown_rules_and_dimensions_are_named_with_those_that_exist() -> None:
    with pytest.raises(InputError, match="ADULT_AUDIENCE_ONLY") as rule:
        filtered({"brand_safety": ["NO_CATS"]})
    assert rule.value.details[0]["value"] == "NO_CATS"
    with pytest.raises(InputError, match="age, gender") as dimension:
        filtered({"audience": [{"dimension": "shoe size", "buckets": ["42"], "min_share": 0.1}]})
    assert dimension.value.details[0]["value"] == "shoe size"


AUDIENCE_WANTED = {"dimension": "age", "buckets": ["18-24", "25-34"], "min_share": 0.7}
EVERY_FILTER: dict[str, st.SearchStrategy[Any]] = {
    "country_codes": st.lists(st.sampled_from(["US", "BR", "CN"])),
    "languages": st.lists(st.sampled_from(["en", "pt", "zh-Hant"])),
    "content_labels": st.lists(st.sampled_from(["FOOD", "TECH"])),
    "content_styles": st.lists(st.sampled_from(["VLOG", "COMEDY"])),
    "content_formats": st.lists(st.sampled_from(["LIVE", "IMAGE"])),
    **{f"{bound}_followers": st.integers(0, 3000) for bound in ("min", "max")},
    **{f"{bound}_median_views": st.integers(0, 50) for bound in ("min", "max")},
    **{f"{bound}_engagement_rate": st.floats(0, 0.6) for bound in ("min", "max")},
    **{f"{bound}_creator_price": st.integers(40, 100) for bound in ("min", "max")},
    "min_credit_score": st.integers(0, 1000),
    "max_fraud_probability": st.floats(0, 1),
    "audience": st.lists(st.just(AUDIENCE_WANTED), max_size=2),
    "brand_safety": st.lists(st.sampled_from(sorted(BRAND_SAFETY)), max_size=2),
}


def test_hints_are_tried_on_every_filter_there_is() -> None:
    assert set(EVERY_FILTER) == set(requests.FILTERS)


@given(st.fixed_dictionaries({}, optional=EVERY_FILTER))
def test_hints_and_counts_agree_with_leaving_a_filter_out(filters: dict[str, Any]) -> None:
    result, first = filtered(filters), apply(listing(CATALOGUE, ROWS), filters)
    np.testing.assert_array_equal(result.allowed.rows, first.allowed.rows)  # also where verdicts were kept from before
    assert (result.removed, result.hints) == (first.removed, first.hints)
    assert sum(entry["removed"] for entry in result.removed) == 5 - result.allowed.count
    would_add = {hint["filter"]: hint["would_add"] for hint in result.hints}
    for name in filters:
        without = filtered({other: value for other, value in filters.items() if other != name})
        assert without.allowed.flags[result.allowed.rows].all()
        assert without.allowed.count - result.allowed.count == would_add.get(name, 0)


def test_the_callers_arrays_stay_as_they_are() -> None:
    within, fresh = packed(np.ones(5, bool)), listing(CATALOGUE, ROWS)
    apply(fresh, {"min_followers": 1, "country_codes": ["US"], "brand_safety": ["ADULT_AUDIENCE_ONLY"]}, within)
    for name, values in LISTING.numbers.items():
        np.testing.assert_array_equal(fresh.numbers[name], values)
    np.testing.assert_array_equal(fresh.audience["age"].matrix.toarray(), LISTING.audience["age"].matrix.toarray())
    assert count(within) == 5
