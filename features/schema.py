"""The data contract: twelve tables, their columns, kinds, ranges, vocabularies and keys.

In memory every table has every contract column (:func:`conform` adds the missing ones as nulls of the right type), so
that code downstream never asks whether a column exists. Kinds in memory:

=========  ====================================================
STRING     pandas ``str``, missing is NaN
LIST       ``object`` of ``list[str]``, missing is ``[]``
NUMBER     ``float64``, missing is NaN (also counts, shares, flags)
TIME       ``datetime64[us]`` without zone, always UTC, missing is NaT
=========  ====================================================
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features import vocabulary as v

Tables = Mapping[str, pd.DataFrame]
SEPARATOR = "|"  # between the items of a list where it stands as text


class Kind(StrEnum):
    """How a column is held in memory."""

    STRING = "string"
    LIST = "list"
    NUMBER = "number"
    TIME = "time"


DTYPES = {Kind.STRING: "str", Kind.LIST: "object", Kind.NUMBER: "float64", Kind.TIME: "datetime64[us]"}


@dataclass(frozen=True)
class Column:
    """One column: ``minimum`` and ``maximum`` are inclusive; ``words`` is a closed vocabulary, None when open."""

    name: str
    kind: Kind = Kind.STRING
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    words: frozenset[str] | None = None


@dataclass(frozen=True)
class Table:
    """One table: ``key`` is unique over its rows (empty: no key); ``known`` are the times at which a row became known,
    the first one present counts; a table with ``history`` keeps several rows per ``entity``, the latest known one
    counts."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    entity: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in the contract's order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the columns that must be there."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError for a name the contract does not have."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}


def _text(name: str, words: Iterable[str] | None = None, required: bool = False) -> Column:
    return Column(name, words=frozenset(words) if words else None, required=required)


def _list(name: str, words: Iterable[str] | None = None) -> Column:
    return Column(name, Kind.LIST, words=frozenset(words) if words else None)


def _count(name: str, required: bool = False, minimum: float = 0) -> Column:
    return Column(name, Kind.NUMBER, required, minimum=minimum, whole=True)


def _amount(name: str, required: bool = False) -> Column:
    return Column(name, Kind.NUMBER, required, minimum=0)


def _share(name: str, required: bool = False) -> Column:
    return Column(name, Kind.NUMBER, required, minimum=0, maximum=1)


def _flag(name: str, required: bool = False) -> Column:
    return Column(name, Kind.NUMBER, required, minimum=0, maximum=1, whole=True)


def _time(name: str, required: bool = False) -> Column:
    return Column(name, Kind.TIME, required)


def _id(name: str) -> Column:
    return Column(name, required=True)


