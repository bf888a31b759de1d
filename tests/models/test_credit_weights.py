"""Who rates, what an order is worth and how often its brand comes back: how much an event weighs, and what never
changes by it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import columns as c
from models.credit_factors import coded_events, effects, evidence
from models.credit_policy import Repeated, ValueClass
from models.credit_weights import times
from tests.models.test_credit import AS_OF, DAY, POLICY, START, Event, few, ledger

WEIGHING = replace(
    POLICY,
    raters={"harsh": 1.0, "generous": -0.5, "always 1": 2.0},
    usd={"USD": 1.0, "EUR": 1.25},
    value_classes=(ValueClass(0, 0.5), ValueClass(100, 1), ValueClass(1000, 2)),
    repeated=Repeated(days=10, times=0.5),
)


def weights(events: Sequence[Event]) -> list[float]:
    """The signed weights of the events that weigh something, in order of time."""
    coded = coded_events(ledger(events), AS_OF)
    return evidence(coded, effects(coded, WEIGHING))["weight"].round(6).tolist()


def rated(rating: float, brand_id: str | None) -> Event:
    return {"event_type": "RATED", "rating": rating, "brand_id": brand_id}


def order(number: int, day: float, brand_id: str = "b1", **said: object) -> list[Event]:
    """An order that is agreed on a day and settled the next."""
    named = {"collaboration_id": f"k{number}", "brand_id": brand_id}
    events = [("CONTRACTED", day, said), ("SETTLED", day + 1, {})]
    return [{"event_type": kind, "event_time": START + at * DAY} | named | more for kind, at, more in events]


@pytest.mark.parametrize(
    ("brand_id", "expected"),
    [
        (None, [-2, -1, 0.5, 1]),
        ("unknown", [-2, -1, 0.5, 1]),
        ("harsh", [-1, 0, 1, 1]),
        ("generous", [-2, -1.5, 0.25, 0.75]),
        ("always 1", [0, 0.5, 1, 1]),
    ],
)
def test_a_rating_says_what_a_brand_of_usual_severity_would_have_said(
    brand_id: str | None, expected: list[float]
) -> None:
    found = [weights([rated(rating, brand_id)]) or [0.0] for rating in (1, 2, 4, 5)]
    assert found == [[weight] for weight in expected]


@few
@given(st.floats(-2, 2), st.floats(1, 5), st.floats(1, 5))
def test_more_stars_of_one_brand_never_weigh_less(severity: float, one: float, other: float) -> None:
    policy = replace(POLICY, raters={"b1": severity})
    rows = ledger([rated(1, "b1"), rated(min(one, other), "b1"), rated(max(one, other), "b1"), rated(5, "b1")])
    coded = coded_events(rows, AS_OF)
    found = evidence(coded, effects(coded, policy)).set_index("event_id")["weight"].reindex(rows["event_id"])
    found = found.fillna(0.0)  # what says nothing is no evidence
    assert found.is_monotonic_increasing
    assert found.iloc[0] <= 0 <= found.iloc[-1]


def test_the_amount_agreed_puts_an_order_into_its_class_of_value() -> None:
    by_amount = {10: 0.5, 100: 1.0, 999: 1.0, 1000: 2.0}
    for amount, expected in by_amount.items():
        assert weights(order(1, 0, amount=amount, currency="USD")) == [expected * 0.5, expected * 1.0]
    assert weights(order(1, 0, amount=800, currency="EUR"))[-1] == 2.0
    for unknown in ({}, {"amount": 5.0}, {"amount": 5.0, "currency": "ZZZ"}):
        assert weights(order(1, 0, **unknown))[-1] == 1.0


def test_what_is_settled_or_said_later_does_not_change_the_class() -> None:
    contract, settled = order(1, 0, amount=10.0, currency="USD")
    rating = rated(5, "b1") | {"collaboration_id": "k1"}
    paid = settled | {"amount": 5000.0, "currency": "USD"}
    assert weights([contract, paid, rating]) == weights([contract, settled, rating])
    before = order(1, 0)[1] | {"event_time": START - DAY}
    assert weights([before, contract])[-1] == 1.0


def test_a_brand_that_comes_back_within_days_says_less_each_time_and_everything_after_a_pause() -> None:
    orders = [*order(1, 0), *order(2, 5), *order(3, 10), *order(4, 30), *order(5, 11, "b2")]
    found = times(coded_events(ledger(orders), AS_OF), WEIGHING)
    rows = coded_events(ledger(orders), AS_OF)
    by_order = pd.Series(found, rows[c.COLLABORATION_ID]).groupby(level=0).agg(set).to_dict()
    assert by_order == {"k1": {1.0}, "k2": {0.5}, "k3": {0.25}, "k4": {1.0}, "k5": {1.0}}


@few
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.floats(0, 40)), max_size=12), st.integers(0, 99))
def test_times_are_those_of_a_count_by_hand_in_any_order_of_rows(
    orders: list[tuple[int, int, float]], seed: int
) -> None:
    rows = [
        {
            "event_type": "ACCEPTED", "creator_id": f"c{creator}", "brand_id": f"b{brand}",
            "collaboration_id": f"k{number}", "event_time": START + pd.Timedelta(seconds=round(day * 86400)),
        }
        for number, (creator, brand, day) in enumerate(orders)
    ]  # fmt: skip
    events = coded_events(ledger(rows).sample(frac=1, random_state=seed), AS_OF)
    told = list(events[["creator_id", "brand_id", "event_time"]].itertuples(index=False))
    expected = [
        0.5 ** sum(one[:2] == other[:2] and one[2] - other[2] <= 10 * DAY for other in told[:place])
        for place, one in enumerate(told)
    ]
    np.testing.assert_allclose(times(events, WEIGHING), expected)


def test_conduct_weighs_the_same_whatever_the_order() -> None:
    violation = {"event_type": "VIOLATION_CONFIRMED", "severity": 1.0, "collaboration_id": "k1", "brand_id": "b1"}
    assert weights([*order(1, 0, amount=10.0, currency="USD")[:1], violation]) == [-1.0]
