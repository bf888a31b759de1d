"""One row, such as a request carries, checked by the rules of its table."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from features import schema, tables
from features.errors import Detail
from features.rules import NOT_NULL, CellRule, cell_rules
from features.schema import Column, Kind, Table

_PLAIN: dict[Kind, Callable[[Any], bool]] = {
    Kind.STRING: lambda value: type(value) is str and bool(value) and tables.is_unicode(value),
    Kind.LIST: lambda value: type(value) is list and all(type(one) is str and tables.is_unicode(one) for one in value),
    Kind.NUMBER: lambda value: type(value) is float or (type(value) is int and abs(value) < 2**53),
    Kind.TIME: lambda value: type(value) is pd.Timestamp and value.tz is None and value.unit == "us",
}
_HELD: dict[Kind, Callable[[Any], object]] = {
    Kind.STRING: str,
    Kind.LIST: schema.as_list,
    Kind.NUMBER: np.float64,
    Kind.TIME: pd.Timestamp,
}
_NULLS: dict[Kind, Callable[[], object]] = {
    Kind.STRING: lambda: np.nan,
    Kind.LIST: list,
    Kind.NUMBER: lambda: np.float64(np.nan),
    Kind.TIME: lambda: pd.NaT,
}


def checked_row(row: Mapping[str, object], table: Table, now: pd.Timestamp) -> tuple[pd.Series, list[Detail]]:
    """The given fields as a row of the contract, and what in them breaks it (then what cannot be kept is null).

    A row of plain values that break nothing takes a fifth of a millisecond; any other is read as a table of one row.
    """
    if all(_is_plain(value, table.column(name), now) for name, value in row.items()):
        return _held(row, table), []
    return _as_table(row, table, now)


def _is_plain(value: object, column: Column, now: pd.Timestamp) -> bool:
    """Whether the value has its column's own type and breaks no rule: nothing about it needs to be read or told."""
    return _PLAIN[column.kind](value) and all(rule.of_one(value) for rule in cell_rules(column, now))


def _held(row: Mapping[str, object], table: Table) -> pd.Series:
    """The row as a conformed frame holds it."""
    values = [
        _HELD[column.kind](row[column.name]) if column.name in row else _NULLS[column.kind]()
        for column in table.columns
    ]
    return pd.Series(values, _index(table.names), dtype="object", name=0)


@cache
def _index(names: tuple[str, ...]) -> pd.Index:
    """One for all rows of a table: pandas takes as long to make it as all else does."""
    return pd.Index(names)


def _as_table(row: Mapping[str, object], table: Table, now: pd.Timestamp) -> tuple[pd.Series, list[Detail]]:
    raw = pd.DataFrame({name: pd.Series([value], dtype="object") for name, value in row.items()})
    coerced = tables.coerce(raw, table)
    given = schema.conform(coerced, table)
    found = []
    for column in (table.column(name) for name in row):
        if tables.uncastable(raw, coerced, column).any():
            problem, remedy = tables.EXPECTED[column.kind]
        elif broken := _broken_rule(given[column.name], column, now):
            problem, remedy = broken.problem, broken.remedy
        else:
            continue
        found.append(Detail(field=column.name, problem=f"{problem}; {remedy}", value=row[column.name]))
    return given.iloc[0], found


def _broken_rule(values: pd.Series, column: Column, now: pd.Timestamp) -> CellRule | None:
    """The first thing that the column's values must be and are not."""
    if values.isna().any():
        return NOT_NULL if column.required else None
    return next((rule for rule in cell_rules(column, now) if not rule.right(values).all()), None)
