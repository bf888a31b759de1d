"""Bands and limits with hysteresis: entered at a bound, left only below it, and a matter of the ledger alone."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit import credit_scores
from models.credit_factors import FACTORS, coded, in_order, rounded_score
from models.credit_state import State, after, newcomers
from models.credit_steps import steps
from tests.models.test_credit import AS_OF, BAD, EVENTS, GOOD, ME, POLICY, START, Event, few, ledger, row, with_one

STARTS = [band.start for band in POLICY.bands]
NOTHING = steps(coded(ledger([{"event_type": "DECLINED"}])), POLICY)


def walked(scores: Sequence[float]) -> State:
    """One creator whose score was first the newcomer's and then each of these (to a tenth)."""
    state = newcomers(1, POLICY)
    for score in scores:
        odds = POLICY.prior[0] / POLICY.prior[1] * 2 ** ((score - POLICY.base_score) / POLICY.points_to_double_odds)
        there = state._replace(alpha=odds[None], beta=np.ones((1, len(FACTORS))))
        state = after(there, NOTHING, POLICY)
    return state


@pytest.mark.parametrize(
    ("scores", "band"),
    [
        ((599.9,), "GOOD"),
        ((600,), "VERY_GOOD"),
        ((600, 580), "VERY_GOOD"),
        ((600, 579.9), "GOOD"),
        ((600, 579.9, 599.9), "GOOD"),
        ((760, 590), "VERY_GOOD"),
        ((760, 100), "AT_RISK"),
        ((100, 760), "EXCELLENT"),
    ],
)
def test_a_band_is_entered_at_its_start_and_left_twenty_points_below(scores: Sequence[float], band: str) -> None:
    assert POLICY.bands[walked(scores).place[0]].name == band


@pytest.mark.parametrize(
    ("scores", "limited"), [((400,), False), ((399.9,), True), ((399, 419.9), True), ((399, 420), False)]
)
def test_the_limit_is_entered_below_its_bound_and_left_twenty_points_above(
    scores: Sequence[float], limited: bool
) -> None:
    assert walked(scores).limited[0] == limited


@given(st.sampled_from(STARTS[1:]), st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=20))
def test_a_score_that_moves_less_than_the_margin_changes_its_band_once_at_most(
    start: float, steps: Sequence[float]
) -> None:
    places = [
        walked([start + POLICY.hysteresis * step for step in steps[: end + 1]]).place[0] for end in range(len(steps))
    ]
    assert (np.diff(places) != 0).sum() <= 1


@given(st.lists(st.floats(0, 1000), max_size=12))
def test_the_band_is_never_farther_from_the_score_than_the_margin(scores: list[float]) -> None:
    state = walked(scores)
    score = rounded_score(state.alpha, state.beta, POLICY)[0]
    band = POLICY.bands[state.place[0]]
    above = [*STARTS, 1001][state.place[0] + 1]
    assert band.start - POLICY.hysteresis <= score < above


@few
@given(EVENTS, st.sampled_from([*GOOD, *BAD]), st.integers(0, 12))
def test_good_never_lowers_the_band_and_bad_never_raises_it(history: Sequence[Event], event: Event, place: int) -> None:
    before, now = row(ledger(history)), row(with_one(history, event, place))
    sign = 1 if event in GOOD else -1
    assert sign * (now["stars"] - before["stars"]) >= 0
    if event in GOOD and before["order_status"] == "OPEN":
        assert now["order_status"] == "OPEN"


def test_without_hysteresis_the_band_is_the_scores() -> None:
    policy = replace(POLICY, hysteresis=0.0)
    found = credit_scores(ledger([*GOOD * 5, *BAD]), policy, AS_OF, ME).iloc[0]
    assert found["stars"] == np.searchsorted(STARTS, found["score"], side="right")


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.text("ab1", min_size=1, max_size=3)), max_size=12, unique_by=lambda x: x[1]
    )
)
def test_events_come_in_order_of_time_then_of_id(rows: list[tuple[int, str]]) -> None:
    events = pd.DataFrame(rows, columns=["day", "event_id"]).astype({"event_id": "str"})
    events = events.assign(event_time=START + pd.to_timedelta(events["day"], unit="D"))
    assert in_order(events)["event_id"].tolist() == [name for _, name in sorted(rows)]
