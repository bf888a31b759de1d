import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features import columns as c
from features import schema
from features.errors import InputError
from features.tables import write_tables
from features.validation import read_usable, report, schemas, violations

NOW = pd.Timestamp("2026-06-01")
DAY = pd.Timestamp("2026-05-01")
TOMORROW = NOW + pd.Timedelta(days=1)

GOOD: dict[str, dict[str, list[Any]]] = {
    "creators": {c.CREATOR_ID: ["a", "b"], c.COUNTRY_CODE: ["NA", None], c.BIO: ["👋🏽 hi", "مرحبا"]},
    "creator_prices": {c.CREATOR_ID: ["a"], c.CONTENT_FORMAT: ["LIVE"], c.AMOUNT: [9.5], c.CURRENCY: ["EUR"]},
    "exchange_rates": {c.CURRENCY: ["EUR"], c.DATE: [DAY], c.USD: [1.1]},
    "audience": {
        c.CREATOR_ID: ["a", "a", "a"], c.DIMENSION: ["age", "age", "country"], c.BUCKET: ["18-24", "55+", "BR"],
        c.SHARE: [0.5, 0.5, 0.3],
    },
    "videos": {c.VIDEO_ID: ["v"], c.CREATOR_ID: ["a"], c.CREATE_TIME: [DAY]},
    "daily_stats": {c.CREATOR_ID: ["a", "a"], c.DATE: [DAY, NOW], c.LIKES: [1, 2]},
    "accounts": {c.ACCOUNT_ID: ["k"], c.HAS_AVATAR: [1]},
    "engagements": {
        c.ACCOUNT_ID: ["k", "k"], c.CREATOR_ID: ["a", "a"], c.ACTION: ["LIKE", "LIKE"], c.EVENT_TIME: [DAY, DAY],
    },
    "briefs": {c.BRIEF_ID: ["q"], c.TARGET_COUNTRIES: [["BR", "NA"]], c.CONTENT_LABELS: [["anything goes"]]},
    "impressions": {c.BRIEF_ID: ["q"], c.CREATOR_ID: ["a"], c.SHOWN_AT: [DAY], c.POSITION: [1]},
    "collaboration_events": {
        c.EVENT_ID: ["1", "2"], c.CREATOR_ID: ["a", "a"], c.EVENT_TYPE: ["INVITED", "APPEAL_OPENED"],
        c.EVENT_TIME: [DAY, DAY], c.COLLABORATION_ID: ["x", None], c.REFERS_TO: [None, "1"], c.DUE_AT: [TOMORROW, None],
    },
    "fraud_labels": {c.CREATOR_ID: ["a", None], c.ACCOUNT_ID: [None, "k"], c.IS_FAKE: [0, 1]},
}  # fmt: skip


def dataset(**changes: dict[str, list[Any]]) -> dict[str, pd.DataFrame]:
    """The good dataset with columns replaced or added, by table."""
    return {name: pd.DataFrame({**columns, **changes.get(name, {})}) for name, columns in GOOD.items()}


def found(tables: schema.Tables) -> list[tuple[str, str | None, int | None, str]]:
    return [(v.table, v.column, v.row, v.value) for v in violations(tables, NOW)]


def test_a_good_dataset_has_no_violations() -> None:
    assert set(GOOD) == set(schema.CONTRACT)
    assert report(violations(dataset(), NOW)) == ""


@pytest.mark.parametrize("file_format", ["parquet", "csv", "sqlite"])
def test_a_good_dataset_is_good_wherever_it_stands(tmp_path: Path, file_format: str) -> None:
    place = f"sqlite:///{tmp_path / 'data.db'}" if file_format == "sqlite" else tmp_path
    write_tables(dataset(), place, "csv" if file_format == "csv" else "parquet")
    assert report(violations(place, NOW)) == ""


