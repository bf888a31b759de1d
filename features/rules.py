"""What the data contract asks of a cell, and of a row beside its neighbours and beside other tables."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features import schema, tables
from features import vocabulary as v
from features.schema import Column, Kind, Table, Tables

_FUTURE_TIMES = frozenset({c.DUE_AT})


@dataclass(frozen=True)
class CellRule:
    """What each value of a column must be; ``right`` answers a boolean mask and meets no nulls, ``of_one`` says the
    same of a single value, in a hundredth of the time."""

    problem: str
    remedy: str
    right: Callable[[pd.Series], pd.Series]
    of_one: Callable[[Any], bool]


NOT_NULL = CellRule(*tables.NOT_NULL, pd.Series.notna, pd.notna)
FINITE = CellRule("is not finite", "leave unknown values empty", lambda numbers: ~np.isinf(numbers), math.isfinite)


@dataclass(frozen=True)
class RowRule:
    """What a row of a table must not be, by itself, beside its neighbours or beside other tables."""

    table: Table
    columns: tuple[str, ...]
    problem: str
    remedy: str
    wrong: Callable[[pd.DataFrame, Tables], pd.Series]


def cell_rules(column: Column, now: pd.Timestamp) -> list[CellRule]:
    """What every value of the column must be; times may not be after ``now``, due dates apart."""
    if column.kind is Kind.NUMBER:
        return list(_number_rules(column))
    if column.kind is Kind.TIME:
        return list(_time_rules(column, now))
    return list(_list_rules(column) if column.kind is Kind.LIST else _text_rules(column))


def grave_cell_rules(column: Column, now: pd.Timestamp) -> list[CellRule]:
    """Those of :func:`cell_rules` that one value can break for every answer: it moves when the data end, or a sum."""
    return cell_rules(column, now) if column.kind in (Kind.NUMBER, Kind.TIME) else []


def _time_rules(column: Column, now: pd.Timestamp) -> Iterator[CellRule]:
    if column.name not in _FUTURE_TIMES:
        yield CellRule(f"is after now, {now}", "correct the date, or the clock", *_alike(lambda times: times <= now))


def _number_rules(column: Column) -> Iterator[CellRule]:
    least, most = column.minimum, column.maximum
    yield FINITE
    if least is not None:
        yield CellRule(f"is below {least:g}", f"write at least {least:g}", *_alike(lambda numbers: numbers >= least))
    if most is not None:
        yield CellRule(f"is above {most:g}", f"write at most {most:g}", *_alike(lambda numbers: numbers <= most))
    if column.whole:
        yield CellRule("is not a whole number", "round it", *_alike(lambda numbers: numbers == np.floor(numbers)))


def _text_rules(column: Column) -> Iterator[CellRule]:
    words = column.words
    yield CellRule(
        "contains a null byte", "remove it", lambda texts: ~texts.str.contains("\0", regex=False), _has_no_null
    )
    if words is not None:
        yield CellRule(
            "is not in the vocabulary", _one_of(words), lambda texts: texts.isin(list(words)), words.__contains__
        )


def _list_rules(column: Column) -> Iterator[CellRule]:
    words = column.words
    remedy = f"remove null bytes, {schema.SEPARATOR} and empty items"
    yield CellRule("has an item that cannot be kept", remedy, *_each(_is_clean))
    if words is not None:
        yield CellRule("has an item outside the vocabulary", _one_of(words), *_each(words.__contains__))


def _alike(right: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """An expression that reads the same of a column and of a value."""
    return right, right


def _each(right: Callable[[str], bool]) -> tuple[Callable[[pd.Series], pd.Series], Callable[[list[str]], bool]]:
    """Every item of each list is right."""

    def of_one(items: list[str]) -> bool:
        return all(map(right, items))

    return lambda lists: pd.Series([*map(of_one, lists)], index=lists.index, dtype=bool), of_one


def _has_no_null(text: str) -> bool:
    return "\0" not in text


def _is_clean(item: str) -> bool:
    return bool(item) and schema.SEPARATOR not in item and "\0" not in item


def _one_of(words: Iterable[str]) -> str:
    standard = {v.COUNTRIES: "an ISO 3166-1 alpha-2 code such as BR", v.CURRENCIES: "an ISO 4217 code such as EUR"}
    return f"use {standard.get(frozenset(words)) or 'one of ' + ' '.join(sorted(words))}"


def row_rules() -> list[RowRule]:
    """What no row of any table may be."""
    contract = schema.CONTRACT.values()
    others = [table for table in contract if c.CREATOR_ID in table.names and table is not schema.CREATORS]
    return [*key_rules(), *map(_of_creators, others), *_own_rules()]


def key_rules() -> list[RowRule]:
    """No table that has a key has it twice."""
    return [_unique(table) for table in schema.CONTRACT.values() if table.key]


def _unique(table: Table) -> RowRule:
    required = [name for name in table.key if table.column(name).required]
    return RowRule(
        table,
        table.key,
        "is there already, in a row above",
        "keep one of the rows",
        lambda frame, _: frame.duplicated(list(table.key)) & frame[required].notna().all(axis=1),
    )


def _of_creators(table: Table) -> RowRule:
    def wrong(frame: pd.DataFrame, completed: Tables) -> pd.Series:
        creators = completed[schema.CREATORS.name][c.CREATOR_ID].unique()
        return frame[c.CREATOR_ID].notna() & ~frame[c.CREATOR_ID].isin(creators) & (len(creators) > 0)

    return RowRule(table, (c.CREATOR_ID,), "is not in the table creators", "add the creator, or remove the row", wrong)


def _own_rules() -> Iterator[RowRule]:
    events, labels = schema.COLLABORATION_EVENTS, schema.FRAUD_LABELS
    yield RowRule(
        schema.AUDIENCE,
        (c.DIMENSION, c.BUCKET),
        "is not an age bucket",
        f"use one of {' '.join(v.AGE_BUCKETS)}",
        lambda frame, _: (frame[c.DIMENSION] == "age") & frame[c.BUCKET].notna() & ~frame[c.BUCKET].isin(v.AGE_BUCKETS),
    )
    yield RowRule(
        events,
        (c.EVENT_TYPE, c.REFERS_TO),
        "refers to no event",
        "give the event_id it speaks of in refers_to",
        lambda frame, _: frame[c.EVENT_TYPE].isin(v.REFERRING_EVENTS) & frame[c.REFERS_TO].isna(),
    )
    yield RowRule(
        events,
        (c.EVENT_TYPE, c.COLLABORATION_ID),
        "belongs to no collaboration",
        "give its collaboration_id",
        lambda frame, _: frame[c.EVENT_TYPE].isin(v.LIFE_CYCLE_EVENTS) & frame[c.COLLABORATION_ID].isna(),
    )
    yield RowRule(
        labels,
        (c.CREATOR_ID, c.ACCOUNT_ID),
        "speaks of nobody",
        "give a creator_id or an account_id",
        lambda frame, _: frame[c.CREATOR_ID].isna() & frame[c.ACCOUNT_ID].isna(),
    )
    yield RowRule(
        labels,
        (c.PERIOD_START, c.PERIOD_END),
        "ends before it starts",
        "correct period_start or period_end",
        lambda frame, _: frame[c.PERIOD_END] < frame[c.PERIOD_START],
    )
