"""Labels of reviews: which are new, and what they do to the ledger."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import columns as c
from features import schema
from serving import labels
from serving.ledger import ERROR, STATUS

NOW = pd.Timestamp("2025-06-01")
CREATORS = {"ana", "bo"}
NO_LABELS, NO_EVENTS = schema.empty(schema.FRAUD_LABELS), schema.empty(schema.COLLABORATION_EVENTS)


def batch(*rows: dict[str, object]) -> pd.DataFrame:
    return schema.conform(pd.DataFrame(list(rows)), schema.FRAUD_LABELS)


def fates(rows: pd.DataFrame, known: pd.DataFrame = NO_LABELS) -> list[str]:
    return list(labels.judged(rows, known, CREATORS, NOW)[STATUS])


def kept(rows: pd.DataFrame, known: pd.DataFrame = NO_LABELS, now: pd.Timestamp = NOW) -> pd.DataFrame:
    verdict = labels.judged(rows, known, CREATORS, now)
    return verdict.loc[verdict[STATUS] == "ACCEPTED"]


def told(
    rows: pd.DataFrame, stored: pd.DataFrame = NO_EVENTS, known: pd.DataFrame = NO_LABELS
) -> list[tuple[str, str | None]]:
    events = labels.ledger_events(kept(rows), stored, known, NOW)
    refers = events[c.REFERS_TO].astype("object").where(events[c.REFERS_TO].notna(), None)
    return list(zip(events[c.EVENT_TYPE], refers, strict=True))


def confirmed(event_id: str, creator_id: str = "ana", at: str = "2025-05-01", **more: object) -> dict[str, object]:
    event = {"event_id": event_id, "creator_id": creator_id, "event_type": "FRAUD_CONFIRMED", "event_time": at}
    return event | more


def ledger(*rows: dict[str, object]) -> pd.DataFrame:
    return schema.conform(pd.DataFrame(list(rows)), schema.COLLABORATION_EVENTS)


FAKE, CLEAN = {"creator_id": "ana", "is_fake": 1.0}, {"creator_id": "ana", "is_fake": 0.0}


def test_a_label_without_a_time_became_known_now():
    assert list(kept(batch(FAKE, FAKE | {"known_at": "2025-01-01"}))[c.KNOWN_AT]) == [NOW, pd.Timestamp("2025-01-01")]


def test_the_same_label_again_is_a_duplicate_though_it_comes_later():
    known = kept(batch(FAKE))
    assert fates(batch(FAKE, FAKE, CLEAN), known) == ["DUPLICATE", "DUPLICATE", "ACCEPTED"]
    assert fates(batch(FAKE, FAKE)) == ["ACCEPTED", "DUPLICATE"]
    later = FAKE | {"known_at": "2025-06-01"}
    assert fates(batch(later, later | {"known_at": "2025-05-31"}), known) == ["DUPLICATE", "ACCEPTED"]


def test_another_period_source_or_sample_is_another_label():
    others = [FAKE | more for more in ({"source": "b"}, {"sampled": "RANDOM"}, {"period_start": "2025-03-01"})]
    assert fates(batch(*others), kept(batch(FAKE))) == ["ACCEPTED"] * 3


def test_labels_that_break_the_contract_are_rejected_by_the_name_of_the_column():
    wrong = batch(
        FAKE | {"creator_id": "nobody"},
        {"is_fake": 1.0},
        FAKE | {"known_at": "2025-06-02"},
        FAKE | {"period_start": "2025-05-02", "period_end": "2025-05-01"},
        FAKE,
    )
    verdict = labels.judged(wrong, NO_LABELS, CREATORS, NOW)
    assert list(verdict[STATUS]) == ["REJECTED"] * 4 + ["ACCEPTED"]
    assert [str(error).partition(":")[0] for error in verdict[ERROR]] == [
        "creator_id", "creator_id, account_id", "known_at", "period_start, period_end", "None",
    ]  # fmt: skip


def test_a_rejected_label_makes_no_duplicate_of_a_sound_one():
    assert fates(batch(FAKE | {"known_at": "2025-06-02"}, FAKE)) == ["REJECTED", "ACCEPTED"]


def test_what_is_fake_is_confirmed_and_what_is_clean_clears_what_stands():
    assert told(batch(FAKE)) == [("FRAUD_CONFIRMED", None)]
    assert told(batch(CLEAN)) == []
    assert told(batch({"account_id": "a1", "is_fake": 1.0})) == []
    assert told(batch(CLEAN), ledger(confirmed("e1"), confirmed("e2"), confirmed("e3", "bo"))) == [
        ("FRAUD_CLEARED", "e1"),
        ("FRAUD_CLEARED", "e2"),
    ]


@pytest.mark.parametrize(
    ("clean", "stands"),
    [
        ({"known_at": "2025-04-30"}, []),  # reviewed before anything was confirmed
        ({"known_at": "2025-05-01"}, ["e1"]),
        ({"period_start": "2025-05-02"}, []),  # speaks of a later time
        ({"period_start": "2025-02-01"}, ["e1"]),
    ],
)
def test_only_an_earlier_confirmation_of_that_time_is_cleared(clean, stands):
    assert [refers for _, refers in told(batch(CLEAN | clean), ledger(confirmed("e1")))] == stands


def test_a_review_clears_what_it_saw_half_of():
    stored = ledger(confirmed("old", at="2025-03-16"), confirmed("new", at="2025-03-17"))  # each of the 90 days before
    clean = CLEAN | {"known_at": "2025-05-01"}  # saw those from 31 January
    assert [refers for _, refers in told(batch(clean), stored)] == ["new"]
    assert [refers for _, refers in told(batch(clean | {"period_start": "2025-01-01"}), stored)] == ["old", "new"]


def test_the_time_of_a_finding_is_that_of_its_label():
    early = FAKE | {"known_at": "2025-05-01", "period_start": "2025-01-01", "period_end": "2025-01-31"}
    known = kept(batch(early))
    stored = labels.ledger_events(known, NO_EVENTS, NO_LABELS, NOW)
    assert told(batch(CLEAN), stored, known) == []
    assert [kind for kind, _ in told(batch(CLEAN | {"period_start": "2025-01-10"}), stored, known)] == ["FRAUD_CLEARED"]


def test_two_sources_that_find_one_fraud_make_one_finding():
    spring = FAKE | {"period_start": "2025-03-01", "period_end": "2025-04-01"}
    assert told(batch(spring, spring | {"source": "b", "period_start": "2025-03-20"})) == [("FRAUD_CONFIRMED", None)]
    assert len(told(batch(spring, spring | {"period_start": "2025-04-02", "period_end": "2025-05-01"}))) == 2
    known = kept(batch(spring))
    assert told(batch(spring | {"source": "b"}), labels.ledger_events(known, NO_EVENTS, NO_LABELS, NOW), known) == []


def test_what_was_cleared_already_is_not_cleared_again():
    cleared = confirmed("e2", event_type="FRAUD_CLEARED", refers_to="e1", at="2025-05-05")
    assert told(batch(CLEAN), ledger(confirmed("e1"), cleared)) == []


def test_one_batch_may_confirm_and_clear():
    events = labels.ledger_events(kept(batch(FAKE, CLEAN, CLEAN | {"source": "b"})), NO_EVENTS, NO_LABELS, NOW)
    assert list(events[c.EVENT_TYPE]) == ["FRAUD_CONFIRMED", "FRAUD_CLEARED"]
    assert events[c.REFERS_TO].iloc[1] == events[c.EVENT_ID].iloc[0]
    assert list(events[labels.LABEL]) == [0, 1]
    assert set(events[c.EVENT_TIME]) == set(events[c.RECEIVED_AT]) == {NOW}


def test_ids_of_events_come_from_the_content_of_the_label_alone():
    rows = [FAKE | {"known_at": "2025-01-01"}, FAKE | {"known_at": "2025-05-02"}]
    first, second = labels.ledger_events(kept(batch(*rows)), NO_EVENTS, NO_LABELS, NOW)[c.EVENT_ID]
    (again,) = labels.ledger_events(kept(batch(rows[1])), NO_EVENTS, NO_LABELS, NOW + pd.Timedelta(days=1))[c.EVENT_ID]
    assert first != second
    assert again == second


rows = st.fixed_dictionaries(
    {"creator_id": st.sampled_from(["ana", "bo"]), "is_fake": st.sampled_from([0.0, 1.0])},
    optional={
        "known_at": st.sampled_from(["2025-05-01", "2025-05-20"]),
        "period_start": st.sampled_from(["2025-02-01", "2025-05-10"]),
        "sampled": st.sampled_from(["RANDOM", "QUEUE"]),
    },
)


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, min_size=1, max_size=6), st.integers(1, 5))
def test_sent_again_whole_or_in_parts_nothing_is_new_and_no_confirmation_is_cleared_twice(sent, cut):
    first = kept(batch(*sent))
    events = labels.ledger_events(first, NO_EVENTS, NO_LABELS, NOW)
    for part in (sent, sent[:cut]):
        assert set(fates(batch(*part), first)) == {"DUPLICATE"}
    assert events[c.EVENT_ID].is_unique
    refers = events[c.REFERS_TO].dropna()
    assert refers.is_unique
    assert set(refers) <= set(events.loc[events[c.EVENT_TYPE] == "FRAUD_CONFIRMED", c.EVENT_ID])
