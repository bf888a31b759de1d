"""Look-alikes: nearest first by the towers, by text for whom the towers say nothing."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.schema import Tables
from features.source import InMemory
from models.engine import Engine
from models.similar import similar
from tests.models.test_filters import EVERY_FILTER


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [one["creator_id"] for one in answer["results"]]


def test_the_nearest_to_the_mean_come_first_and_the_given_ones_are_left_out(engine):
    state = engine._catalogue.state
    given = list(state.ids[[3, 8, 100]])
    mean = state.vectors[[3, 8, 100]].sum(axis=0)
    cosines = state.vectors @ (mean / np.linalg.norm(mean))
    expected = [one for _, one in sorted(zip(-cosines.round(6), state.ids, strict=True)) if one not in given][:10]
    answer = engine.similar({"creator_ids": given, "limit": 10})
    assert ids_of(answer) == expected
    json.dumps(answer, allow_nan=False)
    assert [one["similarity"] for one in answer["results"]] == pytest.approx(sorted(cosines, reverse=True)[3:13])


def test_the_same_creator_given_twice_counts_once_and_the_list_is_twenty_long(engine):
    one, two = engine._catalogue.state.ids[:2]
    twice = engine.similar({"creator_ids": [one, two, one]})
    assert twice == engine.similar({"creator_ids": [two, one]})
    assert len(twice["results"]) == 20


@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries({}, optional=EVERY_FILTER))
def test_every_filter_holds_as_in_search(own, filters):
    one = own._catalogue.state.ids[0]
    found = own.search({"filters": filters, "page_size": 200})
    answer = own.similar({"creator_ids": [one], "filters": filters, "limit": 200})
    assert set(ids_of(answer)) == {*ids_of(found)} - {one}


@pytest.fixture(scope="module")
def own(engine: Engine, few: Tables) -> Engine:
    """Over 60 creators. Read only."""
    return Engine(engine._bundle, InMemory(few), engine._bank)


def test_filters_hold_as_in_search(engine):
    one = engine._catalogue.state.ids[0]
    filters = {"country_codes": ["US"], "min_followers": 2000}
    found = engine.search({"filters": filters, "page_size": 200})
    assert found["next_page_token"] is None
    answer = engine.similar({"creator_ids": [one], "filters": filters, "limit": 200})
    assert set(ids_of(answer)) == {*ids_of(found)} - {one}


def test_text_stands_in_where_a_tower_vector_is_empty(engine):
    catalogue = engine._catalogue
    vectors, text = catalogue.state.vectors.copy(), catalogue.state.text.copy()
    vectors[[5, 6]] = 0
    text[6] = 0
    state = replace(catalogue.state, vectors=vectors, text=text)
    answer = similar(replace(catalogue, state=state), {"creator_ids": [state.ids[0]], "limit": 1000})
    shown = {one["creator_id"]: one["similarity"] for one in answer["results"]}
    assert shown[state.ids[5]] == pytest.approx(float(text[5] @ text[0]), abs=1e-6)
    assert state.ids[6] not in shown  # of whom nothing is known, nobody can say whom it resembles
    blind = replace(catalogue, state=replace(state, vectors=np.zeros_like(vectors)))
    by_text = similar(blind, {"creator_ids": [state.ids[0]], "limit": 1})["results"][0]
    assert by_text["similarity"] == pytest.approx(float(np.sort(text @ text[0])[-2]), abs=1e-6)


def test_an_unknown_creator_is_not_found(engine: Engine):
    with pytest.raises(InputError, match="no such creator") as caught:
        engine.similar({"creator_ids": [engine._catalogue.state.ids[0], "nobody"]})
    assert (caught.value.code, caught.value.details[0]["value"]) == ("NOT_FOUND", "nobody")
