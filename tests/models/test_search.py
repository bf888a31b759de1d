"""Search: every creator once in the order asked for, whatever happens between two pages."""

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import columns as c
from features.errors import InputError
from features.source import InMemory
from models.engine import Engine
from models.search import SORTS, _keys
from tests.models.writes import append_events, delete, upsert


def page_of(engine: Engine, **request: Any) -> tuple[list[str], str | None]:
    answer = engine.search(request)
    return [one["creator_id"] for one in answer["results"]], answer["next_page_token"]


def walk(engine: Engine, token: str | None = None, **request: Any) -> list[str]:
    """The ids of all pages from ``token`` on."""
    found, token = page_of(engine, page_token=token, **request)
    while token:
        page, token = page_of(engine, page_token=token, **request)
        found += page
    return found


@settings(max_examples=25, deadline=None)
@given(sort=st.sampled_from([*SORTS]), order=st.sampled_from(["ASC", "DESC"]), page_size=st.integers(1, 200))
def test_pages_are_the_whole_catalogue_sorted_with_unknown_last_and_ties_by_id(engine, sort, order, page_size):
    page_size = max(page_size, 20)
    catalogue = engine._catalogue
    values = pd.Series(catalogue.listing.numbers[SORTS[sort]], index=catalogue.state.ids)
    values *= 1 if order == "ASC" else -1
    expected = sorted(values.index, key=lambda one: (np.isnan(values[one]), np.nan_to_num(values[one]), one))
    assert walk(engine, sort=sort, order=order, page_size=page_size) == expected


def test_the_most_relevant_come_first(engine):
    found = walk(engine, query="football match ⚽", page_size=150)
    assert sorted(found) == sorted(engine._catalogue.state.ids)
    vector, _ = engine._bank.pooled([["football match ⚽"]])
    closeness = pd.Series(engine._catalogue.state.text @ vector[0], index=engine._catalogue.state.ids)
    assert closeness[found].is_monotonic_decreasing


def test_relevance_without_a_query_is_refused(engine):
    with pytest.raises(InputError, match="query"):
        engine.search({"sort": "RELEVANCE"})


def test_the_last_page_has_no_token_and_pages_are_twenty_long(engine):
    ids, token = page_of(engine)
    assert (len(ids), token is None) == (20, False)
    everyone = len(engine._catalogue.state.ids)
    assert page_of(engine, filters={"min_followers": 1e15}) == ([], None)
    assert len(walk(engine, page_size=200)) == everyone


def creator(creator_id: str, followers: float, engine: Engine) -> pd.DataFrame:
    row = {c.CREATOR_ID: creator_id, c.FOLLOWERS_COUNT: followers, c.OBSERVED_AT: engine.as_of}
    return pd.DataFrame([row])


def test_whoever_comes_or_goes_between_two_pages_neither_repeats_nor_hides_another(own_engine):
    everyone = walk(own_engine, page_size=200)
    first, token = page_of(own_engine, page_size=25)
    nobody = pd.DataFrame(columns=[c.CREATOR_ID])
    upsert(own_engine, creator("before", 1e9, own_engine), nobody)
    upsert(own_engine, creator("behind", 0.0, own_engine), nobody)
    delete(own_engine, [first[0], everyone[30]])
    rest = walk(own_engine, token, page_size=25)
    kept = [one for one in everyone[25:] if one != everyone[30]]
    assert [one for one in rest if one != "behind"] == kept
    assert "behind" in rest
    assert "before" not in rest


def test_creators_with_equal_values_are_told_apart_by_their_ids(own_engine):
    nobody = pd.DataFrame(columns=[c.CREATOR_ID])
    same = pd.concat([creator(name, 1e12, own_engine) for name in ("z", "ä", "a", "B")])
    upsert(own_engine, same, nobody)
    assert walk(own_engine, page_size=20)[:4] == ["B", "a", "z", "ä"]
    first, token = page_of(own_engine, page_size=2)
    assert first + page_of(own_engine, page_size=2, page_token=token)[0] == ["B", "a", "z", "ä"]


MOVED, GONE, CAME, SAME = "moved", "gone", "came", ("tie-a", "tie-b", "tie-c", "null-a", "null-b")
BUSY = "busy"  # whose credit moves with its events


def catalogue_rows(at: pd.Timestamp, **followers: float) -> pd.DataFrame:
    """Creators with all that sorts read, three of them equal, and of two nothing known."""
    told = followers | dict.fromkeys(SAME[:3], 5000.0)
    rows = [
        {
            c.CREATOR_ID: name, c.BIO: "football match", c.FOLLOWERS_COUNT: value, c.MEDIAN_VIEWS: value,
            c.ENGAGEMENT_RATE: value / 1e6, c.CREATOR_PRICE: value, c.CURRENCY: "USD", c.OBSERVED_AT: at,
        }
        for name, value in told.items()
    ]  # fmt: skip
    return pd.DataFrame([*rows, *({c.CREATOR_ID: name, c.OBSERVED_AT: at} for name in SAME[3:])])