@pytest.mark.parametrize(
    ("table", "change", "column", "row", "value", "problem"),
    [
        ("creators", {c.CREATOR_ID: ["a", None]}, c.CREATOR_ID, 1, "", "is missing"),
        ("creators", {c.CREATOR_ID: ["a", ""]}, c.CREATOR_ID, 1, "", "is missing"),
        ("creators", {c.COUNTRY_CODE: ["XX", None]}, c.COUNTRY_CODE, 0, "XX", "not in the vocabulary"),
        ("creators", {c.FOLLOWERS_COUNT: [-1, 1]}, c.FOLLOWERS_COUNT, 0, "-1", "is below 0"),
        ("creators", {c.FOLLOWERS_COUNT: [1, 1.5]}, c.FOLLOWERS_COUNT, 1, "1.5", "not a whole number"),
        ("creators", {c.MEDIAN_VIEWS: [float("inf"), 1]}, c.MEDIAN_VIEWS, 0, "inf", "not finite"),
        ("creators", {c.MEDIAN_VIEWS: ["nan", "1"]}, c.MEDIAN_VIEWS, 0, "nan", "not a number"),
        ("creators", {c.FOLLOWERS_COUNT: ["many", "1"]}, c.FOLLOWERS_COUNT, 0, "many", "not a number"),
        ("creators", {c.HAS_AVATAR: [1, 2]}, c.HAS_AVATAR, 1, "2", "is above 1"),
        ("creators", {c.JOINED_AT: ["2026-01-01", "soon"]}, c.JOINED_AT, 1, "soon", "not a time"),
        ("creators", {c.JOINED_AT: [TOMORROW, DAY]}, c.JOINED_AT, 0, str(TOMORROW), "is after now"),
        ("creators", {c.BIO: ["x\0y", "z"]}, c.BIO, 0, "x\0y", "null byte"),
        ("creators", {c.BIO: [b"\xff\xfe", "z"]}, c.BIO, 0, r"b'\xff\xfe'", "not one text"),
        ("creators", {c.BIO: [["x", "y"], "z"]}, c.BIO, 0, "['x', 'y']", "not one text"),
        ("creators", {c.CONTENT_LABELS: [["x", None], []]}, c.CONTENT_LABELS, 0, "['x', None]", "not a list of texts"),
        ("creators", {c.CONTENT_LABELS: [5, None]}, c.CONTENT_LABELS, 0, "5.0", "not a list of texts"),
        ("creators", {c.CONTENT_LABELS: [["x|y"], []]}, c.CONTENT_LABELS, 0, "['x|y']", "cannot be kept"),
        ("creators", {c.CONTENT_LABELS: [[], ["x\0"]]}, c.CONTENT_LABELS, 1, "['x\\x00']", "cannot be kept"),
        ("creators", {c.CONTENT_FORMATS: ["LIVE", "LIVE|TV"]}, c.CONTENT_FORMATS, 1, "LIVE|TV", "outside"),
        ("daily_stats", {c.DATE: [DAY, TOMORROW]}, c.DATE, 1, str(TOMORROW), "is after now"),
        ("daily_stats", {c.DATE: ["05/01/2026", DAY]}, c.DATE, 0, "05/01/2026", "not a time"),
        ("daily_stats", {c.DATE: [DAY, DAY]}, "creator_id, date", 1, f"a, {DAY}", "already"),
        ("creators", {c.CREATOR_ID: ["a", "a"]}, "creator_id, observed_at", 1, "a", "already"),
        ("videos", {c.CREATOR_ID: ["z"]}, c.CREATOR_ID, 0, "z", "not in the table creators"),
        ("fraud_labels", {c.CREATOR_ID: ["z", None]}, c.CREATOR_ID, 0, "z", "not in the table creators"),
        ("fraud_labels", {c.CREATOR_ID: [None, None]}, "creator_id, account_id", 0, "", "speaks of nobody"),
        ("fraud_labels", {c.PERIOD_START: [NOW, DAY], c.PERIOD_END: [DAY, DAY]}, "period_start, period_end", 0,
         f"{NOW}, {DAY}", "ends before it starts"),
        ("audience", {c.SHARE: [0.5, 0.6, 0.3]}, c.SHARE, 0, "1.1", "sum"),
        ("audience", {c.SHARE: [0.2, 0.2, 0.3]}, c.SHARE, 0, "0.4", "sum"),
        ("audience", {c.SHARE: [0.5, 0.5, 1.2]}, c.SHARE, 2, "1.2", "is above 1"),
        ("audience", {c.BUCKET: ["18-24", "old", "BR"]}, "dimension, bucket", 1, "age, old", "age bucket"),
        ("collaboration_events", {c.COLLABORATION_ID: [None, None]}, "event_type, collaboration_id", 0, "INVITED",
         "no collaboration"),
        ("collaboration_events", {c.REFERS_TO: [None, None]}, "event_type, refers_to", 1, "APPEAL_OPENED", "no event"),
        ("collaboration_events", {c.RATING: [None, 6]}, c.RATING, 1, "6.0", "is above 5"),
        ("collaboration_events", {c.VALUE: [None, 1.5]}, c.VALUE, 1, "1.5", "is above 1"),
        ("collaboration_events", {c.VALUE: [-0.1, 1]}, c.VALUE, 0, "-0.1", "is below 0"),
    ],
)  # fmt: skip
def test_each_violation_is_reported_where_it_stands(
    table: str, change: dict[str, list[Any]], column: str, row: int, value: str, problem: str
) -> None:
    tables = dataset(**{table: change})
    tables = {name: tables[name] for name in {"creators", table}}
    matching = [v for v in violations(tables, NOW) if problem in v.problem]
    assert [(v.table, v.column, v.row, v.value) for v in matching] == [(table, column, row, value)]
    assert matching[0].remedy


