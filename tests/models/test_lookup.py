"""What was made of a creator's rows is kept until that creator changes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest

from features import columns as c
from features.schema import Tables
from features.source import InMemory
from models.engine import Engine
from models.kept import Kept
from models.lookup import Lookup
from tests.models.writes import append_events


class Counting(InMemory):
    """Says how often it was read."""

    readings = 0

    @contextmanager
    def reading(self) -> Iterator[InMemory]:
        self.readings += 1
        yield self


@pytest.fixture
def source(own_engine: Engine, few: Tables) -> Counting:
    counting = Counting(few)
    own_engine._lookup = Lookup(own_engine._bundle, counting)
    return counting


@pytest.mark.parametrize("method", ["credit", "fraud_score"])
def test_rows_are_read_once_for_each_creator_and_the_answer_stays(own_engine, source, method):
    ids = list(own_engine._catalogue.state.ids[:3])
    first = getattr(own_engine, method)({"creator_ids": ids})
    read = source.readings
    assert read
    again = [getattr(own_engine, method)({"creator_ids": [one]})["results"][0] for one in ids]
    assert (again, source.readings) == (first["results"], read)
    getattr(own_engine, method)({"creator_ids": [own_engine._catalogue.state.ids[5]]})
    assert source.readings > read


def test_what_was_made_ahead_is_told_without_reading_until_its_creator_changes(own_engine, source, tmp_path):
    catalogue, lookup = own_engine.catalogue, own_engine._lookup
    asked = {"creator_ids": list(catalogue.state.ids)}
    kept, evidence = Kept.empty(len(catalogue.state.ids), tmp_path), lookup.evidence(catalogue)
    for start in range(0, kept.size, 7):
        lookup.make_ahead(catalogue, evidence, range(start, min(start + 7, kept.size)), kept)
    expected = [method(asked) for method in (own_engine.credit, own_engine.fraud_score)]
    own_engine._lookup = Lookup(own_engine._bundle, source)
    own_engine._evidence = own_engine._lookup.evidence(catalogue)
    own_engine.read_ahead(kept)
    read = source.readings
    assert [method(asked) for method in (own_engine.credit, own_engine.fraud_score)] == expected
    assert source.readings == read
    one, at = asked["creator_ids"][3], own_engine.as_of + pd.Timedelta(days=30)
    event = {c.EVENT_ID: "t", c.EVENT_TYPE: "TRAINING_PASSED", c.CREATOR_ID: one, c.EVENT_TIME: at}
    append_events(own_engine, pd.DataFrame([event]))
    own_engine.read_ahead(kept)
    after = own_engine.credit(asked)
    assert after == own_engine.credit(asked | {"as_of": at.isoformat()})
    assert after["results"][3]["score"] != expected[0]["results"][3]["score"]


def test_an_event_of_one_creator_lets_what_was_learned_of_others_stand(own_engine):
    one, other = own_engine._catalogue.state.ids[:2]
    asked = {"creator_ids": [one, other]}
    before = own_engine.credit(asked)["results"]
    lookup = own_engine._lookup
    later = own_engine.as_of + pd.Timedelta(days=40)
    event = {c.EVENT_ID: "t", c.EVENT_TYPE: "TRAINING_PASSED", c.CREATOR_ID: one, c.EVENT_TIME: later}
    append_events(own_engine, pd.DataFrame([event]))
    lookup._source, own_engine._lookup = own_engine._lookup._source, lookup
    after = own_engine.credit(asked)["results"]
    assert after == own_engine.credit(asked | {"as_of": later.isoformat()})["results"]
    assert [was["score"] == now["score"] for was, now in zip(before, after, strict=True)] == [False, True]
    assert {now["as_of"] for now in after} == {later.isoformat()}


def test_credit_is_told_anew_when_a_suspension_ends_though_its_creator_has_not_changed(own_engine):
    one, other = own_engine._catalogue.state.ids[:2]
    lookup, asked = own_engine._lookup, {"creator_ids": [one]}
    for creator_id, days, code in ((one, 0, "VIOLATION_CONFIRMED"), (other, 4000, "TRAINING_PASSED")):
        at = own_engine.as_of + pd.Timedelta(days=days, seconds=1)
        event = {c.EVENT_ID: code, c.EVENT_TYPE: code, c.CREATOR_ID: creator_id, c.EVENT_TIME: at, c.SEVERITY: 3.0}
        append_events(own_engine, pd.DataFrame([event]))
        lookup._source, own_engine._lookup = own_engine._lookup._source, lookup
        (now,) = own_engine.credit(asked)["results"]
        assert (now["order_status"] == "SUSPENDED") == (creator_id == one)
        assert [now] == own_engine.credit(asked | {"as_of": own_engine.as_of.isoformat()})["results"]
