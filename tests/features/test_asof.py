from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import columns as c
from features import schema
from features.asof import NO_TIMES, data_as_of, is_static, known
from features.schema import Kind, Table

START = pd.Timestamp("2026-01-01")
END = START + pd.Timedelta(days=10)


def day(number: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def at(table: Table, rows: list[dict[str, Any]], as_of: pd.Timestamp, end: pd.Timestamp | None = END) -> pd.DataFrame:
    return known({table.name: pd.DataFrame(rows)}, as_of, end)[table.name]


def values(frame: pd.DataFrame, *names: str) -> list[Any]:
    cells = frame[list(names)].astype(object).where(frame[list(names)].notna(), None)
    return [row[0] if len(names) == 1 else row for row in cells.itertuples(index=False, name=None)]


class TestCreators:
    HISTORY = (
        {c.CREATOR_ID: "a", c.OBSERVED_AT: day(2), c.FOLLOWERS_COUNT: 20, c.BIO: "two"},
        {c.CREATOR_ID: "a", c.OBSERVED_AT: day(1), c.FOLLOWERS_COUNT: 10, c.BIO: "one"},
        {c.CREATOR_ID: "b", c.OBSERVED_AT: day(2), c.FOLLOWERS_COUNT: 5, c.BIO: "new"},
    )
    UNDATED: ClassVar = {
        c.CREATOR_ID: "s", c.BIO: "hi", c.CONTENT_LABELS: "x|y", c.ENGAGEMENT_RATE_BASIS: "VIEWS", c.CURRENCY: "EUR",
        c.FOLLOWERS_COUNT: 9, c.MEDIAN_VIEWS: 8, c.ENGAGEMENT_RATE: 0.1, c.CREATOR_PRICE: 7, c.BIO_LENGTH: 2,
    }  # fmt: skip

    @pytest.mark.parametrize(
        ("as_of", "expected"),
        [(day(0.9), []), (day(1), [("a", 10, "one")]), (day(2), [("a", 20, "two"), ("b", 5, "new")])],
    )
    def test_the_latest_known_row_counts(self, as_of: pd.Timestamp, expected: list[Any]) -> None:
        frame = at(schema.CREATORS, list(self.HISTORY), as_of)
        assert values(frame, c.CREATOR_ID, c.FOLLOWERS_COUNT, c.BIO) == expected

    def test_an_undated_creator_has_attributes_but_no_numbers_before_the_end(self) -> None:
        frame = at(schema.CREATORS, [self.UNDATED], day(9))
        attributes = (c.CREATOR_ID, c.BIO, c.ENGAGEMENT_RATE_BASIS, c.CURRENCY)
        assert values(frame, *attributes) == [("s", "hi", "VIEWS", "EUR")]
        assert frame[c.CONTENT_LABELS].tolist() == [["x", "y"]]
        numbers = [c.FOLLOWERS_COUNT, c.MEDIAN_VIEWS, c.ENGAGEMENT_RATE, c.CREATOR_PRICE, c.BIO_LENGTH]
        assert frame[numbers].isna().all(axis=None)

    def test_an_undated_creator_is_whole_at_the_end(self) -> None:
        assert values(at(schema.CREATORS, [self.UNDATED], END), c.FOLLOWERS_COUNT, c.CREATOR_PRICE) == [(9, 7)]

    def test_the_end_is_by_default_when_the_data_ends(self) -> None:
        creators, rates = (
            pd.DataFrame([self.UNDATED]),
            pd.DataFrame({c.CURRENCY: ["EUR"], c.DATE: [day(3)], c.USD: [1]}),
        )
        tables = {"creators": creators, "exchange_rates": rates}
        assert known(tables, day(2.9))["creators"][c.FOLLOWERS_COUNT].isna().all()
        assert known(tables, day(3))["creators"][c.FOLLOWERS_COUNT].tolist() == [9]

    def test_an_undated_row_is_an_observation_at_the_end(self) -> None:
        rows = [{c.CREATOR_ID: "a", c.FOLLOWERS_COUNT: 99}, *self.HISTORY]
        assert values(at(schema.CREATORS, rows, day(1)), c.CREATOR_ID, c.FOLLOWERS_COUNT) == [("a", 10)]
        assert values(at(schema.CREATORS, rows, END), c.CREATOR_ID, c.FOLLOWERS_COUNT) == [("a", 99), ("b", 5)]


def test_audience_keeps_all_buckets_of_each_dimensions_latest_observation() -> None:
    rows = [
        {c.CREATOR_ID: "a", c.DIMENSION: dimension, c.BUCKET: bucket, c.SHARE: share, c.OBSERVED_AT: observed_at}
        for dimension, bucket, share, observed_at in [
            ("gender", "f", 0.6, day(1)), ("gender", "m", 0.4, day(1)), ("gender", "f", 1.0, day(2)),
            ("age", "18-24", 1.0, day(1)), ("country", "BR", 1.0, None),
        ]
    ]  # fmt: skip
    first = [("gender", "f", 0.6), ("gender", "m", 0.4), ("age", "18-24", 1.0)]
    then = [("gender", "f", 1.0), ("age", "18-24", 1.0)]
    for as_of, expected in [(day(1), first), (day(2), then), (END, [*then, ("country", "BR", 1.0)])]:
        assert values(at(schema.AUDIENCE, rows, as_of), c.DIMENSION, c.BUCKET, c.SHARE) == expected


def test_prices_are_kept_by_format_and_undated_ones_only_at_the_end() -> None:
    rows = [
        {c.CREATOR_ID: "a", c.CONTENT_FORMAT: "LIVE", c.AMOUNT: 1, c.CURRENCY: "USD", c.OBSERVED_AT: day(1)},
        {c.CREATOR_ID: "a", c.CONTENT_FORMAT: "LIVE", c.AMOUNT: 2, c.CURRENCY: "USD", c.OBSERVED_AT: day(2)},
        {c.CREATOR_ID: "a", c.CONTENT_FORMAT: "IMAGE", c.AMOUNT: 3, c.CURRENCY: "USD", c.OBSERVED_AT: None},
    ]
    assert values(at(schema.CREATOR_PRICES, rows, day(1)), c.AMOUNT) == [1]
    assert values(at(schema.CREATOR_PRICES, rows, END), c.AMOUNT) == [2, 3]


class TestVideos:
    ROWS = tuple(
        {c.VIDEO_ID: "v", c.CREATOR_ID: "a", c.CREATE_TIME: day(1), c.OBSERVED_AT: observed, c.CAPTION: "hello",
         c.DURATION_S: 30, c.LIKES: likes}
        for observed, likes in [(day(4), 40), (day(2), 20)]
    )  # fmt: skip
    SEEN = (c.CAPTION, c.DURATION_S, c.OBSERVED_AT, c.LIKES)

    @pytest.mark.parametrize(
        ("as_of", "expected"),
        [
            (day(0.5), []),
            (day(1), [("hello", 30, None, None)]),
            (day(3), [("hello", 30, day(2), 20)]),
            (day(4), [("hello", 30, day(4), 40)]),
        ],
    )
    def test_the_caption_is_known_from_the_start_and_counters_when_observed(
        self, as_of: pd.Timestamp, expected: list[Any]
    ) -> None:
        assert values(at(schema.VIDEOS, list(self.ROWS), as_of), *self.SEEN) == expected

    def test_undated_counters_are_known_at_the_end(self) -> None:
        rows = [{**self.ROWS[0], c.OBSERVED_AT: None}]
        assert values(at(schema.VIDEOS, rows, day(9)), *self.SEEN) == [("hello", 30, None, None)]
        assert values(at(schema.VIDEOS, rows, END), *self.SEEN) == [("hello", 30, None, 40)]


def test_accounts_are_known_when_observed_or_undated_since_they_exist() -> None:
    rows = [
        {c.ACCOUNT_ID: "dated", c.OBSERVED_AT: day(5), c.CREATED_AT: day(1), c.FOLLOWERS_COUNT: 1},
        {c.ACCOUNT_ID: "undated", c.OBSERVED_AT: None, c.CREATED_AT: day(2), c.FOLLOWERS_COUNT: 2},
    ]
    seen = (c.ACCOUNT_ID, c.FOLLOWERS_COUNT)
    assert values(at(schema.ACCOUNTS, rows, day(1)), *seen) == []
    assert values(at(schema.ACCOUNTS, rows, day(2)), *seen) == [("undated", None)]
    assert values(at(schema.ACCOUNTS, rows, END), *seen) == [("dated", 1), ("undated", 2)]


def test_a_day_is_known_when_it_is_over() -> None:
    rows = [{c.CREATOR_ID: "a", c.DATE: day(1), c.LIKES: 3}]
    assert at(schema.DAILY_STATS, rows, day(1.99)).empty
    assert values(at(schema.DAILY_STATS, rows, day(2)), c.LIKES) == [3]


def test_an_outcome_is_none_until_it_comes() -> None:
    rows = [
        {c.BRIEF_ID: "x", c.CREATOR_ID: creator, c.SHOWN_AT: day(1), c.POSITION: 1, c.OUTCOME: outcome,
         c.OUTCOME_AT: outcome_at, c.RECEIVED_AT: received}
        for creator, outcome, outcome_at, received in [
            ("a", "ACCEPTED", day(3), None), ("b", "CLICKED", None, None), ("c", None, None, None),
            ("d", "NONE", None, day(4)),
        ]
    ]  # fmt: skip
    seen = (c.CREATOR_ID, c.OUTCOME, c.OUTCOME_AT)
    assert values(at(schema.IMPRESSIONS, rows, day(0)), *seen) == []
    early = [("a", "NONE", None), ("b", "NONE", None), ("c", None, None)]
    assert values(at(schema.IMPRESSIONS, rows, day(1)), *seen) == early
    then = [("a", "ACCEPTED", day(3)), ("b", "NONE", None), ("c", None, None), ("d", "NONE", None)]
    assert values(at(schema.IMPRESSIONS, rows, day(4)), *seen) == then
    assert values(at(schema.IMPRESSIONS, rows, END), *seen) == [then[0], ("b", "CLICKED", None), *then[2:]]


def test_an_event_is_known_when_received_else_when_it_happened() -> None:
    rows = [
        {c.EVENT_ID: "late", c.CREATOR_ID: "a", c.EVENT_TYPE: "RATED", c.EVENT_TIME: day(1), c.RECEIVED_AT: day(5)},
        {c.EVENT_ID: "plain", c.CREATOR_ID: "a", c.EVENT_TYPE: "RATED", c.EVENT_TIME: day(2), c.RECEIVED_AT: None},
    ]
    assert values(at(schema.COLLABORATION_EVENTS, rows, day(2)), c.EVENT_ID) == ["plain"]
    assert values(at(schema.COLLABORATION_EVENTS, rows, day(5)), c.EVENT_ID) == ["late", "plain"]


def test_a_label_without_a_time_is_known_at_the_end_only() -> None:
    rows = [{c.CREATOR_ID: "a", c.IS_FAKE: 1, c.KNOWN_AT: day(3)}, {c.CREATOR_ID: "b", c.IS_FAKE: 0, c.KNOWN_AT: None}]
    assert values(at(schema.FRAUD_LABELS, rows, day(3)), c.CREATOR_ID) == ["a"]
    assert values(at(schema.FRAUD_LABELS, rows, END), c.CREATOR_ID) == ["a", "b"]


@pytest.mark.parametrize(
    ("table", "row", "expected"),
    [
        (schema.DAILY_STATS, {c.CREATOR_ID: "a", c.DATE: day(1)}, day(2)),
        (schema.EXCHANGE_RATES, {c.CURRENCY: "EUR", c.DATE: day(1), c.USD: 1}, day(1)),
        (schema.VIDEOS, {c.VIDEO_ID: "v", c.CREATOR_ID: "a", c.CREATE_TIME: day(1)}, day(1)),
        (schema.IMPRESSIONS, {c.SHOWN_AT: day(1), c.OUTCOME_AT: day(4)}, day(4)),
        (schema.COLLABORATION_EVENTS, {c.EVENT_TIME: day(7), c.RECEIVED_AT: day(1)}, day(1)),
        (schema.CREATORS, {c.CREATOR_ID: "a", c.JOINED_AT: day(1)}, NO_TIMES),
    ],
)
def test_data_as_of_is_when_the_last_thing_became_known(
    table: Table, row: dict[str, Any], expected: pd.Timestamp
) -> None:
    assert data_as_of({table.name: pd.DataFrame([row])}) == expected


def test_a_dataset_is_static_when_no_snapshot_is_dated() -> None:
    creators = pd.DataFrame({c.CREATOR_ID: ["a", "b"]})
    assert is_static({"creators": creators})
    assert not is_static({"creators": creators.assign(**{c.OBSERVED_AT: [day(1), None]})})


def random_tables(rng: np.random.Generator, rows: int = 10) -> dict[str, pd.DataFrame]:
    """Valid keys over few ids and days 0 to 9, optional times often missing, a video's attributes alike in its rows."""
    tables = {}
    for table in schema.CONTRACT.values():
        frame = pd.DataFrame({column.name: _cells(rng, column, rows) for column in table.columns})
        tables[table.name] = frame.drop_duplicates(list(table.key)) if table.key else frame
    videos = tables["videos"]
    fixed = videos.drop_duplicates(c.VIDEO_ID)[[c.VIDEO_ID, c.CREATOR_ID, c.CREATE_TIME, c.CAPTION, c.DURATION_S]]
    attributes = [c.CONTENT_FORMAT, c.COLLABORATION_ID, *fixed.columns.drop(c.VIDEO_ID)]
    tables["videos"] = videos.drop(columns=attributes).merge(fixed, on=c.VIDEO_ID)
    return schema.complete(tables)


def _cells(rng: np.random.Generator, column: schema.Column, rows: int) -> list[Any]:
    choices: dict[Kind, list[Any]] = {
        Kind.STRING: ["x", "y", "z"],
        Kind.NUMBER: [1.0, 2.0, 3.0],
        Kind.LIST: ["a|b", "a"],
        Kind.TIME: [day(number) for number in range(10)],
    }
    optional = [] if column.required else [None] * (len(choices[column.kind]) // 2)
    return [
        (choices[column.kind] + optional)[i] for i in rng.integers(len(choices[column.kind]) + len(optional), size=rows)
    ]


def without_the_future(tables: schema.Tables, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The tables with every later row deleted, and with later values of what remains changed."""
    static = as_of < END
    past = {name: _past_rows(frame, schema.CONTRACT[name], as_of) for name, frame in tables.items()}
    for name in ("creators", "accounts"):
        past[name] = _changed(past[name], schema.CONTRACT[name], past[name][c.OBSERVED_AT].isna() & static)
    videos = past["videos"]
    later = (videos[c.OBSERVED_AT] > as_of) | (videos[c.OBSERVED_AT].isna() & static)
    moved = {c.DURATION_S: videos[c.DURATION_S], c.OBSERVED_AT: videos[c.OBSERVED_AT].mask(later, day(99))}
    past["videos"] = _changed(videos, schema.VIDEOS, later).assign(**moved)
    shown = past["impressions"]
    pending = shown[c.OUTCOME].notna() & ((shown[c.OUTCOME_AT] > as_of) | (shown[c.OUTCOME_AT].isna() & static))
    past["impressions"] = shown.assign(**{c.OUTCOME: shown[c.OUTCOME].mask(pending, "other")})
    return past


def _past_rows(frame: pd.DataFrame, table: Table, as_of: pd.Timestamp) -> pd.DataFrame:
    if table is schema.VIDEOS:
        return frame[frame[c.CREATE_TIME] <= as_of]
    times = frame[table.known[0]] if len(table.known) == 1 else frame[table.known[0]].fillna(frame[table.known[1]])
    late = times > as_of - pd.Timedelta(days=1 if table is schema.DAILY_STATS else 0)
    undated_later = (
        table in (schema.CREATOR_PRICES, schema.AUDIENCE, schema.FRAUD_LABELS, schema.BRIEFS) and as_of < END
    )
    return frame[~late & ~(times.isna() & undated_later)]


def _changed(frame: pd.DataFrame, table: Table, rows: pd.Series) -> pd.DataFrame:
    numbers = [column.name for column in table.columns if column.kind is Kind.NUMBER]
    return frame.assign(**{name: frame[name].mask(rows, 77.0) for name in numbers})


def assert_same(one: schema.Tables, other: schema.Tables) -> None:
    for name, table in schema.CONTRACT.items():
        rows, others = (tables[name][list(table.names)].to_dict("records") for tables in (one, other))
        assert sorted(map(str, rows)) == sorted(map(str, others)), name


moments = st.integers(0, 11).map(day)
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, as_of=moments)
def test_nothing_later_changes_what_was_known(seed: int, as_of: pd.Timestamp) -> None:
    tables = random_tables(np.random.default_rng(seed))
    assert_same(known(without_the_future(tables, as_of), as_of, END), known(tables, as_of, END))


@settings(max_examples=20, deadline=None)
@given(seed=seeds, as_of=moments)
def test_order_does_not_matter_inputs_stay_and_knowing_twice_is_knowing_once(seed: int, as_of: pd.Timestamp) -> None:
    rng = np.random.default_rng(seed)
    tables = random_tables(rng)
    before = {name: frame.copy(deep=True) for name, frame in tables.items()}
    seen = known(tables, as_of, END)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, before[name])
    shuffled = {name: frame.iloc[rng.permutation(len(frame))] for name, frame in tables.items()}
    assert_same(known(shuffled, as_of, END), seen)
    assert_same(known(seen, as_of, END), seen)
