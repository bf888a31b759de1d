"""Reading and writing a dataset: a folder with one Parquet or CSV file per table, or a database at a SQLAlchemy URL.

Lists are joined by ``|`` in CSV and SQL (Parquet may hold either form), times are UTC, and an empty text is a null
wherever it stands, since CSV cannot tell the two apart.
Only the contract's tables are looked at; whatever else lies in a folder or database is left alone.
"""

import csv
import itertools
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from features import schema
from features.errors import bad
from features.schema import SEPARATOR, Column, Kind, Table, Tables

EXPECTED = {
    Kind.STRING: ("is not one text", "write a single text in its place, in whole Unicode characters"),
    Kind.LIST: ("is not a list of texts", "write a list of texts in its place, or the texts with | between them"),
    Kind.NUMBER: ("is not a number", "write digits such as 12.5, flags as 0 or 1, and leave unknown values empty"),
    Kind.TIME: ("is not a time", "write ISO 8601 such as 2026-01-31T12:00:00Z, and leave unknown values empty"),
}
"""For each kind what a value that is not of it is, and the remedy."""
NOT_NULL = ("is missing", "fill it in, or remove the row")
"""The same for a required cell."""
_HALVES = re.compile("[\ud800-\udfff]")
_EXACT = 2.0**53  # beyond it floats no longer tell whole numbers apart


def read_tables(source: str | Path) -> dict[str, pd.DataFrame]:
    """Every contract table of the dataset at ``source`` (a folder or a SQL URL), as :func:`schema.complete` gives them.

    Raises InputError, naming table, column, row and value, for a source or file that cannot be read, a missing
    ``creators`` table, a missing required column or cell, and a value that is not of its column's kind.
    """
    raw = read_raw(source)
    if schema.CREATORS.name not in raw:
        raise bad("dataset", "has no table creators; add creators.parquet or creators.csv, or a SQL table", str(source))
    # One table after another is let go of as it was read: the two forms of all of them together are large.
    return schema.complete({name: _typed(raw.pop(name), schema.CONTRACT[name]) for name in list(raw)})


def read_some(source: str | Path, names: Iterable[str]) -> dict[str, pd.DataFrame]:
    """The named tables alone, conformed; raises InputError as :func:`read_tables` does, also for one that is not
    there."""
    raw = read_raw(source, names)
    for name in names:
        if name not in raw:
            raise bad("dataset", f"has no table {name}; add {name}.parquet or {name}.csv, or a SQL table", str(source))
    return {name: conformed(raw[name], schema.CONTRACT[name]) for name in names}