@pytest.mark.parametrize("frame", [pd.DataFrame({c.CREATOR_ID: []}), pd.DataFrame()])
def test_an_empty_creators_table_is_reported(frame: pd.DataFrame) -> None:
    assert ("creators", "the table is empty") in [(v.table, v.problem) for v in violations({"creators": frame}, NOW)]


def test_missing_creators_are_reported_once_and_not_for_every_row() -> None:
    tables = dataset()
    del tables["creators"]
    assert found(tables) == [("creators", None, None, "")]


def test_missing_required_columns_are_reported_once_and_not_for_every_row() -> None:
    tables = dataset()
    tables["videos"] = tables["videos"][[c.CREATOR_ID]]
    assert found(tables) == [("videos", c.VIDEO_ID, None, ""), ("videos", c.CREATE_TIME, None, "")]


def test_a_required_value_that_cannot_be_parsed_is_reported_once() -> None:
    assert found(dataset(videos={c.CREATE_TIME: ["never"]})) == [("videos", c.CREATE_TIME, 0, "never")]


def test_every_violation_of_every_table_is_reported() -> None:
    tables = dataset(
        creators={c.FOLLOWERS_COUNT: [-1.5, -2], c.COUNTRY_CODE: ["XX", "YY"]},
        impressions={c.POSITION: [0]},
        accounts={c.HAS_AVATAR: ["yes"]},
    )
    assert sorted((table, column, row) for table, column, row, _ in found(tables)) == [
        ("accounts", c.HAS_AVATAR, 0),
        ("creators", c.COUNTRY_CODE, 0),
        ("creators", c.COUNTRY_CODE, 1),
        ("creators", c.FOLLOWERS_COUNT, 0),
        ("creators", c.FOLLOWERS_COUNT, 0),
        ("creators", c.FOLLOWERS_COUNT, 1),
        ("impressions", c.POSITION, 0),
    ]


def test_a_raw_folder_reports_bad_cells_and_unreadable_files_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "creators.csv").write_text("creator_id,followers_count\na,many\nb,-3\n,1\n")
    (tmp_path / "videos.parquet").write_bytes(b"no parquet")
    (tmp_path / "briefs.csv").write_text("brief_id,target_countries\nq,BR|Brazil\n")
    reported = violations(tmp_path, NOW)
    assert [(v.table, v.column, v.row) for v in reported] == [
        ("videos", None, None),
        ("creators", c.CREATOR_ID, 2),
        ("creators", c.FOLLOWERS_COUNT, 0),
        ("creators", c.FOLLOWERS_COUNT, 1),
        ("briefs", c.TARGET_COUNTRIES, 0),
    ]
    lines = report(reported).splitlines()
    assert len(lines) == len(reported)
    assert "creators.followers_count, row 0: is not a number (got 'many'); write digits" in lines[2]


