"""Checks a dataset against the data contract and reports every violation, by table, column, row and value.

What a cell may hold makes a pandera schema per table (:func:`schemas`); what a row may say beside others stands in
:mod:`features.rules`. Rows count from 0, the header of a CSV file apart.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from features import columns as c
from features import schema, tables
from features.errors import Detail, InputError
from features.legality import contradictions
from features.rules import NOT_NULL, CellRule, RowRule, cell_rules, grave_cell_rules, key_rules, row_rules
from features.schema import Column, Table, Tables

Rows = npt.NDArray[np.int64]

log = logging.getLogger(__name__)

_WHOLE_DIMENSIONS = ("age", "gender")
_MOST, _LEAST = 1.01, 0.9


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong, and what to do about it; ``column`` and ``row`` are None when it is a whole table's."""

    table: str
    column: str | None
    row: int | None
    value: str
    problem: str
    remedy: str


def wall_clock() -> pd.Timestamp:
    """The wall clock's time, naive UTC."""
    return pd.Timestamp.now("UTC").tz_localize(None)


def violations(source: str | Path | Tables, now: pd.Timestamp) -> list[Violation]:
    """Everything in a dataset (folder, SQL URL or tables in memory) that breaks the contract, nothing left out.

    ``now`` is naive UTC; later times are in the future. Raises InputError only for a folder or database that is not
    there.
    """
    raw, unread = _read(source)
    shape = [one for one in _shape_violations(raw) if one.table not in {other.table for other in unread}]
    completed = schema.complete(_coerced(raw))
    alone = row_violations(raw, now)
    return [*unread, *shape, *alone, *_share_violations(completed[schema.AUDIENCE.name]), *_contradictions(completed)]


def row_violations(raw: Tables, now: pd.Timestamp) -> list[Violation]:
    """What breaks the contract in cells and rows, each table numbered from 0; distributions and histories apart."""
    coerced = _coerced(raw)
    cells = (_cell_violations(frame, coerced[name], schema.CONTRACT[name], now) for name, frame in raw.items())
    return [*chain.from_iterable(cells), *_row_violations(raw, schema.complete(coerced))]


def _coerced(raw: Tables) -> dict[str, pd.DataFrame]:
    return {name: tables.coerce(frame, schema.CONTRACT[name]) for name, frame in raw.items()}


