"""What models say enters the ledger once, only where it moved, and can take so much and no more."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import schema
from models.credit import credit_scores
from models.credit_assessments import AUTHENTICITY, INTERACTION, assessments, interaction
from tests.models.test_credit import DAY, GOOD, ME, POLICY, START, Event, few, ledger, row

VERSIONS = {AUTHENTICITY: "fraud-7", INTERACTION: "peers-1"}
NO_EVENTS = schema.empty(schema.COLLABORATION_EVENTS)


def assessed(events: pd.DataFrame, values: Mapping[str, float], day: float = 0) -> pd.DataFrame:
    table = pd.DataFrame([values], index=ME, dtype=float)
    return assessments(events, table, VERSIONS, POLICY, START + day * DAY)


def test_an_assessment_names_who_what_when_and_by_what() -> None:
    [found] = assessed(NO_EVENTS, {AUTHENTICITY: 0.12345, INTERACTION: np.nan}).to_dict("records")
    told = {name: value for name, value in found.items() if pd.notna(value)}
    assert told == {
        "event_id": "assessed-AUTHENTICITY-2026-01-01T00:00:00-c1", "creator_id": "c1", "event_type": "ASSESSED",
        "event_time": START, "received_at": START, "factor": AUTHENTICITY, "value": 0.123, "model_version": "fraud-7",
    }  # fmt: skip


@pytest.mark.parametrize(("value", "written"), [(0.5, False), (0.64, False), (0.65, True), (0.36, False), (0.35, True)])
def test_what_moved_by_less_than_the_dead_band_is_not_said_again(value: float, written: bool) -> None:
    before = ledger([{"event_type": "ASSESSED", "factor": AUTHENTICITY, "value": one} for one in (0.1, 0.5)])
    other = ledger([{"event_type": "ASSESSED", "factor": INTERACTION, "value": 0.9}]).assign(event_id="other")
    found = assessed(pd.concat([before, other]).sample(frac=1, random_state=1), {AUTHENTICITY: value}, 9)
    assert len(found) == written


@pytest.mark.parametrize(("factor", "value", "written"), [
    (AUTHENTICITY, 0.6, False), (AUTHENTICITY, 0.9, True), (INTERACTION, 0.5, False), (INTERACTION, 0.2, True),
])  # fmt: skip
def test_a_first_assessment_that_says_nothing_is_not_written(factor: str, value: float, written: bool) -> None:
    assert len(assessed(NO_EVENTS, {factor: value})) == written


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_the_same_again_adds_nothing_and_all_that_is_said_is_apart(values: Sequence[float]) -> None:
    events = NO_EVENTS
    for day, value in enumerate(values):
        events = pd.concat([events, assessed(events, {AUTHENTICITY: value, INTERACTION: 1 - value}, day)])
        assert assessed(events, {AUTHENTICITY: value, INTERACTION: 1 - value}, day + 0.5).empty
    assert events["event_id"].is_unique
    for _, said in events.groupby("factor"):
        assert (said["value"].diff().abs().dropna().round(3) >= POLICY.assessment_dead_band).all()


@few
@given(st.lists(st.tuples(st.sampled_from(sorted(VERSIONS)), st.floats(0, 1)), max_size=30), st.integers(0, 4))
def test_whatever_models_say_a_newcomer_stays_open_and_loses_little(
    said: Sequence[tuple[str, float]], times: int
) -> None:
    told: list[Event] = [{"event_type": "ASSESSED", "factor": factor, "value": value} for factor, value in said]
    found = row(ledger(told * times))
    assert found["order_status"] == "OPEN"
    assert found["score"] >= 470
    working = ledger([*GOOD[:6], *told * times])
    assert row(working)["score"] >= row(ledger(GOOD[:6]))["score"] - 0.12 * (500 - 300) - 0.08 * (500 - 300) - 0.1


def test_a_person_who_confirms_takes_what_a_model_cannot() -> None:
    told = [{"event_type": "ASSESSED", "factor": AUTHENTICITY, "value": 0.0}] * 60
    assert row(ledger(told))["order_status"] == "OPEN"
    confirmed = credit_scores(ledger([*told, {"event_type": "FRAUD_CONFIRMED"}]), POLICY, START + 61 * DAY, ME).iloc[0]
    assert confirmed["order_status"] == "SUSPENDED"
    assert confirmed["score"] < row(ledger(told))["score"]


def test_interaction_is_the_place_among_peers_of_the_same_size() -> None:
    small = pd.DataFrame(
        {"comments_per_view": np.arange(20) / 100, "shares_per_view": 0.01, "log_followers": np.log(500)}
    )
    large = small.assign(comments_per_view=0.5, log_followers=np.log(5e6)).head(19)
    nothing = small.assign(comments_per_view=np.nan).head(1)
    found = interaction(pd.concat([small, large, nothing], ignore_index=True))
    assert found[:20].tolist() == [(place + 0.5) / 20 for place in range(20)]
    assert found[20:].isna().all()