CREATORS = Table(
    "creators",
    (
        _id(c.CREATOR_ID), _time(c.OBSERVED_AT), _text(c.PLATFORM), _text(c.HANDLE_NAME), _text(c.DISPLAY_NAME),
        _text(c.BIO), _text(c.COUNTRY_CODE, v.COUNTRIES), _text(c.LANGUAGE), _list(c.CONTENT_LABELS),
        _list(c.CONTENT_STYLES), _list(c.CONTENT_FORMATS, v.CONTENT_FORMATS), _count(c.FOLLOWERS_COUNT),
        _count(c.FOLLOWING_COUNT), _count(c.LIKES_COUNT), _count(c.VIDEOS_COUNT), _amount(c.MEDIAN_VIEWS),
        _amount(c.ENGAGEMENT_RATE), _text(c.ENGAGEMENT_RATE_BASIS, v.RATE_BASES), _amount(c.CREATOR_PRICE),
        _text(c.CURRENCY, v.CURRENCIES), _text(c.ONBOARDING_STATUS, v.ONBOARDING_STATUSES), _count(c.MAX_OPEN_ORDERS),
        _time(c.JOINED_AT), _flag(c.HAS_AVATAR), _flag(c.IS_PRIVATE), _count(c.HANDLE_LENGTH), _count(c.HANDLE_DIGITS),
        _count(c.BIO_LENGTH),
    ),
    key=(c.CREATOR_ID, c.OBSERVED_AT), known=(c.OBSERVED_AT,), entity=(c.CREATOR_ID,),
)  # fmt: skip
CREATOR_PRICES = Table(
    "creator_prices",
    (
        _id(c.CREATOR_ID), _text(c.CONTENT_FORMAT, v.CONTENT_FORMATS, required=True), _amount(c.AMOUNT, required=True),
        _text(c.CURRENCY, v.CURRENCIES, required=True), _time(c.OBSERVED_AT),
    ),
    key=(c.CREATOR_ID, c.CONTENT_FORMAT, c.OBSERVED_AT), known=(c.OBSERVED_AT,),
    entity=(c.CREATOR_ID, c.CONTENT_FORMAT),
)  # fmt: skip
EXCHANGE_RATES = Table(
    "exchange_rates",
    (_text(c.CURRENCY, v.CURRENCIES, required=True), _time(c.DATE, required=True), _amount(c.USD, required=True)),
    key=(c.CURRENCY, c.DATE), known=(c.DATE,),
)  # fmt: skip
AUDIENCE = Table(
    "audience",
    (
        _id(c.CREATOR_ID), _text(c.DIMENSION, v.AUDIENCE_DIMENSIONS, required=True), _id(c.BUCKET),
        _share(c.SHARE, required=True), _time(c.OBSERVED_AT),
    ),
    key=(c.CREATOR_ID, c.DIMENSION, c.BUCKET, c.OBSERVED_AT), known=(c.OBSERVED_AT,),
    entity=(c.CREATOR_ID, c.DIMENSION),
)  # fmt: skip
VIDEOS = Table(
    "videos",
    (
        _id(c.VIDEO_ID), _id(c.CREATOR_ID), _time(c.CREATE_TIME, required=True), _time(c.OBSERVED_AT), _text(c.CAPTION),
        _text(c.CONTENT_FORMAT, v.CONTENT_FORMATS), _amount(c.DURATION_S), _count(c.VIDEO_VIEWS),
        _count(c.PAID_VIDEO_VIEWS), _count(c.LIKES), _count(c.COMMENTS), _count(c.SHARES), _count(c.FAVORITES),
        _share(c.VIDEO_COMPLETION_RATE), _text(c.COLLABORATION_ID),
    ),
    key=(c.VIDEO_ID, c.OBSERVED_AT), known=(c.OBSERVED_AT,), entity=(c.VIDEO_ID,),
)  # fmt: skip
DAILY_STATS = Table(
    "daily_stats",
    (
        _id(c.CREATOR_ID), _time(c.DATE, required=True), _count(c.FOLLOWERS_COUNT), _count(c.VIDEO_VIEWS),
        _count(c.PAID_VIDEO_VIEWS), _count(c.LIKES), _count(c.COMMENTS), _count(c.SHARES),
    ),
    key=(c.CREATOR_ID, c.DATE), known=(c.DATE,),
)  # fmt: skip
ACCOUNTS = Table(
    "accounts",
    (
        _id(c.ACCOUNT_ID), _time(c.OBSERVED_AT), _time(c.CREATED_AT), _count(c.FOLLOWERS_COUNT),
        _count(c.FOLLOWING_COUNT), _count(c.VIDEOS_COUNT), _flag(c.HAS_AVATAR), _flag(c.IS_PRIVATE),
        _count(c.HANDLE_LENGTH), _count(c.HANDLE_DIGITS), _count(c.BIO_LENGTH), _text(c.COUNTRY_CODE, v.COUNTRIES),
    ),
    key=(c.ACCOUNT_ID, c.OBSERVED_AT), known=(c.OBSERVED_AT,), entity=(c.ACCOUNT_ID,),
)  # fmt: skip
ENGAGEMENTS = Table(
    "engagements",
    (
        _id(c.ACCOUNT_ID), _id(c.CREATOR_ID), _text(c.ACTION, v.ACTIONS, required=True),
        _time(c.EVENT_TIME, required=True), _text(c.VIDEO_ID), _text(c.COMMENT_TEXT),
    ),
    known=(c.EVENT_TIME,),
)  # fmt: skip
BRIEFS = Table(
    "briefs",
    (
        _id(c.BRIEF_ID), _text(c.BRAND_ID), _time(c.CREATED_AT), _text(c.TITLE), _text(c.DESCRIPTION),
        _text(c.REFERENCE_CAPTIONS), _text(c.LANGUAGE), _text(c.OBJECTIVE, v.OBJECTIVES), _text(c.INDUSTRY),
        _list(c.CONTENT_LABELS), _list(c.CONTENT_STYLES), _list(c.CONTENT_FORMATS, v.CONTENT_FORMATS),
        _amount(c.BUDGET), _text(c.CURRENCY, v.CURRENCIES), _count(c.CREATORS_WANTED, minimum=1),
        _list(c.TARGET_COUNTRIES, v.COUNTRIES), _list(c.TARGET_LANGUAGES), _list(c.TARGET_AGES, v.AGE_BUCKETS),
        _list(c.TARGET_GENDERS), _list(c.TARGET_INTERESTS), _count(c.MIN_FOLLOWERS), _count(c.MAX_FOLLOWERS),
    ),
    key=(c.BRIEF_ID,), known=(c.CREATED_AT,),
)  # fmt: skip
IMPRESSIONS = Table(
    "impressions",
    (
        _id(c.BRIEF_ID), _id(c.CREATOR_ID), _time(c.SHOWN_AT, required=True),
        _count(c.POSITION, required=True, minimum=1), _text(c.RANKING_ID), _text(c.SURFACE), _text(c.POLICY_VERSION),
        _share(c.PROPENSITY), _text(c.OUTCOME, v.OUTCOMES), _time(c.OUTCOME_AT), _amount(c.QUOTED_PRICE),
        _time(c.RECEIVED_AT),
    ),
    key=(c.BRIEF_ID, c.CREATOR_ID, c.SHOWN_AT, c.RANKING_ID), known=(c.RECEIVED_AT, c.SHOWN_AT),
)  # fmt: skip
COLLABORATION_EVENTS = Table(
    "collaboration_events",
    (
        _id(c.EVENT_ID), _id(c.CREATOR_ID), _text(c.EVENT_TYPE, v.EVENT_TYPES, required=True),
        _time(c.EVENT_TIME, required=True), _time(c.RECEIVED_AT), _text(c.COLLABORATION_ID), _text(c.BRAND_ID),
        _text(c.BRIEF_ID), _text(c.REFERS_TO), _time(c.DUE_AT), _amount(c.AMOUNT), _text(c.CURRENCY, v.CURRENCIES),
        Column(c.RATING, Kind.NUMBER, minimum=1, maximum=5), Column(c.SEVERITY, Kind.NUMBER, minimum=1, maximum=3),
        _text(c.VIOLATION_TYPE), _text(c.FACTOR, v.CREDIT_FACTORS), _share(c.VALUE),
        _text(c.MODEL_VERSION), _text(c.VIDEO_ID), _count(c.VIDEO_VIEWS), _count(c.CLICKS), _count(c.CONVERSIONS),
        _amount(c.GMV), _text(c.NOTE),
    ),
    key=(c.EVENT_ID,), known=(c.RECEIVED_AT, c.EVENT_TIME),
)  # fmt: skip
FRAUD_LABELS = Table(
    "fraud_labels",
    (
        _text(c.CREATOR_ID), _text(c.ACCOUNT_ID), _flag(c.IS_FAKE, required=True), _time(c.KNOWN_AT),
        _time(c.PERIOD_START), _time(c.PERIOD_END), _text(c.SOURCE), _text(c.FRAUD_TYPE), _text(c.SAMPLED, v.SAMPLED),
    ),
    known=(c.KNOWN_AT,),
)  # fmt: skip
CONTRACT = {
    table.name: table
    for table in (
        CREATORS, CREATOR_PRICES, EXCHANGE_RATES, AUDIENCE, VIDEOS, DAILY_STATS, ACCOUNTS, ENGAGEMENTS, BRIEFS,
        IMPRESSIONS, COLLABORATION_EVENTS, FRAUD_LABELS,
    )
}  # fmt: skip


