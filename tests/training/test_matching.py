"""From examples to training rows: dates that are not later, and negatives that were there to be chosen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import columns as c
from features.asof import data_as_of
from features.bank import TextBank
from features.errors import InputError
from features.lexical import BUCKETS
from features.queries import Query
from features.schema import Tables, complete
from features.state import State
from features.tables import read_tables
from models.bitmaps import Subset
from models.retriever import retrieve
from models.towers import Towers
from tests.features.encoders import CountingEncoder
from tests.features.market import AS_OF
from training.examples import Example, invitations, ranking_examples
from training.matching import (
    NEGATIVES,
    STATES,
    Matching,
    RankingRows,
    by_date,
    fit_towers_and_rows,
    lookup,
    offered,
    queries,
    schedule,
    state_dates,
    success_rows,
)

BRIEFS = 12


def no_scores(tables: Tables, _: pd.Timestamp) -> pd.DataFrame:
    return pd.DataFrame(index=pd.Index(tables["creators"][c.CREATOR_ID].unique()))


@pytest.fixture(scope="module")
def matching(dataset: Path) -> Matching:
    tables = read_tables(dataset)
    return Matching(tables, data_as_of(tables), TextBank(CountingEncoder()), np.ones(BUCKETS, np.float32), no_scores)


@pytest.fixture(scope="module")
def examples(matching: Matching) -> list[Example]:
    return ranking_examples(matching.tables)[-BRIEFS:]


@pytest.fixture(scope="module")
def fitted(matching: Matching, examples: list[Example]) -> tuple[Towers, RankingRows]:
    return fit_towers_and_rows(matching, examples, np.random.default_rng(0))


@pytest.fixture(scope="module")
def rows(fitted: tuple[Towers, RankingRows]) -> RankingRows:
    return fitted[1]


def walked(matching: Matching, examples: list[Example]) -> Iterator[tuple[Example, State, Query]]:
    for date, part in by_date(matching, schedule(examples)):
        state = matching.state(date, None)
        for example, query in queries(matching, state, part, None):
            yield example, state, query


@given(st.lists(st.integers(0, 400 * 24), min_size=1, max_size=60))
def test_states_are_few_and_never_later_than_what_they_are_used_for(hours):
    times = pd.Series(AS_OF + pd.to_timedelta(sorted(hours), unit="h"))
    dates = state_dates(times)
    assert (dates < times).all()
    assert ((dates + pd.Timedelta(microseconds=1)).dt.floor("D") == dates + pd.Timedelta(microseconds=1)).all()
    assert dates.nunique() <= STATES + 1
    oldest = max(pd.Timedelta(days=1), (times.max() - times.min()) / STATES + pd.Timedelta(days=2))
    assert ((times - dates) <= oldest).all()


def test_states_are_walked_once_each_in_order_of_time(matching, examples):
    seen = [(state.as_of, example.as_of) for example, state, _ in walked(matching, examples)]
    assert seen == sorted(seen)
    assert all(state <= example for state, example in seen)


def test_groups_hold_what_was_shown_and_negatives_nobody_saw(matching, examples, rows):
    """A brief that wanted nobody who was known by then teaches nothing, and is no group."""
    assert sum(rows.groups) == len(rows.pairs) == len(rows.grades) == len(rows.positions)
    parts = np.split(np.arange(len(rows.pairs)), np.cumsum(rows.groups)[:-1])
    graded = []
    for example, state, _ in walked(matching, examples):
        grades = pd.Series(example.grades, index=list(example.creator_ids))
        graded.append((example, grades[grades.index.isin(state.ids)]))
    taught = [(example, grades) for example, grades in graded if grades.any()]
    for part, (example, grades) in zip(parts, taught, strict=True):
        ids = rows.pairs.index[part]
        assert [*ids[: len(grades)]] == [*grades.index]
        assert [*rows.grades[part]] == [*grades, *[0] * (len(part) - len(grades))]
        assert 0 < len(part) - len(grades) <= NEGATIVES
        assert ids.is_unique
        assert set(rows.positions[part]) <= set(example.positions)


def test_the_same_seed_gives_the_same_towers_and_rows(matching, examples, fitted):
    towers, rows = fitted
    again, same = fit_towers_and_rows(matching, examples, np.random.default_rng(0))
    np.testing.assert_array_equal(again.brief, towers.brief)
    np.testing.assert_array_equal(again.creator, towers.creator)
    pd.testing.assert_frame_equal(same.pairs, rows.pairs, check_exact=True)
    np.testing.assert_array_equal(same.positions, rows.positions)


def test_what_a_later_brief_wanted_does_not_move_the_scores_of_earlier_ones(matching, examples, rows):
    """The towers that score a part of the history learn from the parts before it alone."""
    last = replace(examples[-1], grades=np.full(len(examples[-1].grades), 4))
    changed = fit_towers_and_rows(matching, [*examples[:-1], last], np.random.default_rng(0))[1]
    before = len(rows.pairs) - rows.groups[-1]
    pd.testing.assert_frame_equal(changed.pairs.iloc[:before], rows.pairs.iloc[:before], check_exact=True)
    scored = rows.pairs["tower_score"].notna().to_numpy()
    assert not scored[0]
    assert scored[-1]


def test_success_rows_are_one_an_invitation_under_its_index(matching):
    invited = invitations(matching.tables, matching.end).iloc[-8:]
    found = success_rows(matching, invited)
    assert set(found.index) <= set(invited.index)
    assert len(found)
    assert found["tower_score"].isna().all(), "the towers have seen these outcomes"


def test_what_happens_at_the_moment_of_a_choice_is_not_known_to_it():
    """Dates without hours put an event at midnight, where a day's state would begin."""
    times = pd.Series(pd.date_range(AS_OF, periods=40, freq="D"))
    assert (state_dates(times) < times).all()


