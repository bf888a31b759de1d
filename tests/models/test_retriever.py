"""The first stage: everyone when few, else the best of every channel, and never one that is not allowed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import columns as c
from features.pairs import Pairs, lexical_cosine, lookalike_tastes
from features.queries import Query
from features.schema import complete
from features.state import State
from models import retriever
from models.bitmaps import Subset
from models.index import VectorIndex
from models.retriever import retrieve
from tests.features.market import AS_OF, brief, events, query, state

SIZE = 30
CHANNELS = (lookalike_tastes, lexical_cosine)
EVERYONE, NOBODY = (Subset.of(np.full(SIZE, there)) for there in (True, False))


@pytest.fixture(scope="module")
def market() -> tuple[State, Query, VectorIndex]:
    """Creator 29 alone uses the brief's word; 28 worked for a rival who, like the brand with 26, hires scooter labels;
    vectors bring 0, 1, 2, … closest to the brief."""
    bios = [f"unlike{i}" for i in range(SIZE)]
    bios[29] = "matcha"
    labels = [["scooter"] if i in (26, 28) else ["food"] for i in range(SIZE)]
    ids = [f"c{i:02}" for i in range(SIZE)]
    steps = events(("k0", "c28", "ACCEPTED", AS_OF), ("k1", "c26", "ACCEPTED", AS_OF - pd.Timedelta(days=9)))
    of = complete(
        {
            "creators": pd.DataFrame({c.CREATOR_ID: ids, c.BIO: bios, c.CONTENT_LABELS: labels}),
            "briefs": pd.DataFrame({c.BRIEF_ID: ["q0"], c.TITLE: ["matcha"]}),
            "collaboration_events": steps.assign(**{c.BRAND_ID: ["rival", "brand"], c.BRIEF_ID: ["q0", "other"]}),
        }
    )
    angles = np.linspace(0, np.pi / 2, SIZE)
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    known = replace(state(of), vectors=vectors)
    asked = replace(query(brief(title="matcha"), of), vector=np.array([1, 0], np.float32))
    return known, asked, VectorIndex(ids, vectors)


def test_all_are_candidates_when_they_are_few(market):
    known, asked, index = market
    np.testing.assert_array_equal(retrieve(asked, known, index, EVERYONE, k=SIZE), np.arange(SIZE))
    few = Subset.of(np.isin(np.arange(SIZE), [3, 7]))
    np.testing.assert_array_equal(retrieve(asked, known, index, few, k=2), [3, 7])
    assert len(retrieve(asked, known, index, NOBODY, k=2)) == 0


def test_the_best_of_every_channel_is_among_them(market):
    known, asked, index = market
    assert set(retrieve(asked, known, index, EVERYONE, k=5)) == {28, 29, 0, 1, 2}


def test_a_creator_counts_once(market):
    known, asked, index = market
    found = retrieve(asked, known, index, EVERYONE, k=SIZE - 1)
    assert len(set(found)) == len(found) == SIZE - 1


def test_without_a_vector_the_other_channels_still_answer(market):
    known, asked, index = market
    blind = replace(asked, vector=np.zeros(2, np.float32))
    for blinded, index_ in ((blind, index), (asked, None)):
        assert set(retrieve(blinded, known, index_, EVERYONE, k=3)) == {28, 29, 0}


def test_a_brief_that_says_nothing_is_offered_somebody(market):
    known, asked, index = market
    nobody = replace(asked.brand, tastes=np.zeros_like(asked.brand.tastes))
    silent = replace(asked, vector=np.zeros(2, np.float32), terms=np.zeros_like(asked.terms), brand=nobody)
    assert list(retrieve(silent, known, index, EVERYONE, k=5)) == [0, 1, 2, 3, 4]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=SIZE, max_size=SIZE), st.integers(1, SIZE))
def test_it_answers_with_the_union_within_what_is_allowed(market, flags, k):
    known, asked, index = market
    allowed = np.array(flags)
    found = retrieve(asked, known, index, Subset.of(allowed), k)
    assert allowed[found].all()
    assert len(set(found)) == len(found) == min(k, allowed.sum())
    rows = np.flatnonzero(allowed)
    for scores in [known.vectors[rows] @ asked.vector, *(channel(Pairs(asked, known, rows)) for channel in CHANNELS)]:
        if k > len(CHANNELS) + 1 and len(rows) and scores.max() > 0:
            assert rows[scores == scores.max()][0] in found


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=SIZE, max_size=SIZE), st.integers(1, SIZE))
def test_the_favourites_of_everyone_are_found_as_those_of_a_few_are(market, flags, k):
    known, asked, index = market
    among_few = retrieve(asked, known, index, Subset.of(np.array(flags)), k)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retriever, "FEW", 0)
        np.testing.assert_array_equal(retrieve(asked, known, index, Subset.of(np.array(flags)), k), among_few)
