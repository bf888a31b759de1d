import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import columns as c
from features import schema
from features.errors import InputError
from features.schema import Column, Kind, Table
from features.tables import read_tables, write_tables

# Neither null bytes nor halves of surrogates, which no dataset may hold.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
CELLS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.STRING: st.none() | TEXTS,
    Kind.LIST: st.lists(TEXTS.filter(lambda item: "|" not in item), max_size=3),
    Kind.NUMBER: st.none() | st.floats(allow_nan=False, allow_infinity=False),
    Kind.TIME: st.none() | st.datetimes(),
}
FORMATS = ("parquet", "csv", "sqlite")


def frames(table: Table, min_size: int = 0) -> st.SearchStrategy[pd.DataFrame]:
    def column_of(rows: int, column: Column) -> st.SearchStrategy[pd.Series]:
        cells = CELLS[column.kind].filter(lambda cell: cell is not None) if column.required else CELLS[column.kind]
        values = st.lists(cells, min_size=rows, max_size=rows)
        return values.map(lambda cells: pd.Series(cells, dtype=schema.DTYPES[column.kind], index=range(rows)))

    def frame_of(rows: int) -> st.SearchStrategy[pd.DataFrame]:
        columns = {column.name: column_of(rows, column) for column in table.columns}
        return st.fixed_dictionaries(columns).map(pd.DataFrame)

    return st.integers(min_size, 3).flatmap(frame_of)


def datasets() -> st.SearchStrategy[dict[str, pd.DataFrame]]:
    others = {table.name: frames(table) for table in (schema.VIDEOS, schema.BRIEFS, schema.FRAUD_LABELS)}
    return st.fixed_dictionaries({schema.CREATORS.name: frames(schema.CREATORS, min_size=1), **others})


def destination(folder: Path, file_format: str) -> str:
    return f"sqlite:///{folder / 'data.db'}" if file_format == "sqlite" else str(folder / file_format)


def write_in(folder: Path, file_format: str, tables: schema.Tables) -> str:
    place = destination(folder, file_format)
    write_tables(tables, place, "csv" if file_format == "csv" else "parquet")
    return place