def test_briefs_without_words_are_the_users_mistake(matching: Matching):
    tables = dict(matching.tables)
    tables["briefs"] = tables["briefs"].assign(
        **{c.TITLE: None, c.DESCRIPTION: None, c.REFERENCE_CAPTIONS: None},
        **{c.CONTENT_LABELS: [[] for _ in range(len(tables["briefs"]))]},
    )
    silent = replace(matching, tables=complete(tables))
    examples = ranking_examples(silent.tables)[-BRIEFS:]
    with pytest.raises(InputError, match="briefs"):
        fit_towers_and_rows(silent, examples, np.random.default_rng(0))


def test_rows_are_found_by_their_key_in_their_order():
    frame = pd.DataFrame({"key": ["a", "b", "a", None], "value": [1, 2, 3, 4]})
    of = lookup(frame, "key")
    assert of("a")["value"].tolist() == [1, 3]
    assert of("nobody").empty
    assert of(np.nan).empty, "rows without a key are nobody's"


def test_in_a_large_catalogue_a_random_pool_is_cut_at_the_retrievers_share(matching, examples):
    """Half of all would be offered: half of a pool of 20 is, among them whoever comes first of all."""
    _, state, query = next(walked(matching, examples))
    everyone = np.flatnonzero(state.rankable)
    first, barred = retrieve(query, state, None, Subset.of(state.rankable), 1), np.flatnonzero(~state.rankable)[:1]
    asked, depth = np.concatenate([first, barred, [-1]]), len(everyone) // 2
    drawn = [
        offered(query, state, None, asked, np.random.default_rng(seed), depth=depth, pool=20) for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert set(drawn[0]) != set(drawn[2])
    for found in drawn:
        assert len(found) in (9, 10)
        assert first[0] in found
        assert set(found) <= set(everyone)
    whole = offered(query, state, None, asked, np.random.default_rng(0), depth=len(everyone), pool=20)
    np.testing.assert_array_equal(whole, everyone)