def empty(table: Table) -> pd.DataFrame:
    """A frame of no rows with every contract column in its dtype."""
    return _no_rows(table).copy()


@cache  # a request completes its few rows with a dozen empty tables
def _no_rows(table: Table) -> pd.DataFrame:
    return pd.DataFrame({column.name: pd.Series(dtype=DTYPES[column.kind]) for column in table.columns})


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """A copy of ``frame`` with every contract column in its dtype, missing ones as nulls; extra columns follow, as they
    are.

    Raises ValueError, TypeError or OverflowError from pandas where a value cannot be held in its column's dtype
    (:mod:`features.validation` reports those by row first).
    """
    known = {column.name: _cast(frame, column) for column in table.columns}
    extra = {name: frame[name] for name in frame.columns if name not in known}
    return pd.DataFrame(known | extra, index=frame.index).reset_index(drop=True)


def framed(cells: Mapping[str, Sequence[Any]], table: Table) -> pd.DataFrame:
    """A frame of every contract column in its dtype, from the cells of each as a database gives them: what
    :func:`conform` makes of them, made for few rows. An empty text is a null.

    Raises ValueError or TypeError where a cell is not of its column's kind.
    """
    arrays = {column.name: _ARRAYS[column.kind](_nulled(cells[column.name])) for column in table.columns}
    return pd.DataFrame(arrays, copy=False)