def conformed(raw: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Rows of one table as they stand in a source, conformed; raises InputError as :func:`read_tables` does."""
    return schema.conform(_typed(raw, table), table)


def read_raw(source: str | Path, names: Iterable[str] = tuple(schema.CONTRACT)) -> dict[str, pd.DataFrame]:
    """Those of the named tables that are present at ``source``, unchecked as they stand there; CSV cells are all text.

    Raises InputError for a file that cannot be read, with code NOT_FOUND for a folder that is not there and UNAVAILABLE
    for a database that does not answer.
    """
    return _read_sql(str(source), names) if is_url(source) else _read_folder(Path(source), names)


def write_tables(
    tables: Tables, destination: str | Path, file_format: Literal["parquet", "csv"] = "parquet"
) -> dict[str, int]:
    """Replace the contract tables at ``destination`` by the non-empty ones of ``tables``; answers table → rows.

    ``file_format`` is for folders. Raises InputError for a destination that cannot be written and, in CSV and SQL, for
    a list item that contains ``|``.
    """
    completed = {name: frame for name, frame in schema.complete(tables).items() if len(frame)}
    if is_url(destination) or file_format == "csv":
        completed = {name: as_text(frame, schema.CONTRACT[name]) for name, frame in completed.items()}
    if is_url(destination):
        _write_sql(completed, str(destination))
    else:
        _write_folder(completed, Path(destination), file_format)
    return {name: len(frame) for name, frame in completed.items()}


def coerce(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """The frame with numbers and times parsed, and with empty texts null; null also where a value cannot be parsed."""
    present = [column for column in table.columns if column.name in frame]
    return frame.assign(**{column.name: _coerced(frame[column.name], column.kind) for column in present})


def uncastable(raw: pd.DataFrame, coerced: pd.DataFrame, column: Column) -> pd.Series:
    """Which rows of ``raw`` hold something in that column that :func:`coerce` could not parse, as a boolean mask."""
    cells = raw[column.name]
    lost = coerced[column.name].isna() & cells.notna()
    meant = np.array([not isinstance(cell, str) or cell != "" for cell in cells[lost]], dtype=bool)
    lost[lost.to_numpy()] = meant
    return lost


def _coerced(values: pd.Series, kind: Kind) -> pd.Series:
    return {Kind.STRING: _as_texts, Kind.LIST: _as_lists, Kind.NUMBER: _as_numbers, Kind.TIME: _as_times}[kind](values)


def _as_texts(values: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(values) and _are_whole(values.dropna()):
        values = values.astype("Int64")  # pandas holds whole numbers beside a gap as floats; the id is 12, not 12.0
    if values.dtype == object:
        values = values.where(values.map(_is_one_text).astype(bool))
    return values.mask(values == "")


def _is_one_text(cell: object) -> bool:
    """Whether a cell can stand as one text; bytes are none, since nothing says in what encoding they are."""
    if isinstance(cell, str):
        return is_unicode(cell)
    return bool(pd.api.types.is_scalar(cell)) and not isinstance(cell, bytes)


def is_unicode(text: str) -> bool:
    """Whether a text can be written at all: JSON may name half of a surrogate pair."""
    return _HALVES.search(text) is None


def _as_lists(values: pd.Series) -> pd.Series:
    if values.dtype == object:
        return values.where(values.map(_are_texts).astype(bool), None)
    return values if isinstance(values.dtype, pd.StringDtype) else pd.Series(None, index=values.index, dtype="object")


def _are_texts(cell: object) -> bool:
    items = [cell] if isinstance(cell, str) else cell
    return isinstance(items, list | tuple | np.ndarray) and all(
        isinstance(item, str) and is_unicode(item) for item in items
    )


def _as_numbers(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values.map(_float) if values.dtype == object else values, errors="coerce")


def _float(cell: object) -> object:
    """The cell, infinity for a whole number that no float can hold, null for a text that pandas cannot."""
    if isinstance(cell, str) and not is_unicode(cell):
        return None
    if isinstance(cell, int) and abs(cell) > sys.float_info.max:
        return math.inf if cell > 0 else -math.inf
    return cell


def _are_whole(numbers: pd.Series) -> bool:
    return bool(((numbers % 1 == 0) & (numbers.abs() < _EXACT)).all())


def _as_times(values: pd.Series) -> pd.Series:
    """Values as UTC times, text as ISO 8601 in any mixture of its forms; NaT for everything else, numbers included."""
    if pd.api.types.is_numeric_dtype(values):
        values = pd.Series(pd.NaT, index=values.index)
    if values.dtype == object:
        values = values.mask(values.map(lambda cell: isinstance(cell, int | float)).astype(bool))
    return pd.to_datetime(values, utc=True, format="ISO8601", errors="coerce")


def as_text(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """A complete frame with its lists as ``a|b``, and as text what only Python holds in columns beside the contract.

    Raises InputError for an item of a list with ``|``, which would come back as two.
    """
    lists = [column.name for column in table.columns if column.kind is Kind.LIST]
    extra = [name for name in frame.columns if name not in table.names and frame[name].dtype == object]
    return frame.assign(
        **{name: _joined(frame[name], table) for name in lists}, **{name: frame[name].map(_plain) for name in extra}
    )


def _plain(cell: object) -> object:
    """A cell of a column that the contract does not know, as CSV and every database can hold it."""
    if isinstance(cell, list | tuple | np.ndarray):
        return SEPARATOR.join(map(str, cell))
    return cell if isinstance(cell, str | int | float) or pd.isna(cell) else str(cell)


def is_url(source: str | Path) -> bool:
    """Whether a source is a SQL URL; anything else is a folder."""
    return "://" in str(source)


def _typed(raw: pd.DataFrame, table: Table) -> pd.DataFrame:
    """The frame as :func:`coerce` gives it, when nothing required is missing and every value could be parsed."""
    missing = [name for name in table.required if name not in raw]
    if missing:
        raise bad(f"{table.name}.{missing[0]}", "a required column is missing; add it", list(raw.columns))
    coerced = coerce(raw, table)
    for column in (column for column in table.columns if column.name in raw):
        _refuse(uncastable(raw, coerced, column), raw, table, column, EXPECTED[column.kind])
        if column.required:
            _refuse(coerced[column.name].isna(), raw, table, column, NOT_NULL)
    return coerced


def _refuse(wrong: pd.Series, raw: pd.DataFrame, table: Table, column: Column, found: tuple[str, str]) -> None:
    """InputError with a problem and its remedy for the first row that is ``wrong``, if there is one."""
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        value = raw[column.name].iloc[row]
        raise bad(
            f"{table.name}.{column.name}, row {row}",
            "; ".join(found),
            None if pd.api.types.is_scalar(value) and pd.isna(value) else value,
        )


def _read_folder(folder: Path, names: Iterable[str]) -> dict[str, pd.DataFrame]:
    if not folder.is_dir():
        problem = "is not a folder; give a folder with one file per table, or a SQL URL"
        raise bad("dataset", problem, str(folder), code="NOT_FOUND")
    return {name: frame for name in names if (frame := _read_file(folder, name)) is not None}


def _read_file(folder: Path, name: str) -> pd.DataFrame | None:
    found = [path for suffix in _READERS if (path := folder / f"{name}{suffix}").exists()]
    if len(found) > 1:
        raise bad(name, "stands there twice; keep one of the files", [path.name for path in found])
    if not found:
        return None
    try:
        return _READERS[found[0].suffix](found[0])
    except (OSError, ValueError, pa.ArrowException) as error:  # a ValueError is a parser's, or a bad encoding's
        problem = f"cannot be read; write it again as Parquet or UTF-8 CSV ({_first_line(error)})"
        raise bad(name, problem, str(found[0])) from error


def _read_csv(path: Path) -> pd.DataFrame:
    """Every cell as text, so that the id 007 stays as it is; only the empty cell is null, since NA is a country."""
    frame = pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes the first column for an index then
        raise ValueError("its rows have more cells than its header")
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    """The frame as pandas reads it; of texts it never asks whether they are UTF-8, and fails where they are used."""
    frame = pd.read_parquet(path)
    for name in frame.select_dtypes("str"):
        pa.array(frame[name].array).validate(full=True)
    return frame


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {".parquet": _read_parquet, ".csv": _read_csv}


def sql_engine(url: str, **options: object) -> sa.Engine:
    """SQLAlchemy's engine for ``url``, not connected yet. Raises InputError (NOT_FOUND) for no usable URL."""
    try:
        return sa.create_engine(url, **options)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        problem = f"is no usable SQL URL; write dialect://user:password@host/name ({_first_line(error)})"
        raise bad("dataset", problem, url.partition("://")[0], code="NOT_FOUND") from error


@contextmanager
def _connection(url: str, reading: bool) -> Iterator[sa.Connection]:
    """A transaction on the database at ``url``; what goes wrong there comes out as an InputError, without password."""
    engine = sql_engine(url)
    if reading and _is_missing_file(engine.url):
        raise bad("dataset", "there is no such database file; correct the URL", url, code="NOT_FOUND")
    try:
        with engine.begin() as connection:
            yield connection
    except (SQLAlchemyError, pd.errors.DatabaseError) as error:
        problem = f"the database refuses; check URL, rights and tables ({_first_line(error)})"
        raise bad("dataset", problem, engine.url.render_as_string(hide_password=True), code="UNAVAILABLE") from error
    finally:
        engine.dispose()


def _is_missing_file(url: sa.URL) -> bool:
    """Whether the URL names a file of SQLite's, which would create it, that is not there; URIs it reads itself."""
    name = url.database if url.get_backend_name() == "sqlite" else None
    return bool(name) and name != ":memory:" and not str(name).startswith("file:") and not Path(str(name)).exists()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _read_sql(url: str, names: Iterable[str]) -> dict[str, pd.DataFrame]:
    with _connection(url, reading=True) as connection:
        inspector = sa.inspect(connection)
        present = [name for name in names if inspector.has_table(name)]
        # A plain query leaves times that SQLite holds as text to our own parser, which can name the bad row.
        return {name: pd.read_sql_query(sa.text(f"SELECT * FROM {name}"), connection) for name in present}


def _write_sql(tables: Tables, url: str) -> None:
    with _connection(url, reading=False) as connection:
        for name in schema.CONTRACT:
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {name}"))
        for name, frame in tables.items():
            frame.to_sql(name, connection, index=False, chunksize=50_000)


def _write_folder(tables: Tables, folder: Path, file_format: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, suffix in itertools.product(schema.CONTRACT, _READERS):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
        for name, frame in tables.items():
            if file_format == "parquet":
                frame.to_parquet(folder / f"{name}.parquet", index=False)
            else:
                # Quoted, since a bare carriage return in a text would end its row.
                frame.to_csv(folder / f"{name}.csv", index=False, quoting=csv.QUOTE_NONNUMERIC)
    except OSError as error:
        problem = f"cannot be written; choose a folder of your own ({_first_line(error)})"
        raise bad("dataset", problem, str(folder)) from error


def _joined(lists: pd.Series, table: Table) -> pd.Series:
    wrong = lists.map(lambda items: any(SEPARATOR in item for item in items)).astype(bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise bad(f"{table.name}.{lists.name}, row {row}", f"a list item may not contain {SEPARATOR}", lists.iloc[row])
    return lists.map(SEPARATOR.join).astype("str")
