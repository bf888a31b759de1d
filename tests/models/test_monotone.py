"""What the world decides, the served models and the whole rank path never turn round: a dearer price, more fraud or a
worse record never help, higher credit never hurts. On the release trained for these tests, not on a model made up."""

from dataclasses import replace
from itertools import cycle, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import columns as c
from features.pairs import pair_features
from features.schema import COLLABORATION_EVENTS, Tables, conform
from features.source import InMemory
from features.tags import Words
from models.catalogue import Catalogue
from models.credit import credit_scores
from models.engine import Engine, brief_row
from models.ranker import MONOTONE
from models.ranking import query_of, rank
from tests.models.conftest import FEW

BRIEF = {
    "description": "cozy recipe videos, honest taste", "content_labels": ["food"], "budget": 4000, "currency": "USD",
    "creators_wanted": 2, "target_countries": ["US"],
}  # fmt: skip
OWN_CAPS, OPEN = (np.nan, 0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 1.0, 2.0, 3.0, 4.0)


@pytest.fixture(scope="module")
def small(engine: Engine, few: Tables) -> Engine:
    """Over 60 creators, all of whom fit into one answer. Read only."""
    return Engine(engine._bundle, InMemory(few), engine._bank)


@pytest.fixture(scope="module")
def pairs(small: Engine) -> pd.DataFrame:
    brief, catalogue = brief_row({"brief": BRIEF}, small.as_of), small._catalogue
    query = query_of(catalogue, small._bundle, small._bank, brief, {})
    return pair_features(query, catalogue.state, np.arange(FEW))


@pytest.fixture(scope="module")
def ids(small: Engine) -> list[str]:
    """Who is ranked, best first."""
    return list(places(small, small._catalogue))


def places(small: Engine, catalogue: Catalogue, **request: Any) -> dict[str, int]:
    """creator_id → rank, by the whole path, without exploration and diversity."""
    asked = {"brief": BRIEF, "limit": FEW, "explore": False, "diversity": 0.0, **request}
    answer = rank(catalogue, small._bundle, small._bank, asked, brief_row(asked, small.as_of))
    return {one["creator_id"]: one["rank"] for one in answer["results"]}


def with_column(catalogue: Catalogue, creator_id: str, name: str, value: float) -> Catalogue:
    frame = catalogue.state.frame.copy()
    frame.loc[creator_id, name] = value
    return replace(catalogue, state=replace(catalogue.state, frame=frame))


two_shares = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


@pytest.mark.parametrize("name", sorted(MONOTONE))
@settings(max_examples=10, deadline=None)
@given(ends=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)).map(sorted))
def test_the_served_rankers_score_moves_only_one_way(small, pairs, name, ends):
    low, high = (small._bundle.ranker.score(pairs.assign(**{name: value})) for value in ends)
    assert (MONOTONE[name] * (high - low) >= 0).all()


def test_the_constraints_bite_where_the_served_models_use_the_feature(small, pairs):
    """A constraint on what no tree reads would hold of itself; fraud no tree of so small a market need read."""
    ends = {"price_to_budget": (0.1, 20.0), "credit_score": (0.0, 1000.0)}
    for name, (low, high) in ends.items():
        scores = [small._bundle.ranker.score(pairs.assign(**{name: value})) for value in (low, high)]
        assert (scores[0] != scores[1]).any(), name


@settings(max_examples=12, deadline=None)
@given(place=st.integers(0, FEW - 1), prices=st.tuples(st.integers(1, 200_000), st.integers(1, 200_000)).map(sorted))
def test_a_higher_price_never_helps(small, ids, place, prices):
    chosen = ids[place % len(ids)]
    bids = [[{"creator_id": chosen, "amount": float(price), "currency": "USD"}] for price in prices]
    cheap, dear = (places(small, small._catalogue, bids=bid) for bid in bids)
    assert dear[chosen] >= cheap[chosen]


@settings(max_examples=12, deadline=None)
@given(place=st.integers(0, FEW - 1), shares=two_shares)
def test_more_fraud_never_helps(small, ids, place, shares):
    chosen = ids[place % len(ids)]
    less, more = (places(small, with_column(small._catalogue, chosen, "fraud_probability", p)) for p in shares)
    assert more[chosen] >= less[chosen]


@settings(max_examples=12, deadline=None)
@given(place=st.integers(0, FEW - 1), shares=two_shares)
def test_higher_credit_never_lowers_the_rank(small, ids, place, shares):
    chosen = ids[place % len(ids)]
    low, high = (places(small, with_column(small._catalogue, chosen, "credit_score", 1000 * p)) for p in shares)
    assert high[chosen] <= low[chosen]


def standing(small: Engine, undelivered: int) -> pd.DataFrame:
    """The credit of all 60 creators, had each left so many orders undelivered and nothing else happened."""
    steps = product(small._catalogue.state.ids, range(undelivered), ("INVITED", "ACCEPTED", "CONTRACTED", "DEFAULTED"))
    rows = [(f"{one}-{i}-{step}", one, f"{one}-{i}", step) for one, i, step in steps]
    ledger = pd.DataFrame(rows, columns=[c.EVENT_ID, c.CREATOR_ID, c.COLLABORATION_ID, c.EVENT_TYPE], dtype="str")
    ledger = conform(ledger.assign(**{c.EVENT_TIME: small.as_of, c.BRAND_ID: "b"}), COLLABORATION_EVENTS)
    return credit_scores(ledger, small._bundle.policy, small.as_of, small._catalogue.state.ids)


def with_credit(catalogue: Catalogue, credit: pd.DataFrame) -> Catalogue:
    frame = catalogue.state.frame.assign(credit_score=credit["score"])
    return replace(catalogue, credit=credit, state=replace(catalogue.state, frame=frame))


@pytest.fixture(scope="module")
def capped(small: Engine) -> Catalogue:
    """Every pair of an own cap and a number of open orders, one creator each (and again, until all have some)."""
    grid = np.array([pair for pair, _ in zip(cycle(product(OWN_CAPS, OPEN)), range(FEW), strict=False)])
    state = small._catalogue.state
    everyone_in = Words(("IN",), np.zeros(FEW, np.int32))
    frame = state.frame.assign(open_orders=grid[:, 1])
    return replace(
        small._catalogue, state=replace(state, max_open_orders=grid[:, 0], statuses=everyone_in, frame=frame)
    )


def test_higher_credit_never_lowers_the_rank_whatever_the_caps_on_orders(small, capped):
    low, high = standing(small, undelivered=8), standing(small, undelivered=0)
    assert (set(low["order_status"]), set(high["order_status"])) == ({"LIMITED"}, {"OPEN"})
    before = places(small, with_credit(capped, low))
    offered = 0
    for one in capped.state.ids:
        risen = low.copy()
        risen.loc[one] = high.loc[one]
        after = places(small, with_credit(capped, risen))
        assert after.get(one, FEW + 1) <= before.get(one, FEW + 1)
        offered += one in after and one not in before
    assert offered, "the policy's cap never mattered"
