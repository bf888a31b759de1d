"""Findings and appeals: what may follow what, live, and what became of each appeal."""

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.appeals import CASE_EVENTS, DECIDED, OPENED, UNDONE_BY, Case, appeals
from features.legality import verdicts
from tests.features.test_collaborations import DOCS, NONE, joined, ledger

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2026-01-01")


def case(*kinds: str, start: int = 0, about: str = "f-000", **more: object) -> pd.DataFrame:
    """A finding f-000 and what comes of it, a day apart."""
    refers = [None if kind in UNDONE_BY else about for kind in kinds]
    return ledger(*kinds, start=start, key="f", **{"collaboration_id": None, "refers_to": refers} | more)


@st.composite
def legal_cases(draw: st.DrawFn) -> list[str]:
    """A way through the life of a finding."""
    kinds: list[str] = []
    state = Case()
    while (legal := state.legal()) and len(kinds) < 9 and (not kinds or draw(st.integers(0, 9))):
        kinds.append(draw(st.sampled_from(legal)))
        state = state.after(kinds[-1])
    return kinds


@pytest.mark.parametrize(("finding", "undoing"), UNDONE_BY.items())
def test_a_finding_stands_is_appealed_once_at_a_time_and_undone_once(finding: str, undoing: str) -> None:
    def legal(*kinds: str) -> set[str]:
        stored = case(finding, *kinds)
        sent = [case(kind, start=len(stored)) for kind in CASE_EVENTS if kind not in UNDONE_BY]
        return {one.event_type.iloc[0] for one in sent if verdicts(stored, one, False) == [None]}

    told = re.findall(r"^\| (stands|undone) \| (yes|no) \| (.*) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    for stands, open_, follow in told:
        state = Case(finding, open_ == "yes", stands == "undone").legal()
        assert ", ".join(state).replace(undoing, "the undoing") == follow.replace("nothing", "")
    assert len(told) == 4
    assert legal() == {OPENED, undoing}
    assert legal(OPENED) == {DECIDED, undoing}
    assert legal(OPENED, DECIDED) == {OPENED, undoing}
    assert legal(OPENED, undoing) == {DECIDED}
    assert legal(undoing) == set()
    assert legal(OPENED, DECIDED, undoing) == set()


@settings(max_examples=15, deadline=None)
@given(legal_cases(), st.integers(0, 99))
def test_any_legal_case_is_accepted_in_one_batch_in_any_order_and_its_appeals_are_told_the_same(
    kinds: list[str], seed: int
) -> None:
    events = case(*kinds)
    shuffled = events.sample(frac=1, random_state=seed)
    assert verdicts(NONE, shuffled, False) == [None] * len(kinds)
    found = appeals(shuffled)
    assert found == appeals(events)
    assert len(found) == kinds.count(OPENED)
    undone = bool({*UNDONE_BY.values()} & {*kinds})
    assert all(one.overturned == undone for one in found)
    waiting = 0 if undone else kinds.count(OPENED) - kinds.count(DECIDED)
    assert sum(one.decided_at is None for one in found) == waiting


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(CASE_EVENTS[2:]), max_size=6), st.sampled_from(CASE_EVENTS[2:]), st.integers(0, 7))
def test_every_rejection_names_what_would_be_legal(kinds: list[str], event: str, day: int) -> None:
    sent = case("VIOLATION_CONFIRMED", *kinds)
    stored = sent[[verdict is None for verdict in verdicts(NONE, sent, False)]]

    def at_noon(kind: str) -> pd.DataFrame:
        return case(kind, start=day).assign(event_id="new", event_time=START + (day + 0.5) * DAY)

    [verdict] = verdicts(stored, at_noon(event), False)
    legal = [kind for kind in CASE_EVENTS[2:] if verdicts(stored, at_noon(kind), False) == [None]]
    assert (verdict is None) == (event in legal)
    assert verdict is None or sorted(verdict.rpartition("legal: ")[2].split(", ")) == sorted(legal or ["nothing"])


def test_a_reference_must_lead_to_a_known_finding_of_the_same_creator_at_that_time() -> None:
    stored = case("VIOLATION_CONFIRMED", start=2)
    [verdict] = verdicts(stored, case(OPENED, start=3, about="f-002").assign(creator_id="c2"), False)
    assert verdict == "creator_id: is c1 in the events before; send that, or refer to something else"
    for stray in (case(OPENED, start=3, about="nothing"), case(OPENED, start=1, about="f-002")):
        [verdict] = verdicts(stored, stray, False)
        assert verdict is not None
        assert "APPEAL_OPENED is illegal where refers_to names no finding known by then" in verdict
        assert verdicts(stored, stray, True) == [None]
    assert verdicts(stored, case("FRAUD_CLEARED", start=3, about="f-002"), False) != [None]


def test_an_appeal_that_names_nothing_is_against_nothing() -> None:
    assert appeals(case("VIOLATION_CONFIRMED", OPENED).assign(refers_to=None).astype({"refers_to": "str"})) == []


def test_a_decision_may_name_the_appeal_or_the_finding_and_an_undoing_decides_too() -> None:
    base = case("VIOLATION_CONFIRMED", OPENED, note=[None, "I had a licence"])
    for about in ("f-000", "f-001"):
        [one] = appeals(joined(base, case(DECIDED, start=2, about=about, note="No licence was found")))
        assert (one.decided_at, one.overturned) == (START + 2 * DAY, False)
        assert (one.statement, one.decision) == ("I had a licence", "No licence was found")
    [one] = appeals(joined(base, case("VIOLATION_OVERTURNED", DECIDED, start=2, note=["It is licensed", "Overturned"])))
    assert (one.decided_at, one.overturned, one.decision) == (START + 2 * DAY, True, "It is licensed")
    [one] = appeals(joined(base, case("VIOLATION_OVERTURNED", start=2).assign(creator_id="c2")))
    assert (one.decided_at, one.overturned) == (None, False)
    [one] = appeals(joined(base, case("FRAUD_CLEARED", start=2)))
    assert (one.decided_at, one.overturned) == (None, False)


def test_events_of_one_moment_are_a_finding_its_appeal_its_decision_and_its_end() -> None:
    same = case("VIOLATION_OVERTURNED", DECIDED, OPENED, "VIOLATION_CONFIRMED", about="f-003").assign(event_time=START)
    assert verdicts(NONE, same, False) == [None] * 4
