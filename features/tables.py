"""Reading and writing a dataset: a folder with one Parquet or CSV file per table, or a database at a SQLAlchemy URL.

Lists are joined by ``|`` in CSV and SQL (Parquet may hold either form), times are UTC, and an empty text is a null
wherever it stands, since CSV cannot tell the two apart.
Only the contract's tables are looked at; whatever else lies in a folder or database is left alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from features import schema
from features.errors import bad
from features.schema import Kind, Table, Tables

SEPARATOR = "|"
EXPECTED = {
    Kind.NUMBER: ("is not a number", "write digits such as 12.5, flags as 0 or 1, and leave unknown values empty"),
    Kind.TIME: ("is not a time", "write ISO 8601 such as 2026-01-31T12:00:00Z, and leave unknown values empty"),
}
"""For each kind that text may fail to be: the problem and its remedy."""


def read_tables(source: str | Path) -> dict[str, pd.DataFrame]:
    """Every contract table of the dataset at ``source`` (a folder or a SQL URL), as :func:`schema.complete` gives them.

    Raises InputError, naming table, column, row and value, for a source or file that cannot be read, a missing
    ``creators`` table, a missing required column, and a value that is not of its column's kind.
    """
    raw = read_raw(source)
    if schema.CREATORS.name not in raw:
        raise bad("source", "has no table creators; add creators.parquet or creators.csv, or a SQL table", str(source))
    return schema.complete({name: _typed(frame, schema.CONTRACT[name]) for name, frame in raw.items()})


def read_raw(source: str | Path) -> dict[str, pd.DataFrame]:
    """The contract tables present at ``source`` as they stand there, unchecked; all text where the source is CSV.

    Raises InputError for a source or file that cannot be read.
    """
    return _read_sql(str(source)) if _is_url(source) else _read_folder(Path(source))


def write_tables(
    tables: Tables, destination: str | Path, file_format: Literal["parquet", "csv"] = "parquet"
) -> dict[str, int]:
    """Replace the contract tables at ``destination`` by the non-empty ones of ``tables``; answers table → rows.

    ``file_format`` is for folders. Raises InputError for a destination that cannot be written and, in CSV and SQL, for
    a list item that contains ``|``.
    """
    completed = {name: frame for name, frame in schema.complete(tables).items() if len(frame)}
    if _is_url(destination):
        _write_sql(completed, str(destination))
    else:
        _write_folder(completed, Path(destination), file_format)
    return {name: len(frame) for name, frame in completed.items()}


def uncastable(values: pd.Series, kind: Kind) -> pd.Series:
    """Which of the non-null values cannot be of that kind, as a boolean mask."""
    if kind is Kind.NUMBER:
        return pd.to_numeric(values, errors="coerce").isna() & values.notna()
    if kind is Kind.TIME:
        return as_times(values).isna() & values.notna()
    return pd.Series(False, index=values.index)


def as_times(values: pd.Series) -> pd.Series:
    """Values as UTC times, text as ISO 8601 in any mixture of its forms; NaT for everything else, numbers included."""
    if pd.api.types.is_numeric_dtype(values):
        values = pd.Series(pd.NaT, index=values.index)
    return pd.to_datetime(values, utc=True, format="ISO8601", errors="coerce")


def as_text(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """A complete frame with its lists as ``a|b``; InputError for an item with ``|``, which would come back as two."""
    lists = [column.name for column in table.columns if column.kind is Kind.LIST]
    return frame.assign(**{name: _joined(frame[name], table) for name in lists})


def _is_url(source: str | Path) -> bool:
    return "://" in str(source)


def _typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """The frame with times parsed and empty texts null, after a check that :func:`schema.conform` will succeed."""
    missing = [name for name in table.required if name not in frame]
    if missing:
        raise bad(f"{table.name}.{missing[0]}", "a required column is missing; add it", list(frame.columns))
    present = [column for column in table.columns if column.name in frame]
    for column in present:
        _refuse_uncastable(frame[column.name], table, column.kind)
    return frame.assign(**{column.name: _parsed(frame[column.name], column.kind) for column in present})


def _parsed(values: pd.Series, kind: Kind) -> pd.Series:
    if kind is Kind.TIME:
        return as_times(values)
    return values.mask(values == "") if kind is Kind.STRING else values


def _refuse_uncastable(values: pd.Series, table: Table, kind: Kind) -> None:
    wrong = uncastable(values, kind)
    if wrong.any():
        row = int(wrong.argmax())
        raise bad(f"{table.name}.{values.name}, row {row}", "; ".join(EXPECTED[kind]), values.iloc[row])


def _read_folder(folder: Path) -> dict[str, pd.DataFrame]:
    if not folder.is_dir():
        raise bad("source", "is not a folder; give a folder with one file per table, or a SQL URL", str(folder))
    return {name: frame for name in schema.CONTRACT if (frame := _read_file(folder, name)) is not None}


def _read_file(folder: Path, name: str) -> pd.DataFrame | None:
    found = [path for suffix in _READERS if (path := folder / f"{name}{suffix}").exists()]
    if len(found) > 1:
        raise bad(name, "stands there twice; keep one of the files", [path.name for path in found])
    if not found:
        return None
    try:
        return _READERS[found[0].suffix](found[0])
    except (OSError, ValueError) as error:  # pandas' and Arrow's parse errors and bad encodings are ValueErrors
        raise bad(name, f"cannot be read; write it again as Parquet or UTF-8 CSV ({error})", str(found[0])) from error


# Every cell as text, so that the id 007 stays as it is; only the empty cell is null, as NA is a country.
_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".parquet": pd.read_parquet,
    ".csv": partial(pd.read_csv, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig"),
}


@contextmanager
def _connection(url: str) -> Iterator[sa.Connection]:
    """A transaction on the database at ``url``; what goes wrong there comes out as an InputError, without password."""
    try:
        engine = sa.create_engine(url)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise bad(
            "source", f"is not a usable SQL URL; write dialect://user:password@host/name ({error})", ""
        ) from error
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        shown = engine.url.render_as_string(hide_password=True)
        raise bad("source", f"the database refused; check URL, rights and tables ({error})", shown) from error
    finally:
        engine.dispose()


def _read_sql(url: str) -> dict[str, pd.DataFrame]:
    with _connection(url) as connection:
        inspector = sa.inspect(connection)
        present = [name for name in schema.CONTRACT if inspector.has_table(name)]
        # A plain query leaves times that SQLite holds as text to our own parser, which can name the bad row.
        return {name: pd.read_sql_query(sa.text(f"SELECT * FROM {name}"), connection) for name in present}


def _write_sql(tables: Tables, url: str) -> None:
    with _connection(url) as connection:
        for name in schema.CONTRACT:
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {name}"))
        for name, frame in tables.items():
            as_text(frame, schema.CONTRACT[name]).to_sql(name, connection, index=False, chunksize=50_000)


def _write_folder(tables: Tables, folder: Path, file_format: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in schema.CONTRACT:
            for suffix in _READERS:
                (folder / f"{name}{suffix}").unlink(missing_ok=True)
        for name, frame in tables.items():
            _write_file(frame, schema.CONTRACT[name], folder, file_format)
    except OSError as error:
        raise bad("destination", f"cannot be written; choose a folder of your own ({error})", str(folder)) from error


def _write_file(frame: pd.DataFrame, table: Table, folder: Path, file_format: str) -> None:
    if file_format == "parquet":
        frame.to_parquet(folder / f"{table.name}.parquet", index=False)
    else:
        as_text(frame, table).to_csv(folder / f"{table.name}.csv", index=False)


def _joined(lists: pd.Series, table: Table) -> pd.Series:
    wrong = lists.map(lambda items: any(SEPARATOR in item for item in items)).astype(bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise bad(f"{table.name}.{lists.name}, row {row}", f"a list item may not contain {SEPARATOR}", lists.iloc[row])
    return lists.map(SEPARATOR.join).astype("str")