@pytest.fixture(scope="module")
def two(engine: Engine, few: dict[str, pd.DataFrame]) -> tuple[Engine, Engine]:
    """The same creators before and after an upsert of new and of known ones, a delete and events."""
    nobody, at = pd.DataFrame(columns=[c.CREATOR_ID]), engine.as_of
    before, after = (Engine(engine._bundle, InMemory(few), engine._bank) for _ in range(2))
    for one in (before, after):
        upsert(one, catalogue_rows(at, **{MOVED: 4000.0, GONE: 6000.0, BUSY: 7000.0}), nobody)
    upsert(after, catalogue_rows(at, **{CAME: 5000.0, MOVED: 90_000.0}), nobody)
    delete(after, [GONE])
    steps = ["INVITED", "ACCEPTED", "CONTRACTED", "DEFAULTED"]
    events = pd.DataFrame({c.EVENT_ID: steps, c.EVENT_TYPE: steps})
    same = {c.CREATOR_ID: BUSY, c.COLLABORATION_ID: "k", c.BRAND_ID: "b", c.EVENT_TIME: at}
    append_events(after, events.assign(**same))
    return before, after


@settings(max_examples=60, deadline=None)
@given(
    sort=st.sampled_from(["RELEVANCE", *SORTS]),
    order=st.sampled_from(["ASC", "DESC"]),
    size=st.integers(1, 30),
    pages=st.integers(1, 20),
)
def test_writes_between_any_two_pages_of_any_sort_neither_repeat_nor_hide_anyone(two, sort, order, size, pages):
    before, after = two
    asked = {"sort": sort, "order": order, "page_size": size, "query": "football match"}
    shown, token = page_of(before, **asked)
    for _ in range(pages - 1):
        if token:
            page, token = page_of(before, page_token=token, **asked)
            shown += page
    if token is None:
        return
    early = set(shown)
    shown += walk(after, token, **asked)
    restless = {MOVED, GONE, CAME, BUSY}
    steady = {one for part in before._catalogue.parts for one in part.state.ids[~part.gone]} - restless
    assert steady >= set(SAME)
    assert sorted(one for one in shown if one in steady) == sorted(steady)
    assert GONE not in shown or GONE in early
    parts = after._catalogue.parts
    keys = pd.concat([pd.Series(_keys(one, after._bank, asked), one.state.ids)[~one.gone] for one in parts])
    place = {one: (keys[one], one) for one in shown if one in steady}
    assert [*place.values()] == sorted(place.values())


INSIDE = [
    "[]",
    '[NaN, "a"]',
    "[1, 2]",
    "[1, null]",
    '["a"]',
    "5",
    "null",
    "[[1], 2]",
    "{}",
    "[1, 2, 3]",
    f'[1{"0" * 400}, "a"]',
    "[" * 2500,
    '"ab"',
]


@pytest.mark.parametrize("inside", INSIDE)
def test_a_token_of_another_making_is_refused(engine, inside):
    token = base64.urlsafe_b64encode(inside.encode()).decode()
    for shown in (token, token[:-1], inside, "é", "\0"):
        with pytest.raises(InputError, match="page_token"):
            engine.search({"page_token": shown})


tokens = st.text() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3),
).map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tokens)
def test_no_token_whatsoever_is_more_than_refused(engine, token):
    try:
        ids, _ = page_of(engine, page_token=token)
    except InputError as error:
        assert error.details[0]["field"] == "page_token"
    else:
        assert len(ids) <= 20


def test_an_answer_is_json_and_counts_what_filters_did(engine):
    answer = engine.search({"filters": {"country_codes": ["US"]}, "page_size": 200})
    json.dumps(answer, allow_nan=False)
    (removed,) = answer["candidates"]["removed"]
    assert answer["candidates"]["catalogue"] - removed["removed"] == answer["candidates"]["eligible"]
    assert len(answer["results"]) == answer["candidates"]["eligible"]
    assert {one[c.COUNTRY_CODE] for one in answer["results"]} == {"US"}


def test_a_profile_shows_the_columns_of_the_contract_alone(engine, few):
    noted = {name: frame.assign(private_note="do not show") for name, frame in few.items()}
    own = Engine(engine._bundle, InMemory(noted), engine._bank)
    answer = own.profile({"creator_ids": list(own._catalogue.state.ids)}, risk=True)
    assert any(one["daily_stats"] and one["collaborations"] and one["audience"] for one in answer["results"])
    assert "private_note" not in json.dumps(answer)


def test_a_creator_keeps_its_place_by_relevance_to_the_bit_whoever_else_is_there(engine, few):
    """A token holds the last key of a page: one bit more or less would show a creator twice, or never."""
    own, query = Engine(engine._bundle, InMemory(few), engine._bank), {"query": "football match ⚽"}
    everyone, some = engine._catalogue, own._catalogue
    here = pd.Series(_keys(everyone, engine._bank, query), index=everyone.state.ids)
    there = pd.Series(_keys(some, own._bank, query), index=some.state.ids)
    for left_out in range(4):
        text = some.state.text[left_out:]
        fewer = replace(some, state=replace(some.state, text=text, ids=some.state.ids[left_out:]))
        keys = _keys(fewer, own._bank, query)
        assert list(keys) == list(here[fewer.state.ids]) == list(there[fewer.state.ids])
