import pandas as pd

from features import columns as c
from features.schema import COLLABORATION_EVENTS, conform
from serving import ledger

NOW = pd.Timestamp("2025-06-01")
NONE = conform(pd.DataFrame(), COLLABORATION_EVENTS)


def events(*rows: dict[str, object]) -> pd.DataFrame:
    base = {
        "creator_id": "ana",
        "event_type": "INVITED",
        "event_time": "2025-01-01T00:00:00Z",
        "brand_id": "b",
        "brief_id": "f",
    }
    return conform(pd.DataFrame([base | row for row in rows]), COLLABORATION_EVENTS)


def judged(batch: pd.DataFrame, stored: pd.DataFrame = NONE) -> pd.DataFrame:
    return ledger.judged(batch, stored, {"ana"}, NOW, backfill=False)


def fates(batch: pd.DataFrame, stored: pd.DataFrame = NONE) -> list[str]:
    return list(judged(batch, stored)[ledger.STATUS])


def invited(event_id: str, collaboration_id: str = "k", **more: object) -> dict[str, object]:
    return {"event_id": event_id, "collaboration_id": collaboration_id} | more


def test_new_legal_events_are_accepted_in_their_order():
    accepted = {
        "event_id": "e2",
        "collaboration_id": "k",
        "event_type": "ACCEPTED",
        "event_time": "2025-01-02T00:00:00Z",
    }
    assert fates(events(invited("e1"), accepted)) == ["ACCEPTED", "ACCEPTED"]


def test_the_same_event_again_is_a_duplicate_whenever_it_was_received():
    stored = events(invited("e1", received_at="2025-01-05T00:00:00Z"))
    assert fates(events(invited("e1", received_at="2025-02-05T00:00:00Z")), stored) == ["DUPLICATE"]
    assert fates(events(invited("e1"), invited("e1"))) == ["ACCEPTED", "DUPLICATE"]


def test_another_content_under_a_known_id_is_a_conflict():
    stored = events(invited("e1"))
    assert fates(events(invited("e1", amount=5.0)), stored) == ["REJECTED"]
    batch = events(invited("e1"), invited("e1", note="other"))
    verdict = judged(batch)
    assert list(verdict[ledger.STATUS]) == ["ACCEPTED", "REJECTED"]
    assert verdict[ledger.ERROR].tolist() == [None, ledger.CONFLICT]


def test_what_the_life_cycle_forbids_is_rejected_with_a_reason_and_so_is_its_repetition():
    illegal = invited("e9", event_type="SETTLED")
    batch = events(illegal, illegal)
    verdict = judged(batch)
    assert list(verdict[ledger.STATUS]) == ["REJECTED", "REJECTED"]
    assert all(isinstance(error, str) and error for error in verdict[ledger.ERROR])


def test_strangers_and_the_future_are_rejected_and_now_is_not_the_future():
    late = invited("e2", event_time="2025-06-01T00:00:01Z")
    now = invited("e3", "k3", event_time="2025-06-01T00:00:00Z")
    assert fates(events(invited("e1", creator_id="nobody"), late, now)) == ["REJECTED", "REJECTED", "ACCEPTED"]


def test_an_event_must_keep_the_contract_beyond_its_own_fields():
    alone = invited("e1", None)
    unreferring = {"event_id": "e2", "event_type": "APPEAL_OPENED"}
    received_later = invited("e3", "k3", received_at="2199-01-01T00:00:00Z")
    verdict = judged(events(alone, unreferring, received_later, invited("e4")))
    fields = [None if error is None else error.partition(":")[0] for error in verdict[ledger.ERROR]]
    assert fields == ["event_type, collaboration_id", "event_type, refers_to", "received_at", None]


def test_only_a_backfill_may_bring_the_events_of_the_system():
    batch = events({"event_id": "e1", "event_type": "ASSESSED", "factor": "AUTHENTICITY", "value": 0.9})
    assert fates(batch) == ["REJECTED"]
    assert list(ledger.judged(batch, NONE, {"ana"}, NOW, backfill=True)[ledger.STATUS]) == ["ACCEPTED"]


def test_the_batch_is_left_as_it_was():
    batch = events(invited("e1"), invited("e2", "k2"))
    before = batch.copy(deep=True)
    fates(batch)
    pd.testing.assert_frame_equal(batch, before)
    assert list(batch[c.EVENT_ID]) == ["e1", "e2"]
