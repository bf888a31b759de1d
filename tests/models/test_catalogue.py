"""A catalogue that follows writes is the one that would be built anew; what a release without all models serves."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import sparse

from features import columns as c
from features.asof import known
from features.schema import AUDIENCE, COLLABORATION_EVENTS, CREATORS, Tables, conform
from features.source import InMemory
from models.catalogue import Catalogue, _scored
from models.engine import Engine
from tests.models.writes import append_events, delete, tables_of, upsert

TICK = pd.Timedelta(microseconds=1)
SOME = 8
STEPS = st.tuples(st.sampled_from(["upsert", "audience", "append_events", "delete"]), st.integers(0, SOME + 1))
JOB = ["INVITED", "ACCEPTED", "CONTRACTED", "CONTENT_SUBMITTED", "CONTENT_APPROVED", "PUBLISHED", "SETTLED"]


@pytest.fixture(scope="module")
def trusting(engine: Engine, few: Tables) -> Engine:
    """Of a release whose data had too few labels for a fraud model."""
    return Engine(replace(engine._bundle, fraud=None), InMemory(few), engine._bank)


@pytest.fixture(scope="module")
def template(engine: Engine, few: Tables) -> Engine:
    """Over 60 creators; every example starts from its catalogue, which writes never touch."""
    return Engine(engine._bundle, InMemory(few), engine._bank)


@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # an example takes long
@given(steps=st.lists(STEPS, min_size=1, max_size=5))
def test_after_any_writes_the_catalogue_is_the_one_built_anew(template, steps):
    engine = copied(template)
    people = [*template._catalogue.state.ids[: SOME - 2], "new-1", "new-2"]
    for number, (kind, who) in enumerate(steps):
        write(engine, kind, [*people, *people][who], number)
    assert_same(engine._catalogue, anew(engine))


def test_a_creator_who_leaves_takes_along_what_shared_accounts_told_of_others(template):
    catalogue = template._catalogue
    gone = catalogue.fraud["shared_engagers"].idxmax()
    engine = copied(template)
    delete(engine, [gone])
    found = engine._catalogue
    assert (found.fraud["shared_engagers"] != catalogue.fraud["shared_engagers"].drop(gone)).any()
    assert_same(found, anew(engine))


def test_everyone_but_one_may_leave(template):
    engine = copied(template)
    first, *others = template._catalogue.state.ids
    delete(engine, others)
    assert list(engine._catalogue.state.ids) == [first]
    assert_same(engine._catalogue, anew(engine))


def copied(engine: Engine) -> Engine:
    """Another engine over the same tables and catalogue, without building them again."""
    other = Engine.__new__(Engine)
    other.__dict__.update(engine.__dict__)
    return other


def write(engine: Engine, kind: str, who: str, number: int) -> None:
    at = engine.as_of + TICK * number
    there = who in engine._catalogue.state.ids
    if kind == "upsert":
        row = {
            c.CREATOR_ID: who, c.BIO: f"Matcha 抹茶 {number}", c.CONTENT_LABELS: ["food", f"label-{number}"],
            c.CREATOR_PRICE: 100.0 + number, c.CURRENCY: "USD", c.ONBOARDING_STATUS: "IN", c.OBSERVED_AT: at,
        }  # fmt: skip
        upsert(engine, conform(pd.DataFrame([row]), CREATORS), conform(pd.DataFrame(), AUDIENCE))
    elif kind == "audience" and there:
        shares = pd.DataFrame({c.BUCKET: ["ID", f"X{number}"], c.SHARE: [0.25, 0.75]})
        shares = shares.assign(**{c.CREATOR_ID: who, c.DIMENSION: "country", c.OBSERVED_AT: at})
        upsert(engine, conform(pd.DataFrame(), CREATORS), conform(shares, AUDIENCE))
    elif kind == "append_events" and there:
        events = pd.DataFrame({c.EVENT_TYPE: JOB[: 2 + number], c.EVENT_TIME: at, c.CREATOR_ID: who})
        key = {c.COLLABORATION_ID: f"k{number}", c.BRAND_ID: "new-brand"}
        events = events.assign(**key, event_id=[f"{number}-{i}" for i in events.index])
        append_events(engine, conform(events, COLLABORATION_EVENTS))
    elif kind == "delete" and there:
        delete(engine, [who])


def anew(engine: Engine) -> Catalogue:
    """What building the catalogue of all creators gives, with the clock of the one that followed."""
    old, tables = engine._catalogue, tables_of(engine)
    seen = known(tables, old.latest, old.latest)
    creators = seen["creators"].set_index(c.CREATOR_ID, drop=False)
    assert set(creators.index) == set(old.state.ids)
    seen["creators"] = creators.loc[list(old.state.ids)].reset_index(drop=True)  # new ones come last
    return _scored(engine._bundle, seen, old.as_of, old.latest, engine._bank).served()


def assert_same(one: Catalogue, other: Catalogue) -> None:
    """To the bit, but for the order of a table's rows."""
    assert list(one.state.ids) == list(other.state.ids)
    for (name, left), (_, right) in zip(parts(one), parts(other), strict=True):
        compare(name, left, right)


def parts(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """What stands inside a dataclass or mapping, by its path."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value) if field.name != "index"}
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from parts(value[key], f"{name}.{key}")
    else:
        yield name, value


def compare(name: str, left: Any, right: Any) -> None:
    if isinstance(left, pd.DataFrame):
        if isinstance(left.index, pd.RangeIndex) and not left.equals(right):  # a table, not aligned with the creators
            left, right = (sort(frame) for frame in (left, right))
        pd.testing.assert_frame_equal(left, right, check_exact=True, obj=name)
    elif sparse.issparse(left):
        assert left.shape == right.shape, name
        assert (left != right).nnz == 0, name
    elif isinstance(left, np.ndarray):
        np.testing.assert_array_equal(left, right, name)
    else:
        assert list(left) == list(right) if isinstance(left, pd.Index) else left == right, name


def sort(frame: pd.DataFrame) -> pd.DataFrame:
    rows = [str(row) for row in frame.itertuples(index=False)]
    return frame.iloc[np.argsort(rows, kind="stable")].reset_index(drop=True)


def test_without_a_fraud_model_every_creator_passes_a_filter_on_fraud_as_unknown(trusting: Engine) -> None:
    filters = {"filters": {"max_fraud_probability": 0.5}}
    found = trusting.search(filters)["candidates"]
    size = found["catalogue"]
    assert found == {
        "catalogue": size,
        "removed": [{"filter": "max_fraud_probability", "removed": 0, "unknown": size}],
        "eligible": size,
    }
    ranked = trusting.rank({"brief": {"title": "matcha"}} | filters)["results"]
    assert {one["fraud"]["probability"] for one in ranked} == {None}
