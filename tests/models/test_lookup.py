"""What was made of a creator's rows is kept until that creator changes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest

from features import columns as c
from features.schema import Tables
from features.source import InMemory
from models.engine import Engine
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