def csv_folder(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def refusal(source: str | Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_tables(source)
    return caught.value


@pytest.mark.parametrize("file_format", FORMATS)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables=datasets())
def test_what_is_written_is_read_again(
    file_format: str, tables: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = write_in(tmp_path_factory.mktemp("round"), file_format, tables)
    read = read_tables(place)
    for name, frame in schema.complete(tables).items():
        pd.testing.assert_frame_equal(read[name], frame, check_exact=True)


@pytest.mark.parametrize("file_format", FORMATS)
def test_writing_replaces_what_was_there_and_skips_empty_tables(tmp_path: Path, file_format: str) -> None:
    labels = pd.DataFrame({c.CREATOR_ID: ["a"], c.IS_FAKE: [1.0]})
    write_in(tmp_path, file_format, {"creators": pd.DataFrame({c.CREATOR_ID: ["a", "b"]}), "fraud_labels": labels})
    place = destination(tmp_path, file_format)
    written = write_tables({"creators": pd.DataFrame({c.CREATOR_ID: ["c"]})}, place)
    assert written == {"creators": 1}
    assert read_tables(place)["creators"][c.CREATOR_ID].tolist() == ["c"]
    assert read_tables(place)["fraud_labels"].empty


def test_csv_keeps_ids_and_namibia_and_reads_any_iso_time(tmp_path: Path) -> None:
    csv_folder(
        tmp_path,
        creators="creator_id,country_code,bio,content_labels,followers_count,joined_at\n"
        "007,NA,,beauty|travel,12,2026-01-01\n"
        "1e5,,مرحبا 👋,,,2026-01-01T10:00:00.5+02:00\n",
    )
    creators = read_tables(tmp_path)["creators"]
    assert creators[c.CREATOR_ID].tolist() == ["007", "1e5"]
    assert creators[c.COUNTRY_CODE].fillna("null").tolist() == ["NA", "null"]
    assert creators[c.BIO].fillna("null").tolist() == ["null", "مرحبا 👋"]
    assert creators[c.CONTENT_LABELS].tolist() == [["beauty", "travel"], []]
    assert creators[c.FOLLOWERS_COUNT].fillna(-1).tolist() == [12, -1]
    assert creators[c.JOINED_AT].tolist() == [pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-01 08:00:00.5")]


def test_parquet_holds_lists_or_joined_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({c.CREATOR_ID: ["a"], c.CONTENT_LABELS: [["x", "y"]], c.CONTENT_STYLES: ["x|y"]})
    frame.to_parquet(tmp_path / "creators.parquet")
    creators = read_tables(tmp_path)["creators"]
    assert creators[c.CONTENT_LABELS].tolist() == creators[c.CONTENT_STYLES].tolist() == [["x", "y"]]


@pytest.mark.parametrize("file_format", ["parquet", "sqlite"])
def test_whole_numbers_as_ids_join_though_some_are_missing(tmp_path: Path, file_format: str) -> None:
    frame = pd.DataFrame({c.CREATOR_ID: [1, 2], c.FOLLOWERS_COUNT: [5, 6]})
    videos = pd.DataFrame({c.VIDEO_ID: [0.5, 7], c.CREATOR_ID: [1, 2], c.CREATE_TIME: "2026-01-01"})
    videos[c.COLLABORATION_ID] = [12, None]  # pandas holds a column with a gap as floats
    place = destination(tmp_path, file_format)
    if file_format == "sqlite":
        with closing(sqlite3.connect(tmp_path / "data.db")) as base:
            for name, table in (("creators", frame), ("videos", videos)):
                table.to_sql(name, base, index=False)
    else:
        Path(place).mkdir()
        frame.to_parquet(Path(place) / "creators.parquet")
        videos.to_parquet(Path(place) / "videos.parquet")
    tables = read_tables(place)
    assert tables["videos"][c.CREATOR_ID].tolist() == tables["creators"][c.CREATOR_ID].tolist() == ["1", "2"]
    assert tables["videos"][c.COLLABORATION_ID].fillna("null").tolist() == ["12", "null"]
    assert tables["videos"][c.VIDEO_ID].tolist() == ["0.5", "7.0"]


def test_times_of_one_column_may_be_written_in_several_forms_of_iso_8601() -> None:
    frame = pd.DataFrame({c.CREATOR_ID: ["a", "b", "c"], c.JOINED_AT: ["2026-01-01", "2026-01-01T10:00:00.5Z", None]})
    joined = schema.conform(frame, schema.CREATORS)[c.JOINED_AT]
    assert joined.tolist() == [pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-01 10:00:00.5"), pd.NaT]


def test_only_contract_tables_are_read_and_extra_columns_kept(tmp_path: Path) -> None:
    csv_folder(tmp_path, creators="creator_id,colour\na,red\n", notes="not,a\ntable\n")
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "videos.csv").write_text("video_id\n1\n")
    tables = read_tables(tmp_path)
    assert set(tables) == set(schema.CONTRACT)
    assert tables["creators"]["colour"].tolist() == ["red"]
    assert tables["videos"].empty


def test_sql_reads_views_and_tables_made_by_others(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE people (creator_id TEXT, followers_count INTEGER, joined_at TEXT)")
    connection.execute("INSERT INTO people VALUES ('007', 5, '2026-01-01'), ('8', NULL, '2026-01-01 10:00:00')")
    connection.execute("CREATE VIEW creators AS SELECT * FROM people")
    connection.commit()
    connection.close()
    creators = read_tables(f"sqlite:///{tmp_path / 'shop.db'}")["creators"]
    assert creators[c.CREATOR_ID].tolist() == ["007", "8"]
    assert creators[c.FOLLOWERS_COUNT].fillna(-1).tolist() == [5, -1]
    assert creators[c.JOINED_AT].tolist() == [pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-01 10:00")]


@pytest.mark.parametrize(
    ("creators", "field", "value"),
    [
        ("creator_id,followers_count\na,1\nb,many\n", "creators.followers_count, row 1", "many"),
        ("creator_id,joined_at\na,yesterday\n", "creators.joined_at, row 0", "yesterday"),
        ("creator_id,joined_at\na,20260101000000\n", "creators.joined_at, row 0", "20260101000000"),
        ("creator_id,bio\na,x\n,y\n", "creators.creator_id, row 1", None),
        ("handle_name\nx\n", "creators.creator_id", ["handle_name"]),
    ],
)
def test_a_value_that_does_not_fit_is_named(tmp_path: Path, creators: str, field: str, value: object) -> None:
    error = refusal(csv_folder(tmp_path, creators=creators))
    assert [(detail["field"], detail["value"]) for detail in error.details] == [(field, value)]
    assert field in error.message


def test_a_blank_required_cell_of_any_table_is_named(tmp_path: Path) -> None:
    csv_folder(tmp_path, creators="creator_id\na\n", daily_stats="creator_id,date\na,2026-01-01\na,\n")
    error = refusal(tmp_path)
    assert error.details[0]["field"] == "daily_stats.date, row 1"
    assert "is missing" in error.message


def test_a_text_column_with_lists_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({c.CREATOR_ID: ["a", "b"], c.BIO: [["x", "y"], ["z"]]}).to_parquet(tmp_path / "creators.parquet")
    assert refusal(tmp_path).details[0]["field"] == "creators.bio, row 0"


def test_a_parquet_file_whose_texts_are_not_utf_8_is_named(tmp_path: Path) -> None:
    raw = pa.array([b"a", b"\xff\xfe"])
    texts = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    pq.write_table(pa.table({c.CREATOR_ID: ["a", "b"], c.BIO: texts}), tmp_path / "creators.parquet")
    error = refusal(tmp_path)
    assert error.details[0]["field"] == "creators"
    assert "UTF8" in error.message


@pytest.mark.parametrize("cell", [b"\xff\xfe", b"tea"], ids=["undecodable", "decodable"])
def test_a_text_column_with_bytes_is_refused(tmp_path: Path, cell: bytes) -> None:
    pd.DataFrame({c.CREATOR_ID: ["a", "b"], c.BIO: [None, cell]}).to_parquet(tmp_path / "creators.parquet")
    assert refusal(tmp_path).details[0]["field"] == "creators.bio, row 1"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("creators.parquet", b"not parquet"),
        ("creators.csv", b""),
        ("creators.csv", b"creator_id,bio\n\xff\xfe,x\n"),
        ("creators.csv", b"creator_id,bio\na,b,c\n"),
        ("creators.csv", b'creator_id,bio\na,"never closed\n'),
    ],
)
def test_an_unreadable_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    error = refusal(tmp_path)
    assert error.details[0]["field"] == "creators"
    assert name in str(error.details[0]["value"])
    assert "\n" not in error.message


def test_a_table_in_two_files_is_refused(tmp_path: Path) -> None:
    csv_folder(tmp_path, creators="creator_id\na\n")
    pd.DataFrame({c.CREATOR_ID: ["b"]}).to_parquet(tmp_path / "creators.parquet")
    assert refusal(tmp_path).details[0]["value"] == ["creators.parquet", "creators.csv"]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{folder}/nowhere", "NOT_FOUND"),
        ("{folder}", "INVALID_ARGUMENT"),
        ("sqlite:///{folder}/no/such/folder/data.db", "NOT_FOUND"),
        ("sqlite:///{folder}/mistyped.db", "NOT_FOUND"),
        ("nosuchdialect://user:secret@host/name", "NOT_FOUND"),
    ],
)
def test_a_source_that_is_no_dataset_is_refused(tmp_path: Path, source: str, code: str) -> None:
    error = refusal(source.format(folder=tmp_path))
    assert (error.details[0]["field"], error.code) == ("dataset", code)
    assert "secret" not in error.message
    assert "\n" not in error.message
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.db").write_bytes(b"no database" * 100)
    assert refusal(f"sqlite:///{tmp_path / 'data.db'}").code == "UNAVAILABLE"


def test_a_column_beside_the_contract_is_kept_as_text_where_only_text_will_do(tmp_path: Path) -> None:
    cells = [["x", "y"], {"a": 1}, None, Decimal("1.5")]
    frame = pd.DataFrame({c.CREATOR_ID: list("abcd"), "colours": pd.Series(cells, dtype="object")})
    for file_format in ("csv", "sqlite"):
        place = write_in(tmp_path, file_format, {"creators": frame})
        read = read_tables(place)["creators"]["colours"]
        assert read.fillna("null").tolist() == ["x|y", "{'a': 1}", "null", "1.5"]


def test_a_list_item_with_the_separator_is_not_written_and_nothing_is_lost(tmp_path: Path) -> None:
    csv_folder(tmp_path, creators="creator_id\na\n")
    wrong = {"creators": pd.DataFrame({c.CREATOR_ID: ["b"], c.CONTENT_LABELS: [["x|y"]]})}
    with pytest.raises(InputError, match=r"creators.content_labels, row 0"):
        write_tables(wrong, tmp_path, "csv")
    assert read_tables(tmp_path)["creators"][c.CREATOR_ID].tolist() == ["a"]


def test_a_destination_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        write_tables({"creators": pd.DataFrame({c.CREATOR_ID: ["a"]})}, tmp_path / "file")
