"""Creators given as records are scored as those of the catalogue are."""

import copy
from pathlib import Path

import pandas as pd
import pytest

from features.errors import InputError
from features.schema import Tables
from features.tables import read_tables
from models.engine import Engine
from tests.models.records import record_of

SCORED = ("fraud_probability", "risk_score", "risk_level", "recommended_action", "confidence", "data_as_of")


@pytest.fixture(scope="module")
def tables(dataset: Path) -> Tables:
    return read_tables(dataset)


@pytest.fixture(scope="module")
def some(engine: Engine) -> list[str]:
    """The two most suspicious creators, the two whose accounts meet most, and two more."""
    fraud = engine._catalogue.fraud
    probability = engine._bundle.fraud.predict(fraud)
    met = fraud["shared_engagers"].nlargest(2)
    assert (met > 0).all()
    return [*probability.nlargest(2).index, *met.index, *fraud.index[:2]]


def scores(engine: Engine, *records: dict) -> list[dict]:
    return engine.fraud_score({"records": list(records)})["results"]


def test_a_creator_given_as_a_record_has_the_score_it_has_by_id(engine: Engine, tables: Tables, some: list[str]):
    by_id = engine.fraud_score({"creator_ids": some})["results"]
    for creator_id, known in zip(some, by_id, strict=True):
        (answer,) = scores(engine, record_of(tables, creator_id))
        assert {name: answer[name] for name in SCORED} == pytest.approx({name: known[name] for name in SCORED})
        assert [one["code"] for one in answer["reason_codes"]] == [one["code"] for one in known["reason_codes"]]


def test_several_records_are_answered_as_each_alone_and_change_nothing(engine: Engine, tables: Tables, some: list[str]):
    before = engine.fraud_score({"creator_ids": some})
    records = [record_of(tables, one) for one in some[:3]]
    sent = copy.deepcopy(records)
    together = scores(engine, *records)
    assert together == [answer for record in records for answer in scores(engine, record)]
    assert records == sent
    assert engine.fraud_score({"creator_ids": some}) == before


def test_accounts_that_a_record_does_not_describe_are_looked_up(engine: Engine, tables: Tables, some: list[str]):
    record = record_of(tables, some[0])
    described, looked_up = scores(engine, record, record | {"accounts": []})
    assert described == looked_up


def test_rows_need_not_repeat_whose_they_are(engine: Engine, tables: Tables, some: list[str]):
    record = record_of(tables, some[0])
    terse = {
        name: rows if name == "creator" else [{key: row[key] for key in row if key != "creator_id"} for row in rows]
        for name, rows in record.items()
    }
    assert scores(engine, terse) == scores(engine, record)


def test_a_creator_of_whom_nothing_is_told_gets_no_number(engine: Engine):
    (answer,) = scores(engine, {"creator": {"creator_id": "stranger"}})
    assert answer["insufficient_data"]
    assert answer["fraud_probability"] is answer["risk_score"] is answer["risk_level"] is None
    assert answer["reason_codes"] == []


def test_a_record_speaks_of_its_own_latest_moment(engine: Engine, tables: Tables, some: list[str]):
    record = record_of(tables, some[0])
    cut = engine.as_of - pd.Timedelta(days=20)
    days = [row for row in record["daily_stats"] if pd.Timestamp(row["date"]) < cut]
    (answer,) = scores(engine, {"creator": {"creator_id": some[0]}, "daily_stats": days})
    assert answer["data_as_of"] == cut.isoformat()


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ({"daily_stats": [{"date": "2026-01-01", "likes": -1}]}, "records.1.daily_stats.0.likes"),
        ({"daily_stats": [{"date": "2026-01-01"}] * 2}, "records.1.daily_stats.1.creator_id, date"),
        ({"videos": [{"video_id": "v", "create_time": "2199-01-01"}]}, "records.1.videos.0.create_time"),
        (
            {"engagements": [{"account_id": "a", "action": "LIKE", "event_time": "2026-01-01", "creator_id": "other"}]},
            "records.1.engagements.0.creator_id",
        ),
        ({"audience": [{"dimension": "age", "bucket": "old", "share": 1}]}, "records.1.audience.0.dimension, bucket"),
        ({"creator": {"creator_id": "x", "followers_count": -5}}, "records.1.creator.followers_count"),
    ],
)
def test_a_row_that_breaks_the_contract_is_refused_by_its_place(engine: Engine, rows: dict, field: str):
    with pytest.raises(InputError) as caught:
        scores(engine, {"creator": {"creator_id": "sound"}}, {"creator": {"creator_id": "x"}} | rows)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert caught.value.details[0]["field"] == field
