"""Money at risk by hand."""

from typing import Any

import pandas as pd
import pytest

from features import columns as c
from features.schema import COLLABORATION_EVENTS, conform
from models.stake import money_at_risk

NOW = pd.Timestamp("2025-06-01")
RATES = {"USD": 1.0, "EUR": 2.0}
PRICE = pd.Series({"ana": 90.0, "bo": 30.0, "cy": float("nan")})


def step(kind: str, days_ago: float, key: str = "k", **more: object) -> dict[str, object]:
    row = {"creator_id": "ana", "collaboration_id": key, "event_type": kind, "event_id": f"{key}-{kind}"}
    return row | {"event_time": NOW - pd.Timedelta(days=days_ago)} | more


def at_risk(*rows: dict[str, object], worth: dict[str, float] | None = None) -> dict[str, Any]:
    events = conform(pd.DataFrame(list(rows)), COLLABORATION_EVENTS)
    return money_at_risk(events, PRICE, worth or RATES, NOW).to_dict()


def contracted(days_ago: float, amount: float, key: str = "k", **more: object) -> list[dict[str, object]]:
    terms = {c.AMOUNT: amount, c.CURRENCY: "USD"} | more
    return [step("ACCEPTED", days_ago + 1, key), step("CONTRACTED", days_ago, key, **terms)]


def test_without_any_contract_a_third_of_the_price_and_without_a_price_nothing_is_known():
    assert at_risk() == pytest.approx({"ana": 30, "bo": 10, "cy": float("nan")}, nan_ok=True)


def test_what_runs_and_a_third_of_what_was_contracted_lately():
    assert at_risk(*contracted(10, 300))["ana"] == pytest.approx(300 + 100)
    assert at_risk(*contracted(10, 300), *contracted(20, 60, "k2"))["ana"] == pytest.approx(360 + 120)


def test_what_was_contracted_long_ago_and_runs_is_open_but_tells_nothing_of_the_next_month():
    assert at_risk(*contracted(91, 300))["ana"] == pytest.approx(300 + 30)


@pytest.mark.parametrize("end", ["SETTLED", "CANCELLED_BY_BRAND", "DEFAULTED"])
def test_what_has_ended_is_not_open(end):
    assert at_risk(*contracted(10, 300), step(end, 2))["ana"] == pytest.approx(100)


def test_what_was_published_and_not_paid_is_open_still():
    assert at_risk(*contracted(10, 300), step("PUBLISHED", 2))["ana"] == pytest.approx(400)


def test_what_was_accepted_without_an_amount_counts_its_price():
    assert at_risk(step("ACCEPTED", 3))["ana"] == pytest.approx(90 + 30)
    assert at_risk(step("INVITED", 3))["ana"] == pytest.approx(30)


def test_amounts_are_compared_in_dollars_and_without_a_rate_the_price_stands_in():
    assert at_risk(*contracted(10, 300, currency="EUR"))["ana"] == pytest.approx(600 + 200)
    assert at_risk(*contracted(10, 300, currency="JPY"))["ana"] == pytest.approx(90 + 30)


def test_what_cannot_be_valued_counts_nothing_beside_what_can():
    rows = [row | {"creator_id": "cy"} for row in [*contracted(10, 300), *contracted(10, 50, "k2", currency="JPY")]]
    assert at_risk(*rows)["cy"] == pytest.approx(400)


def test_the_latest_amount_told_of_a_job_is_its_amount():
    again = step("CONTENT_SUBMITTED", 5, amount=200.0, currency="USD")
    assert at_risk(*contracted(10, 300), again)["ana"] == pytest.approx(200 + 200 / 3)
