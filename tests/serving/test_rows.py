import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from features import schema
from serving.rows import RowOf

ROWS = {name: RowOf(table).model for name, table in schema.CONTRACT.items()}


def parse(table: str, **row: object) -> dict[str, object]:
    return ROWS[table].model_validate_json(json.dumps(row)).model_dump(exclude_unset=True)


def refused(table: str, **row: object) -> tuple[tuple[str | int, ...], str]:
    with pytest.raises(ValidationError) as caught:
        parse(table, **row)
    first = caught.value.errors()[0]
    return first["loc"], first["msg"]


def test_a_row_has_the_columns_of_its_table_and_needs_the_required_ones():
    for name, table in schema.CONTRACT.items():
        fields = ROWS[name].model_fields
        assert tuple(fields) == table.names
        assert tuple(field for field, info in fields.items() if info.is_required()) == table.required


@pytest.mark.parametrize(
    ("table", "row", "field"),
    [
        ("creators", {"creator_id": "a", "followers_count": -1}, ("followers_count",)),
        ("creators", {"creator_id": "a", "followers_count": 1.5}, ("followers_count",)),
        ("creators", {"creator_id": "a", "followers_count": "12"}, ("followers_count",)),
        ("creators", {"creator_id": "a", "followers_count": True}, ("followers_count",)),
        ("creators", {"creator_id": "a", "followers_count": float("nan")}, ("followers_count",)),
        ("creators", {"creator_id": "a", "creator_price": float("inf")}, ("creator_price",)),
        ("creators", {"creator_id": "a", "country_code": "XX"}, ("country_code",)),
        ("creators", {"creator_id": "a", "bio": "nul\x00"}, ("bio",)),
        ("creators", {"creator_id": "a", "bio": "x" * 20_001}, ("bio",)),
        ("creators", {"creator_id": "a", "content_labels": ["a|b"]}, ("content_labels", 0)),
        ("creators", {"creator_id": "a", "content_formats": ["PODCAST"]}, ("content_formats", 0)),
        ("creators", {"creator_id": "a", "observed_at": 5}, ("observed_at",)),
        ("creators", {"creator_id": "a", "observed_at": "1735689600"}, ("observed_at",)),
        ("creators", {"creator_id": "a", "observed_at": "2025-02-30"}, ("observed_at",)),
        ("creators", {"creator_id": "a", "observed_at": "0001-01-01T00:00:00+14:00"}, ("observed_at",)),
        ("creators", {"creator_id": ""}, ("creator_id",)),
        ("creators", {"creator_id": "a", "shoe_size": 44}, ("shoe_size",)),
        ("audience", {"creator_id": "a", "dimension": "age", "bucket": "55+", "share": 1.01}, ("share",)),
        ("collaboration_events", {"event_id": "e", "creator_id": "a", "event_time": "2025-01-01"}, ("event_type",)),
    ],
)
def test_what_breaks_the_contract_is_refused_by_field(table, row, field):
    assert refused(table, **row)[0] == field


@pytest.mark.parametrize(
    "text", ["2025-01-01", "2025-01-01T00:00:00", "2025-01-01 00:00Z", "2024-12-31T19:00:00-05:00"]
)
def test_a_time_is_iso_8601_and_a_date_is_its_midnight(text):
    assert parse("creators", creator_id="a", observed_at=text)["observed_at"] == datetime(2025, 1, 1)


def test_times_become_naive_utc_and_whole_floats_pass():
    row = parse("creators", creator_id="a", observed_at="2025-01-01T08:00:00+08:00", followers_count=12.0)
    assert row["observed_at"] == datetime(2025, 1, 1)
    assert row["followers_count"] == 12


@given(text=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=300))
def test_any_text_of_any_script_passes_unchanged(text):
    assert parse("creators", creator_id="a", bio=text)["bio"] == text


def test_an_optional_row_needs_no_column():
    assert TypeAdapter(RowOf(schema.BRIEFS, optional=schema.BRIEFS.names).model).validate_json("{}")
