"""Which events may stand in the ledger beside those that do: live, in a backfill, in a dataset."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.collaborations import TRANSITIONS, collaborations, progress
from features.legality import contradictions, verdicts
from features.vocabulary import LIFE_CYCLE_EVENTS
from tests.features.test_collaborations import NONE, WHOLE, joined, ledger, paths

few = settings(max_examples=25, deadline=None)  # a verdict takes pandas some 5 ms, however few its events
ANY = st.lists(st.sampled_from(LIFE_CYCLE_EVENTS), max_size=9)


def accepted(events: pd.DataFrame, backfill: bool, stored: pd.DataFrame = NONE) -> pd.DataFrame:
    """What the ledger holds once ``events`` were sent in one batch."""
    kept = [verdict is None for verdict in verdicts(stored, events, backfill)]
    return joined(stored, events[kept])


def sent_singly(events: pd.DataFrame, backfill: bool) -> pd.DataFrame:
    """What the ledger holds once ``events`` arrived one by one, in the order of the rows."""
    stored = NONE
    for row in range(len(events)):
        stored = accepted(events.iloc[[row]], backfill, stored)
    return stored


@few
@given(paths(), st.integers(0, 99))
def test_any_path_is_accepted_whole_or_in_two_batches_in_any_order(path: list[str], seed: int) -> None:
    events = ledger(*path).sample(frac=1, random_state=seed)
    assert verdicts(NONE, events, False) == [None] * len(path)
    cut = len(path) // 2
    assert verdicts(ledger(*path[:cut]), ledger(*path[cut:], start=cut), False) == [None] * (len(path) - cut)
    assert verdicts(NONE, events, True) == [None] * len(path)


@few
@given(paths(), st.sampled_from(LIFE_CYCLE_EVENTS))
def test_any_illegal_next_event_is_rejected_naming_the_legal_ones(path: list[str], event: str) -> None:
    [verdict] = verdicts(ledger(*path), ledger(event, start=len(path)), False)
    legal = progress(path).legal()
    assert (verdict is None) == (event in legal)
    assert verdict is None or all(name in verdict for name in legal)


def test_rejected_event_does_not_count_for_the_ones_after_it() -> None:
    [invited, contracted, accepted] = verdicts(NONE, ledger("INVITED", "CONTRACTED", "ACCEPTED"), False)
    assert (invited, accepted) == (None, None)
    assert contracted == (
        "event_type: CONTRACTED is illegal after INVITED; legal: ACCEPTED, DECLINED, CANCELLED_BY_BRAND"
    )


def test_event_that_would_contradict_a_later_known_one_is_rejected() -> None:
    stored = joined(ledger("INVITED"), ledger("ACCEPTED", start=2))
    for backfill in (False, True):
        [verdict] = verdicts(stored, ledger("DECLINED", start=1), backfill)
        assert verdict is not None
        assert "contradicts the later ACCEPTED" in verdict


def test_backfill_allows_gaps_and_rejects_true_contradictions() -> None:
    assert verdicts(NONE, ledger("PUBLISHED", "SETTLED", "METRICS_REPORTED", "RATED"), True) == [None] * 4
    assert [bool(v) for v in verdicts(NONE, ledger("DEFAULTED", "PUBLISHED", "RATED"), True)] == [False, True, False]
    assert [bool(v) for v in verdicts(NONE, ledger("CONTRACTED", "CONTRACTED"), True)] == [False, True]


@pytest.mark.parametrize("end", ["DECLINED", "CANCELLED_BY_BRAND", "CANCELLED_BY_CREATOR", "DEFAULTED", "SETTLED"])
def test_backfill_after_an_end_allows_only_what_may_follow_that_end(end: str) -> None:
    accepted = {event for event in LIFE_CYCLE_EVENTS if verdicts(ledger(end), ledger(event, start=1), True) == [None]}
    assert accepted == set(TRANSITIONS[end])


def test_backfilled_default_before_a_known_settlement_contradicts_it() -> None:
    [verdict] = verdicts(ledger("SETTLED", start=1), ledger("DEFAULTED"), True)
    assert verdict is not None
    assert "contradicts the later SETTLED" in verdict


def test_live_events_go_on_after_a_backfilled_gap() -> None:
    stored = ledger("PUBLISHED")
    assert verdicts(stored, ledger("SETTLED", start=1), False) == [None]
    assert verdicts(stored, ledger("ACCEPTED", start=1), False) != [None]


def test_collaborations_are_judged_apart_and_conduct_not_at_all() -> None:
    batch = joined(ledger("VIOLATION_CONFIRMED"), ledger("ACCEPTED", start=1, key="k2"))
    assert verdicts(ledger("INVITED", key="k2"), batch.set_index(pd.Index([7, 7])), False) == [None, None]
    assert verdicts(NONE, ledger("VIOLATION_CONFIRMED", collaboration_id=None), False) == [None]


@few
@given(paths(), st.data())
def test_backfill_takes_any_part_of_a_legal_history_in_any_order_of_arrival(
    path: list[str], data: st.DataObject
) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(path), max_size=len(path)))
    part = ledger(*path)[kept]
    arrival = data.draw(st.permutations(range(len(part))))
    stored = sent_singly(part.iloc[arrival], True)
    assert len(stored) == len(part)
    assert contradictions(stored).empty
    gone = [kind for kind, stays in zip(path, kept, strict=True) if stays]
    assert collaborations(stored)["incomplete"].tolist() == [is_gapped(gone)] * bool(gone)


def is_gapped(history: list[str]) -> bool:
    return any(kind not in TRANSITIONS[progress(history[:place]).state] for place, kind in enumerate(history))


@few
@given(ANY, st.booleans(), st.data())
def test_order_of_arrival_does_not_matter_for_what_is_accepted(
    kinds: list[str], backfill: bool, data: st.DataObject
) -> None:
    """The same set is accepted again as one batch in any order, and comes to the same."""
    held = sent_singly(ledger(*kinds), backfill)
    other = held.iloc[data.draw(st.permutations(range(len(held))))]
    assert verdicts(NONE, other, backfill) == [None] * len(held)
    pd.testing.assert_frame_equal(collaborations(other), collaborations(held))


@few
@given(ANY, st.sampled_from(LIFE_CYCLE_EVENTS), st.integers(-1, 9), st.booleans())
def test_every_rejection_names_exactly_what_would_be_legal(
    kinds: list[str], event: str, day: int, backfill: bool
) -> None:
    stored = accepted(ledger(*kinds), backfill)
    [verdict] = verdicts(stored, at(event, day), backfill)
    legal = [kind for kind in LIFE_CYCLE_EVENTS if verdicts(stored, at(kind, day), backfill) == [None]]
    assert (verdict is None) == (event in legal)
    if verdict:
        field, _, told = verdict.partition(": ")
        named = told.rpartition("legal: ")[2]
        assert field == "event_type"
        assert sorted(named.split(", ")) == sorted(legal or ["nothing"])


def at(kind: str, day: int) -> pd.DataFrame:
    """One event at noon of a day, after those of :func:`ledger`."""
    return ledger(kind, start=day).assign(
        event_id="new", event_time=pd.Timestamp("2026-01-01 12:00") + pd.Timedelta(days=day)
    )


@few
@given(ANY, ANY)
def test_contradictions_of_a_dataset_are_what_a_backfill_would_reject(first: list[str], second: list[str]) -> None:
    events = joined(ledger(*first), ledger(*second, key="k2")).sample(frac=1, random_state=1)
    found = contradictions(events)
    told = pd.Series(verdicts(NONE, events, True), index=events.index, dtype="object").dropna()
    pd.testing.assert_series_equal(found, told)


def test_events_of_the_same_moment_are_judged_in_the_order_of_the_life_cycle() -> None:
    same = ledger("INVITED", "ACCEPTED", "RATED", "DEFAULTED", "CONTRACTED").assign(
        event_time=pd.Timestamp("2026-01-01")
    )
    assert verdicts(NONE, same.assign(event_id=[*"edcba"]), False) == [None] * 5


def test_a_collaboration_has_one_creator_and_one_brand() -> None:
    stored = ledger("INVITED", brand_id="b1")
    for backfill in (False, True):
        [verdict] = verdicts(stored, ledger("ACCEPTED", start=1).assign(creator_id="c2"), backfill)
        assert verdict == "creator_id: is c1 in the events before; send that, or refer to something else"
        [verdict] = verdicts(stored, ledger("ACCEPTED", start=1, brand_id="b2"), backfill)
        assert verdict == "brand_id: is b1 in the events before; send that, or refer to something else"
        assert verdicts(stored, ledger("ACCEPTED", start=1), backfill) == [None]
    assert contradictions(joined(stored, ledger("ACCEPTED", start=1, brand_id="b2"))).index.tolist() == [1]


def test_a_long_history_is_judged_in_moments() -> None:
    """Measured daily for years, and as many reports brought in from before them."""
    history = joined(ledger(*WHOLE[:8]), ledger(*["METRICS_REPORTED"] * 500, start=1000))
    assert verdicts(history, ledger(*["METRICS_REPORTED"] * 500, start=8), False) == [None] * 500
