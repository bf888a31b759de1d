"""Attacks on credit stay within the bounds that its mechanism gives."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.credit import credit_scores, load_policy
from models.credit_policy import Repetition
from training.benchmarks.credit_attacks import (
    ENDS,
    START,
    Order,
    after_defaults_at_most,
    cheated,
    ledger,
    limited_after,
    one_brand_at_least,
    one_brand_at_most,
    scores,
    work,
)  # fmt: skip

POLICY = load_policy()
ROUNDING = 0.05
few = settings(max_examples=15, deadline=None)
DAYS = st.lists(st.floats(0, POLICY.repeated.days - 1), max_size=25)
ANY = st.lists(
    st.builds(Order, st.sampled_from("abcdefgh"), st.floats(0, 900), st.sampled_from(list(ENDS))), max_size=30
)


def score(events: pd.DataFrame) -> float:
    return float(credit_scores(events, POLICY, START + pd.Timedelta(days=3650), pd.Index(["me"]))["score"].iloc[0])


@few
@given(DAYS)
def test_praise_of_one_brand_is_bounded_however_often(days: list[float]) -> None:
    praised = ledger([Order("friend", day, "PRAISED") for day in days], "me")
    assert score(praised) <= one_brand_at_most(POLICY) + ROUNDING


@few
@given(DAYS)
def test_revenge_of_one_brand_is_bounded_however_often(days: list[float]) -> None:
    events = ledger([Order("enemy", day, "SLANDERED") for day in days], "me")
    said = events[events["event_type"].isin(["CONTRACTED", "RATED"])]
    assert score(said) >= one_brand_at_least(POLICY) - ROUNDING


@few
@given(ANY, st.integers(0, 8))
def test_no_past_outweighs_defaults(past: list[Order], defaults: int) -> None:
    bad = [Order(f"victim{place}", 1000.0 + place, "DEFAULTED") for place in range(defaults)]
    assert score(ledger([*past, *bad], "me")) <= after_defaults_at_most(defaults, POLICY) + ROUNDING


def test_many_brands_get_past_what_bounds_one() -> None:
    found = scores({n: work(n, "PRAISED") for n in (1, 20)}, POLICY)["score"]
    assert found[1] < one_brand_at_most(POLICY) < found[20]


def test_bounds_fall_with_defaults_and_a_newcomer_is_limited_by_a_few() -> None:
    bounds = [after_defaults_at_most(defaults, POLICY) for defaults in range(6)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] == 1000
    newcomer = cheated(0, POLICY)
    assert newcomer["score"].iloc[0] == POLICY.base_score
    assert newcomer["order_status"].tolist()[:2] == ["OPEN", "OPEN"]
    assert newcomer["order_status"].iloc[5] == "LIMITED"


def test_no_trust_built_up_lets_anyone_default_on() -> None:
    most = POLICY.repeated_default.times
    assert [limited_after(good, POLICY) for good in (0, 10, 50)] == [most] * 3
    lenient = replace(POLICY, repeated_default=Repetition())
    assert limited_after(50, lenient) is None


def test_ledger_of_an_order_is_legal() -> None:
    events = ledger([Order("b", 0.0, "PRAISED")], "me")
    assert events["event_type"].tolist() == ["CONTRACTED", *ENDS["PRAISED"]]
    assert events["rating"].dropna().tolist() == [5.0]
    assert not events["event_id"].duplicated().any()
    assert score(events) == pytest.approx(525.7, abs=10)
