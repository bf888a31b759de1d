"""Creators who have just worked for a competitor are not offered, unless they are asked for by name."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.schema import BRIEFS, conform
from features.source import InMemory
from models.engine import Engine
from models.exclusivity import WITHIN, Rivals, industries
from tests.models.writes import append_events, tables_of

BRIEF = {"description": "cozy recipe videos", "brand_id": "ours", "industry": "Tea"}
DAY = pd.Timedelta(days=1)


def briefs(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    return conform(pd.DataFrame(list(rows), columns=[c.BRIEF_ID, c.BRAND_ID, c.INDUSTRY]), BRIEFS)


def test_competitors_are_the_other_brands_of_the_industry():
    table = briefs(
        ("1", "ours", "tea"), ("2", "rival", "TEA "), ("3", "other", "cars"), ("4", None, "tea"), ("5", "x", None)
    )
    ours = table.iloc[0]
    rivals = Rivals(industries(table), pd.DataFrame())
    assert rivals.competitors(ours) == {"rival"}
    assert rivals.competitors(ours.replace("tea", "Tea")) == {"rival"}
    assert rivals.competitors(table.iloc[3]) == rivals.competitors(table.iloc[4]) == set()


@pytest.fixture
def teas(own_engine: Engine) -> Engine:
    """The engine of 60 creators, in which a rival sells tea and another brand cars."""
    tables = tables_of(own_engine)
    known = briefs(("t", "rival", "TEA"), ("k", "carmaker", "cars")).assign(**{c.CREATED_AT: own_engine.as_of})
    with_both = InMemory({**tables, "briefs": pd.concat([tables["briefs"], known])})
    return Engine(own_engine._bundle, with_both, own_engine._bank)


def ranked(engine: Engine, **request: Any) -> dict[str, Any]:
    return engine.rank({"brief": BRIEF, "limit": 200, **request})


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [one["creator_id"] for one in answer["results"]]


def with_room(engine: Engine) -> list[str]:
    """The creators ranked who may take another two jobs, so that nothing but exclusivity takes them away."""
    state = engine._catalogue.state
    room = np.where(np.isnan(state.max_open_orders), 99, state.max_open_orders) - state.frame["open_orders"]
    return [one for one in ids_of(ranked(engine)) if room[one] > 2]


def work(engine: Engine, creator_id: str, brand: str, last: str = "ACCEPTED", before: pd.Timedelta = DAY) -> None:
    """The first steps of a job that has come to ``last`` so long before the end of the data."""
    steps = {"INVITED": ["INVITED"], "ACCEPTED": ["INVITED", "ACCEPTED"]}[last]
    rows = {c.EVENT_ID: [f"{brand}-{creator_id}-{step}" for step in steps], c.EVENT_TYPE: steps}
    same = {c.CREATOR_ID: creator_id, c.COLLABORATION_ID: f"{brand}-{creator_id}", c.BRAND_ID: brand}
    append_events(engine, pd.DataFrame(rows).assign(**same, **{c.EVENT_TIME: engine.as_of - before}))


def test_who_works_for_a_competitor_is_not_offered_from_the_event_on(teas):
    one, other, third, fourth = with_room(teas)[:4]
    work(teas, one, "rival")
    work(teas, other, "carmaker")
    work(teas, third, "rival", "INVITED")
    work(teas, fourth, "ours")
    answer = ranked(teas)
    assert one not in ids_of(answer)
    assert {other, third, fourth} <= set(ids_of(answer))
    assert {"filter": "exclusivity", "removed": 1, "unknown": 0} in answer["candidates"]["removed"]
    candidates = answer["candidates"]
    assert candidates["catalogue"] - sum(each["removed"] for each in candidates["removed"]) == candidates["eligible"]


def test_work_that_lies_long_enough_back_is_no_obstacle(teas):
    one, other = with_room(teas)[:2]
    work(teas, one, "rival", before=WITHIN)
    work(teas, other, "rival", before=WITHIN - DAY)
    found = ids_of(ranked(teas))
    assert one in found
    assert other not in found


@pytest.mark.parametrize("missing", ["brand_id", "industry"])
def test_a_brief_without_brand_or_industry_has_no_competitors(teas, missing):
    one = with_room(teas)[0]
    work(teas, one, "rival")
    brief = {name: value for name, value in BRIEF.items() if name != missing}
    answer = teas.rank({"brief": brief, "limit": 200})
    assert one in ids_of(answer)
    assert "exclusivity" not in [removed["filter"] for removed in answer["candidates"]["removed"]]


def test_a_pin_is_respected_all_the_same(teas):
    one = ids_of(ranked(teas))[5]
    work(teas, one, "rival")
    assert ids_of(ranked(teas, pin_creator_ids=[one]))[0] == one
