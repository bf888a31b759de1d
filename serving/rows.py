"""Request types of the contract's rows, made from the contract itself, so that no name, range or word is written twice.

Everything is strict: unknown fields, NaN, infinity, NUL bytes, numbers in quotes and over-long values are refused.
"""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from types import GenericAlias
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from features import vocabulary as v
from features.schema import SEPARATOR, Column, Kind, Table
from models.requests import LARGEST, LONGEST_WORD, MOST_WORDS

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
LONGEST_TEXT = 20_000


class Body(BaseModel):
    """A JSON object of known fields only."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, serialize_by_alias=True)


class OneOf:
    """Annotation: the value is one of these words (``typing.Literal`` cannot take them from a vocabulary)."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted(words)

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        """A closed enumeration."""
        return core_schema.literal_schema(self.words)


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("remove the NUL bytes")
    return text


def _without_separator(text: str) -> str:
    if SEPARATOR in text:
        raise ValueError(f"may not contain {SEPARATOR}, which separates the words of a list in the store")
    return text


def _iso_8601(value: object) -> object:
    if isinstance(value, str) and _DATE.match(value):
        return value
    raise ValueError("write ISO 8601 such as 2026-01-31T12:00:00Z")


def _naive_utc(time: datetime) -> datetime:
    if not 1970 <= time.year <= 2200:
        raise ValueError("must lie between the years 1970 and 2200")
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_without_nul)]
Id = Annotated[str, Field(min_length=1, max_length=LONGEST_WORD), AfterValidator(_without_nul)]
Words = Annotated[list[Annotated[Id, AfterValidator(_without_separator)]], Field(max_length=MOST_WORDS)]
# Not strict, which would refuse a date alone; what else that lets in (seconds since 1970) is refused before.
Time = Annotated[datetime, Field(strict=False), BeforeValidator(_iso_8601), AfterValidator(_naive_utc)]
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=LARGEST)]
Country = Annotated[str, OneOf(v.COUNTRIES)]
Currency = Annotated[str, OneOf(v.CURRENCIES)]


class RowOf:
    """Annotation: the value is one row of a contract table, with its names, kinds, ranges and vocabularies.

    Columns that are ``optional`` may be left out though the table needs them.
    """

    def __init__(self, table: Table, optional: Collection[str] = ()) -> None:
        fields: dict[str, Any] = {}
        for column in table.columns:
            kind = _type(column)
            required = column.required and column.name not in optional
            fields[column.name] = (kind, ...) if required else (kind | None, None)
        self.model = create_model(f"{table.name}_row", __base__=Body, **fields)

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of the row's model in the place of the annotated type's own."""
        return handler.generate_schema(self.model)


def _type(column: Column) -> Any:
    if column.kind is Kind.TIME:
        return Time
    if column.kind is Kind.NUMBER:
        return _number(column)
    if column.kind is Kind.LIST:
        return Annotated[GenericAlias(list, (_word(column),)), Field(max_length=MOST_WORDS)] if column.words else Words
    return _word(column)


def _word(column: Column) -> Any:
    if column.words:
        return Annotated[str, OneOf(column.words)]
    return Id if column.name.endswith("_id") else Text


def _number(column: Column) -> Any:
    least = -LARGEST if column.minimum is None else column.minimum
    most = LARGEST if column.maximum is None else column.maximum
    return Annotated[float, Field(ge=least, le=most, multiple_of=1 if column.whole else None)]
