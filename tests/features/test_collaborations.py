"""The life cycle: what may follow what, who must act, and what became of each collaboration."""

import re
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from features import schema
from features.collaborations import (
    AWAITED,
    BY_CREATOR,
    REMARKS,
    SETS_DUE,
    START,
    TERMINAL,
    TRANSITIONS,
    collaborations,
    progress,
    workload,
)
from features.vocabulary import LIFE_CYCLE_EVENTS

WHOLE = [
    "INVITED", "ACCEPTED", "CONTRACTED", "CONTENT_SUBMITTED", "REVISION_REQUESTED", "CONTENT_SUBMITTED",
    "CONTENT_APPROVED", "PUBLISHED", "METRICS_REPORTED", "SETTLED", "RATED",
]  # fmt: skip
DOCS = Path(__file__).parents[2] / "docs" / "life-cycle.md"
NONE = schema.empty(schema.COLLABORATION_EVENTS)


def ledger(*kinds: str, start: int = 0, key: str = "k1", **more: object) -> pd.DataFrame:
    """One event a day from day ``start`` on, all of creator c1 and one collaboration."""
    days = range(start, start + len(kinds))
    rows = {
        "event_id": [f"{key}-{day:03}" for day in days],
        "creator_id": "c1",
        "collaboration_id": key,
        "event_type": list(kinds),
        "event_time": pd.Timestamp("2026-01-01") + pd.to_timedelta(list(days), unit="D"),
    }
    return schema.conform(pd.DataFrame(rows | more), schema.COLLABORATION_EVENTS)


def joined(*parts: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)


@st.composite
def paths(draw: st.DrawFn) -> list[str]:
    """A way through the table of transitions, of any length."""
    history: list[str] = []
    while (legal := progress(history).legal()) and len(history) < 14 and (not history or draw(st.integers(0, 9))):
        history.append(draw(st.sampled_from(legal)))
    return history


def test_every_life_cycle_event_can_happen_and_every_state_is_declared() -> None:
    assert {event for legal in TRANSITIONS.values() for event in legal} == set(LIFE_CYCLE_EVENTS)
    assert set(TRANSITIONS) == {START, *LIFE_CYCLE_EVENTS} - set(REMARKS)


def test_every_state_that_is_no_end_awaits_a_legal_step() -> None:
    assert set(AWAITED) == set(TRANSITIONS) - {START, *TERMINAL}
    assert all(step in TRANSITIONS[state] for state, step in AWAITED.items())
    assert set(BY_CREATOR) <= set(AWAITED.values())
    assert set(SETS_DUE) <= set(AWAITED)


def test_docs_state_the_machine() -> None:
    page = DOCS.read_text(encoding="utf-8").partition("## Findings")[0]
    lines = re.findall(r"^\| (.*) \|$", page, re.MULTILINE)[1:]
    shown = {state: rest for state, *rest in (re.split(r" *\| *", line) for line in lines)}
    assert shown == {
        state or "(none yet)": [
            ", ".join(legal) or "nothing",
            AWAITED.get(state, ""),
            ("CREATOR" if AWAITED[state] in BY_CREATOR else "BRAND") if state in AWAITED else "",
        ]
        for state, legal in TRANSITIONS.items()
    }


def test_progress_reads_remarks_as_remarks() -> None:
    assert progress([]).legal() == ("INVITED",)
    assert progress(["INVITED", "ACCEPTED", "CONTRACTED"]).legal() == TRANSITIONS["CONTRACTED"]
    assert progress([*WHOLE[:8], "METRICS_REPORTED"]).legal() == ("METRICS_REPORTED", "SETTLED", "RATED")
    assert progress(WHOLE).legal() == ("METRICS_REPORTED",)
    assert progress(["INVITED", "DECLINED"]).legal() == ()