@pytest.mark.parametrize(
    ("table", "change", "field", "problem"),
    [
        ("creators", {c.CREATOR_ID: [], c.COUNTRY_CODE: [], c.BIO: []}, "creators", "the table is empty"),
        ("creators", {c.FOLLOWERS_COUNT: [1, float("inf")]}, "creators.followers_count, row 1", "not finite"),
        ("creators", {c.FOLLOWERS_COUNT: [1, -5]}, "creators.followers_count, row 1", "is below 0"),
        ("videos", {c.VIDEO_COMPLETION_RATE: [1.5]}, "videos.video_completion_rate, row 0", "is above 1"),
        ("creators", {c.CREATOR_ID: ["a", "a"]}, "creators.creator_id, observed_at, row 1", "already"),
        ("exchange_rates", {c.DATE: [pd.Timestamp("2099-01-01")]}, "exchange_rates.date, row 0", "is after now"),
        ("daily_stats", {c.DATE: [DAY, DAY]}, "daily_stats.creator_id, date, row 1", "already"),
        ("videos", {c.LIKES: [float("-inf")]}, "videos.likes, row 0", "not finite"),
    ],
)
@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_what_falsifies_every_answer_is_refused_on_load(
    tmp_path: Path, file_format: Any, table: str, change: dict[str, list[Any]], field: str, problem: str
) -> None:
    tables = dataset(**{table: change})
    write_tables(tables, tmp_path, file_format)
    if table == "creators" and tables[table].empty:  # is not written
        tables[table].to_csv(tmp_path / "creators.csv", index=False)
    with pytest.raises(InputError) as caught:
        read_usable(tmp_path, NOW)
    assert [detail["field"] for detail in caught.value.details] == [field]
    assert problem in caught.value.message


def test_a_dataset_that_is_good_or_repeats_a_video_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_tables(dataset(), tmp_path)
    assert {name: len(frame) for name, frame in read_usable(tmp_path, NOW).items()} == {
        name: len(frame) for name, frame in dataset().items()
    }
    assert not caplog.records
    write_tables(
        dataset(videos={c.VIDEO_ID: ["v", "v"], c.CREATOR_ID: ["a", "a"], c.CREATE_TIME: [DAY, DAY]}), tmp_path
    )
    assert len(read_usable(tmp_path, NOW)["videos"]) == 2
    assert "videos.video_id, observed_at, row 1: is there already" in caplog.text


def test_violations_are_json() -> None:
    reported = violations(dataset(creators={c.MEDIAN_VIEWS: [float("inf"), -1], c.JOINED_AT: [TOMORROW, DAY]}), NOW)
    texts = json.dumps([asdict(violation) for violation in reported], allow_nan=False)
    assert [entry["row"] for entry in json.loads(texts)] == [0, 1, 0]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        violations(tmp_path / "nowhere", NOW)


def test_there_is_a_schema_for_every_table_and_a_complete_frame_fits_it() -> None:
    complete = schema.complete(dataset())
    assert {name: len(checked.validate(complete[name])) for name, checked in schemas(NOW).items()} == {
        name: len(frame) for name, frame in complete.items()
    }


def test_inputs_stay_as_they_are() -> None:
    tables, before = (
        dataset(creators={c.FOLLOWERS_COUNT: ["many", ""]}),
        dataset(creators={c.FOLLOWERS_COUNT: ["many", ""]}),
    )
    violations(tables, NOW)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_a_table_that_cannot_be_read_is_not_also_missing(tmp_path: Path) -> None:
    (tmp_path / "creators.csv").write_bytes(b"creator_id,bio\na,\xff\n")
    assert [one.problem for one in violations(tmp_path, NOW)] == ["cannot be read"]


def test_what_contradicts_a_collaboration_is_a_violation_and_a_gap_is_none() -> None:
    kinds = ["INVITED", "PUBLISHED", "SETTLED", "DEFAULTED", "ACCEPTED"]
    events = {
        c.EVENT_ID: [*"54321"], c.CREATOR_ID: [*"aaaab"], c.EVENT_TYPE: kinds, c.COLLABORATION_ID: ["x"] * 5,
        c.EVENT_TIME: [DAY + pd.Timedelta(hours=hour) for hour in range(5)], c.REFERS_TO: [None] * 5,
        c.DUE_AT: [None] * 5,
    }  # fmt: skip
    told = violations(dataset(collaboration_events=events), NOW)
    assert [(one.column, one.row, one.value) for one in told] == [
        (c.EVENT_TYPE, 3, "DEFAULTED"),
        (c.CREATOR_ID, 4, "b"),
    ]
    assert (told[0].problem, told[0].remedy) == (
        "DEFAULTED is illegal after SETTLED",
        "legal: METRICS_REPORTED, RATED",
    )
