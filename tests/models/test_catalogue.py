"""A catalogue that follows writes is the one that would be built anew; what a release without all models serves."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import sparse

from features import columns as c
from features.asof import known
from features.pairs import pair_features
from features.queries import Past
from features.schema import AUDIENCE, COLLABORATION_EVENTS, CREATORS, Tables, conform
from features.source import InMemory
from models.catalogue import Catalogue, scored
from models.engine import Engine, brief_row
from models.ranking import query_of
from tests.models.writes import append_events, delete, tables_of, upsert

TICK = pd.Timedelta(microseconds=1)
SOME = 8
BRIEF = {
    "title": "Iced matcha", "description": "street food for your cozy matcha", "content_labels": ["food", "label-1"],
    "budget": 5000, "currency": "USD", "target_countries": ["ID"], "content_formats": ["LIVE"],
}  # fmt: skip
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
        pasts_of(engine._catalogue)
        write(engine, kind, [*people, *people][who], number)
    assert_same(engine, anew(engine))


def test_a_creator_who_leaves_takes_along_what_shared_accounts_told_of_others(template):
    catalogue = template._catalogue
    gone = catalogue.fraud["shared_engagers"].idxmax()
    engine = copied(template)
    delete(engine, [gone])
    found = engine._catalogue.everyone(lambda part: part.fraud)["shared_engagers"]
    assert (found != catalogue.fraud["shared_engagers"][found.index]).any()
    assert_same(engine, anew(engine))


def test_everyone_but_one_may_leave(template):
    engine = copied(template)
    first, *others = template._catalogue.state.ids
    delete(engine, others)
    assert engine._catalogue.size == 1
    assert engine._catalogue.missing([first, *others]) == others
    assert_same(engine, anew(engine))


def test_what_was_read_of_briefs_and_brands_outlives_a_write_about_others(template):
    engine = copied(template)
    before = engine._catalogue
    brands = before.engaged.groupby(c.BRAND_ID)[c.CREATOR_ID].agg(set)
    who = next(
        one for one in before.state.ids if 0 < brands.map(lambda hired, one=one: one in hired).sum() < len(brands)
    )
    last = before.engaged[c.BRAND_ID][before.engaged["engaged_at"] == before.latest]
    kept = {brand: before.history(brand, before) for brand in brands.index.difference(last)}
    asked = {"brief": BRIEF | {c.BRAND_ID: next(brand for brand in kept if who not in brands[brand])}}
    engine.rank(asked)
    [reading] = before.readings._values.values()
    write(engine, "upsert", who, 1)
    after = engine._catalogue
    for brand, history in kept.items():
        assert (after.history(brand, after) is history) == (who not in brands[brand])
    engine.rank(asked)
    [again] = after.readings._values.values()
    assert again is reading


def copied(engine: Engine) -> Engine:
    """Another engine over the same tables and catalogue, without building them again."""
    other = Engine.__new__(Engine)
    other.__dict__.update(engine.__dict__)
    return other


def write(engine: Engine, kind: str, who: str, number: int) -> None:
    at = engine.as_of + TICK * number
    there = not engine._catalogue.missing([who])
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
    """What building the catalogue of all creators gives, with the clock and in the world of the one that followed."""
    old = engine._catalogue
    seen = known(tables_of(engine), old.latest, old.latest)
    return scored(engine._bundle, seen, old.as_of, old.latest, engine._bank, old.state.world)


def assert_same(engine: Engine, expected: Catalogue) -> None:
    """All that answers read of a creator is equal, in whichever part it stands, but for the last bits of what is summed
    in another order."""
    found = engine._catalogue
    assert found.size == expected.size == len(expected.state.ids)
    for frame in (lambda part: part.fraud, lambda part: part.credit, lambda part: part.dealings):
        pd.testing.assert_frame_equal(found.everyone(frame).loc[expected.state.ids], frame(expected), check_exact=True)
    pd.testing.assert_frame_equal(pairs_of(engine, found), pairs_of(engine, expected), rtol=1e-5, atol=1e-6)
    theirs = pasts_of(expected)
    for brand, (rows, past) in pasts_of(found).items():
        assert rows == theirs[brand][0]
        for one, other in zip(vars(past).values(), vars(theirs[brand][1]).values(), strict=True):
            dense = [value.toarray() if sparse.issparse(value) else value for value in (one, other)]
            np.testing.assert_allclose(*dense, rtol=1e-5, atol=1e-6)
    assert listed(found) == listed(expected)
    work = [one.rivals.work.sort_values([*one.rivals.work]).reset_index(drop=True) for one in (found, expected)]
    pd.testing.assert_frame_equal(*work)


def pairs_of(engine: Engine, catalogue: Catalogue) -> pd.DataFrame:
    """What the ranker would see of everyone, for the brief of a brand with a past."""
    brief = brief_row({"brief": BRIEF | {c.BRAND_ID: catalogue.engaged[c.BRAND_ID].mode()[0]}}, catalogue.latest)
    pairs = []
    for part in catalogue.parts:
        query = query_of(catalogue, engine._bundle, engine._bank, brief, {}, part)
        pairs.append(pair_features(query, part.state, np.flatnonzero(~part.gone)))
    return pd.concat(pairs).sort_index()


def pasts_of(catalogue: Catalogue) -> dict[str, tuple[list[tuple[str, str]], Past]]:
    """Of each brand whom it has hired and who failed it, of those who are there, and what they say of it."""
    found = {}
    for brand in catalogue.engaged[c.BRAND_ID].unique():
        pairs = [(part, catalogue.history(brand, part)) for part in catalogue.parts]
        rows = [
            (what, part.state.ids[row])
            for part, history in pairs
            for what, rows in (("past", history.past), ("failed", history.failed))
            for row in rows[~part.gone[rows]]
        ]
        found[brand] = sorted(rows), pairs[0][1].brand
    return found


def listed(catalogue: Catalogue) -> dict[str, Any]:
    """What a list shows of everyone, and whom the marketplace offers to nobody."""
    return {
        part.state.ids[row]: part.listing.summary(row) | {name: bool(rule[row]) for name, rule in part.closed.items()}
        for part in catalogue.parts
        for row in np.flatnonzero(~part.gone)
    }


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
