"""A row read by itself is the row that a table of one would hold, and breaks the same rules."""

from typing import Any

import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features import columns as c
from features.row import _as_table, checked_row
from features.schema import CONTRACT, Column, Kind, Table

NOW = pd.Timestamp("2026-01-01")
TEXTS = st.sampled_from(["", "a|b", "a\0", "\ud800", "12", "2025-01-01", "ü"]) | st.text(max_size=3)
NUMBERS = st.sampled_from([0, 1, -1, 2**70, -(10**400), 0.5, True, float("nan"), float("inf")]) | st.floats()
TIMES = st.datetimes(pd.Timestamp("2025-12-30").to_pydatetime(), pd.Timestamp("2026-01-02").to_pydatetime())
STAMPS = TIMES.map(pd.Timestamp) | TIMES.map(lambda time: pd.Timestamp(time, tz="Asia/Tokyo").as_unit("ns"))
ANYTHING = TEXTS | NUMBERS | st.lists(TEXTS, max_size=2) | st.lists(NUMBERS, max_size=1) | STAMPS | st.none()


def fitting(column: Column) -> st.SearchStrategy[Any]:
    if column.kind is Kind.NUMBER:
        return st.integers(0, 3).map(float) | st.integers(0, 3)
    if column.kind is Kind.TIME:
        return TIMES.map(pd.Timestamp)
    texts = st.sampled_from(sorted(column.words)) if column.words else st.text("abü漢", min_size=1)
    return st.lists(texts, max_size=2) if column.kind is Kind.LIST else texts


@st.composite
def rows(draw: st.DrawFn) -> tuple[Table, dict[str, Any]]:
    """Some fields of one of the tables, most of them good."""
    table = draw(st.sampled_from([*CONTRACT.values()]))
    columns = draw(st.lists(st.sampled_from(table.columns), min_size=1, max_size=5, unique=True))
    return table, {one.name: draw(fitting(one) if draw(st.integers(0, 4)) else ANYTHING) for one in columns}


@settings(max_examples=100, deadline=None)
@given(rows())
@example((CONTRACT["briefs"], {c.BUDGET: "\ud800", c.CREATED_AT: "\ud800"}))
@example((CONTRACT["briefs"], {c.BRIEF_ID: "b", c.CREATED_AT: NOW, c.BUDGET: 5, c.TARGET_COUNTRIES: ["BR"]}))
def test_a_row_alone_is_what_a_table_makes_of_it(drawn: tuple[Table, dict[str, Any]]) -> None:
    table, row = drawn
    (alone, problems), (held, told) = checked_row(row, table, NOW), _as_table(row, table, NOW)
    assert repr(problems) == repr(told)
    pd.testing.assert_series_equal(alone, held)
    assert [*map(type, alone)] == [*map(type, held)]