def test_one_row_says_what_became_of_each_collaboration() -> None:
    whole = ledger(*WHOLE, key="k1", brand_id="b1", brief_id="q1", rating=[None] * 10 + [5])
    poor = ledger(*WHOLE[:3], "DEFAULTED", "RATED", key="k2", rating=[None] * 4 + [1])
    running = ledger("INVITED", "ACCEPTED", "CONTRACTED", key="k3")
    events = joined(whole, poor, running, ledger("TRAINING_PASSED", start=20, key="k3"))
    shuffled = events.sample(frac=1, random_state=3)
    before = shuffled.copy()
    found = collaborations(shuffled)
    pd.testing.assert_frame_equal(shuffled, before)
    day = {n: pd.Timestamp("2026-01-01") + pd.Timedelta(days=n) for n in range(12)}
    expected = pd.DataFrame(
        {
            "collaboration_id": ["k1", "k2", "k3"],
            "creator_id": "c1",
            "brand_id": ["b1", None, None],
            "brief_id": ["q1", None, None],
            "first_event_at": [day[0]] * 3,
            "invited_at": [day[0]] * 3,
            "accepted_at": [day[1]] * 3,
            "declined_at": [pd.NaT] * 3,
            "completed_at": [day[7], pd.NaT, pd.NaT],
            "failed_at": [pd.NaT, day[3], pd.NaT],
            "cancelled_by_brand_at": [pd.NaT] * 3,
            "ended_at": [day[9], day[3], pd.NaT],
            "rating": [5.0, 1.0, None],
            "state": ["SETTLED", "DEFAULTED", "CONTRACTED"],
            "incomplete": [False, False, False],
        }
    )
    times = {name: "datetime64[us]" for name in expected if name.endswith("_at")}
    texts = dict.fromkeys(["collaboration_id", "creator_id", "brand_id", "brief_id", "state"], "str")
    pd.testing.assert_frame_equal(found, expected.astype(times | texts))


def test_remarks_leave_the_state_as_it_is() -> None:
    events = joined(
        ledger("PUBLISHED", "METRICS_REPORTED", "RATED"), ledger("CANCELLED_BY_CREATOR", "RATED", key="k2"),
        ledger("RATED", key="k3"),
    )  # fmt: skip
    assert collaborations(events)["state"].fillna("null").tolist() == ["PUBLISHED", "CANCELLED_BY_CREATOR", "null"]


def test_poor_rating_of_finished_work_is_a_failure_and_the_latest_rating_counts() -> None:
    events = ledger("PUBLISHED", "RATED", "RATED", rating=[None, 2, 4])
    [row] = collaborations(events).to_dict("records")
    assert (row["rating"], row["failed_at"]) == (4, pd.Timestamp("2026-01-02"))
    assert row["incomplete"] is True


@pytest.mark.parametrize("missing", range(len(WHOLE) - 2))
def test_history_with_a_step_missing_is_incomplete(missing: int) -> None:
    kinds = [kind for i, kind in enumerate(WHOLE) if i != missing]
    legal_anyway = WHOLE[missing] in REMARKS
    assert collaborations(ledger(*kinds))["incomplete"].tolist() == [not legal_anyway]


@given(paths())
def test_legal_history_is_complete(path: list[str]) -> None:
    assert collaborations(ledger(*path))["incomplete"].tolist() == [False]


@given(paths(), st.integers(0, 99))
@example(["INVITED", "ACCEPTED", "CONTRACTED", "CONTENT_SUBMITTED", "REVISION_REQUESTED", "CANCELLED_BY_BRAND"], 0)
def test_events_of_one_day_are_read_in_the_order_of_the_life_cycle(path: list[str], seed: int) -> None:
    once = list(dict.fromkeys(path))
    events = ledger(*once).assign(event_time=pd.Timestamp("2026-01-01")).sample(frac=1, random_state=seed)
    renamed = events.assign(event_id=[f"e{i}" for i in range(len(events))])
    [row] = collaborations(renamed).to_dict("records")
    # The second submission is gone with the first; what ends a collaboration may follow a request for revision as well.
    resubmitted = ("REVISION_REQUESTED", "CONTENT_APPROVED") in pairwise(once)
    assert (row["state"], row["incomplete"]) == (progress(once).state, resubmitted)


def test_no_events_are_no_collaborations() -> None:
    found = collaborations(NONE)
    pd.testing.assert_frame_equal(found, collaborations(ledger("INVITED")).iloc[:0].reset_index(drop=True))
    assert workload(found).empty


def test_dataset_of_publications_alone_is_complete_in_nothing_but_done() -> None:
    found = collaborations(joined(ledger("PUBLISHED"), ledger("PUBLISHED", key="k2")))
    assert found["completed_at"].notna().all()
    assert found["incomplete"].all()
    assert found["accepted_at"].isna().all()


def test_workload_counts_orders_accepted_and_neither_completed_nor_ended() -> None:
    parts = {
        "k1": ["INVITED"],
        "k2": ["INVITED", "ACCEPTED"],
        "k3": WHOLE[:4],
        "k4": WHOLE[:8],
        "k5": [*WHOLE[:3], "DEFAULTED"],
    }
    events = joined(*(ledger(*kinds, key=key) for key, kinds in parts.items()))
    assert workload(collaborations(events)).to_dict() == {"c1": 2}