def read_usable(source: str | Path, now: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The dataset at ``source`` (:func:`features.tables.read_tables`) for commands that learn and answer from it.

    Raises InputError also for what would falsify every answer: no creators, a number or time out of its range
    (negative, not finite, after ``now``), a key that stands there twice. A video that does is only told to the log:
    :func:`features.asof.known` reads it once.
    """
    read = tables.read_tables(source)
    if shape := _shape_violations(read):
        raise _refusal(shape[0], _line(shape[0]))
    for table, columns, rule, rows in _grave(read, now):
        [first] = _at(rows[:1], read[table.name], table, columns, rule.problem, rule.remedy)
        line = f"{_line(first)} (rows like it: {len(rows)}; creatormatch validate lists every violation)"
        if table is not schema.VIDEOS or columns != schema.VIDEOS.key:
            raise _refusal(first, line)
        log.warning(line)
    return read


def _grave(read: Tables, now: pd.Timestamp) -> Iterator[tuple[Table, tuple[str, ...], CellRule | RowRule, Rows]]:
    """The grave rules that complete tables break, each with its columns and the rows that do."""
    for table in schema.CONTRACT.values():
        for column in table.columns:
            values = read[table.name][column.name]
            for rule in grave_cell_rules(column, now):
                if (wrong := ~rule.right(values) & values.notna()).any():
                    yield table, (column.name,), rule, np.flatnonzero(wrong)
    for twice in key_rules():
        if (wrong := twice.wrong(read[twice.table.name], read)).any():
            yield twice.table, twice.columns, twice, np.flatnonzero(wrong)


def _refusal(violation: Violation, message: str) -> InputError:
    place = ".".join(filter(None, (violation.table, violation.column)))
    field = place if violation.row is None else f"{place}, row {violation.row}"
    problem = f"{violation.problem}; {violation.remedy}"
    return InputError(message, [Detail(field=field, problem=problem, value=violation.value)])


def report(found: Iterable[Violation]) -> str:
    """The violations as text, one line each."""
    return "\n".join(_line(violation) for violation in found)


def schemas(now: pd.Timestamp) -> dict[str, pa.DataFrameSchema]:
    """One pandera schema per contract table, for complete frames; times may not be after ``now`` (due dates may)."""
    return {name: _schema(table.columns, now) for name, table in schema.CONTRACT.items()}


def _schema(columns: Iterable[Column], now: pd.Timestamp) -> pa.DataFrameSchema:
    return pa.DataFrameSchema({column.name: _schema_column(column, now) for column in columns})


def _schema_column(column: Column, now: pd.Timestamp) -> pa.Column:
    checks = [pa.Check(rule.right, error=rule.problem) for rule in cell_rules(column, now)]
    return pa.Column(schema.DTYPES[column.kind], checks, nullable=not column.required)


def _line(violation: Violation) -> str:
    column = "" if violation.column is None else f".{violation.column}"
    row = "" if violation.row is None else f", row {violation.row}"
    value = f" (got {violation.value!r})" if violation.value else ""
    return f"{violation.table}{column}{row}: {violation.problem}{value}; {violation.remedy}"


def _read(source: str | Path | Tables) -> tuple[Tables, list[Violation]]:
    """The tables as they stand, and a violation for each that cannot be read or must be there and is not."""
    if not isinstance(source, str | Path):
        return {name: source[name].reset_index(drop=True) for name in schema.CONTRACT if name in source}, []
    raw: dict[str, pd.DataFrame] = {}
    found = []
    for name in schema.CONTRACT:
        try:
            raw |= tables.read_raw(source, [name])
        except InputError as error:
            if error.code != "INVALID_ARGUMENT":
                raise
            found.append(_unreadable(name, error))
    return raw, found


def _unreadable(name: str, error: InputError) -> Violation:
    detail = error.details[0]
    problem, _, remedy = detail["problem"].partition("; ")
    return Violation(name, None, None, _text(detail["value"]), problem, remedy)


def _shape_violations(raw: Tables) -> list[Violation]:
    creators = schema.CREATORS.name
    found = [
        Violation(name, column, None, "", "a required column is missing", "add it")
        for name, frame in raw.items()
        for column in schema.CONTRACT[name].required
        if column not in frame
    ]
    if creators not in raw:
        found.append(
            Violation(creators, None, None, "", "the table is missing", "add creators.parquet or creators.csv")
        )
    elif raw[creators].empty:
        found.append(Violation(creators, None, None, "", "the table is empty", "add at least one creator"))
    return found


def _cell_violations(raw: pd.DataFrame, coerced: pd.DataFrame, table: Table, now: pd.Timestamp) -> Iterator[Violation]:
    """What pandera finds in the columns that are there, and what could not be parsed for it."""
    failures = _failures(schema.conform(coerced, table), table, now)
    for column in table.columns:
        if column.name not in raw:
            continue
        lost = tables.uncastable(raw, coerced, column)
        if lost.any():
            yield from _at(np.flatnonzero(lost), raw, table, (column.name,), *tables.EXPECTED[column.kind])
        for rule in (*cell_rules(column, now), NOT_NULL):
            rows = failures.get((column.name, rule.problem), np.array([], dtype=int))
            rows = rows[~lost.to_numpy()[rows]]  # null only because it could not be parsed
            yield from _at(rows, raw, table, (column.name,), rule.problem, rule.remedy)


def _failures(frame: pd.DataFrame, table: Table, now: pd.Timestamp) -> dict[tuple[str, str], Rows]:
    """The rows that fail, by column and problem."""
    # Each column costs two milliseconds, and most of an event's are null.
    told = [column for column in table.columns if column.required or frame[column.name].notna().any()]
    try:
        _schema(told, now).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.replace({"check": {"not_nullable": NOT_NULL.problem}})
        return {key: rows.to_numpy(int) for key, rows in cases.groupby(["column", "check"])["index"]}
    return {}


def _at(
    rows: Rows, raw: pd.DataFrame, table: Table, columns: tuple[str, ...], problem: str, remedy: str
) -> Iterator[Violation]:
    """One violation for each of the rows, with the values that stand there in the raw table."""
    if not len(rows):  # as almost always; the cells cost a millisecond for each of a table's rules
        return
    cells = raw.iloc[rows].reindex(columns=list(columns))
    for row, values in zip(rows, cells.itertuples(index=False, name=None), strict=True):
        value = ", ".join(filter(None, map(_text, values)))
        yield Violation(table.name, ", ".join(columns), int(row), value, problem, remedy)


def _text(value: object) -> str:
    return "" if pd.api.types.is_scalar(value) and pd.isna(value) else str(value)


def _row_violations(raw: Tables, completed: Tables) -> Iterator[Violation]:
    for rule in row_rules():
        if rule.table.name in raw:
            wrong = rule.wrong(completed[rule.table.name], completed)
            rows = np.flatnonzero(wrong)
            yield from _at(rows, raw[rule.table.name], rule.table, rule.columns, rule.problem, rule.remedy)


def _share_violations(audience: pd.DataFrame) -> list[Violation]:
    """Distributions that are no distributions: the sums of shares, each at the first row of its group."""
    group = [c.CREATOR_ID, c.DIMENSION, c.OBSERVED_AT]
    sums = audience.groupby(group, dropna=False)[c.SHARE].transform("sum")
    little = (sums < _LEAST) & audience[c.DIMENSION].isin(_WHOLE_DIMENSIONS)
    rows = np.flatnonzero(~audience.duplicated(group) & ((sums > _MOST) | little))
    problem = f"the shares of this creator, dimension and time sum to more than {_MOST:g}, or to less than {_LEAST:g}"
    remedy = "make them parts of one whole; age and gender need all their buckets"
    return [Violation(schema.AUDIENCE.name, c.SHARE, int(row), f"{sums[row]:.4g}", problem, remedy) for row in rows]


def _contradictions(completed: Tables) -> list[Violation]:
    """Events that contradict the life cycle of their collaboration; what is missing from it is no violation."""
    events = completed[schema.COLLABORATION_EVENTS.name]
    found: list[Violation] = []
    if events.empty:  # as in most requests, where this would take a quarter of the time
        return found
    for row, verdict in contradictions(events).items():
        column, _, told = verdict.partition(": ")
        problem, _, remedy = told.partition("; ")
        found.append(
            Violation(schema.COLLABORATION_EVENTS.name, column, row, _text(events.at[row, column]), problem, remedy)
        )
    return found