class Complete(dict[str, pd.DataFrame]):
    """What :func:`complete` answers, told by its class, so that no frame is conformed twice."""


def complete(tables: Tables) -> Complete:
    """Every table of the contract, conformed; absent ones are empty."""
    if isinstance(tables, Complete):
        return tables
    return Complete(
        {name: conform(tables[name], table) if name in tables else empty(table) for name, table in CONTRACT.items()}
    )


def _cast(frame: pd.DataFrame, column: Column) -> pd.Series:
    if column.name not in frame:
        return _nulls(len(frame), column.kind).set_axis(frame.index)
    values = frame[column.name]
    if column.kind is Kind.LIST:
        return pd.Series([as_list(value) for value in values], index=values.index, dtype="object")
    if column.kind is Kind.TIME:
        return pd.to_datetime(values, utc=True, format="ISO8601").dt.tz_localize(None).astype(DTYPES[Kind.TIME])
    return values.astype(DTYPES[column.kind])


def _nulled(cells: Sequence[Any]) -> Sequence[Any]:
    return [None if cell == "" else cell for cell in cells] if "" in cells else cells


_ARRAYS: Mapping[Kind, Callable[[Sequence[Any]], Any]] = {
    Kind.STRING: lambda cells: pd.array(cells, dtype=DTYPES[Kind.STRING]),
    Kind.LIST: lambda cells: np.fromiter(map(as_list, cells), DTYPES[Kind.LIST], len(cells)),
    Kind.NUMBER: lambda cells: np.array(cells, DTYPES[Kind.NUMBER]),
    Kind.TIME: lambda cells: pd.array(cells, dtype="datetime64[us, UTC]").tz_localize(None),
}
"""By kind the array of a column's cells."""


def _nulls(rows: int, kind: Kind) -> pd.Series:
    if kind is Kind.LIST:
        return pd.Series([[] for _ in range(rows)], dtype="object")
    return pd.Series([None] * rows, dtype=DTYPES[kind])


def as_list(value: object) -> list[str]:
    """A list cell as a list of strings: ``"a|b"`` and sequences both become ``["a", "b"]``, nulls become ``[]``."""
    if isinstance(value, str):
        return [word for word in value.split(SEPARATOR) if word]
    if isinstance(value, Iterable):
        return [sys.intern(str(word)) for word in value]  # the same few words in every list, kept once
    return []
