"""Feedback by hand: items twice, in any order, and such as nobody should send."""

from itertools import permutations

import pandas as pd
import pytest

from features import columns as c
from features.schema import BRIEFS, IMPRESSIONS, conform
from features.vocabulary import OUTCOMES
from serving import feedback
from serving.store import Ranking

NOW = pd.Timestamp("2025-06-01")
SHOWN, LATER = "2025-05-01T09:00:00Z", "2025-05-02T09:00:00Z"
NONE = conform(pd.DataFrame(), IMPRESSIONS)
RANKING = Ranking("r", "{}", "7", NOW)
BRIEF = conform(pd.DataFrame({c.BRIEF_ID: ["q"]}), BRIEFS)


def items(*rows: dict[str, object]) -> pd.DataFrame:
    base = {"creator_id": "ana", "position": 1.0, "shown_at": SHOWN, "surface": "HOME"}
    return feedback.impressions(conform(pd.DataFrame([base | row for row in rows]), IMPRESSIONS), RANKING, BRIEF)


def judged(*rows: dict[str, object], stored: pd.DataFrame = NONE) -> feedback.Judged:
    return feedback.judged(items(*rows), stored, {"ana", "bo"}, NOW)


def fates(found: feedback.Judged) -> list[str]:
    return [one["status"] for one in found.results]


def test_an_item_becomes_an_impression_of_its_ranking_received_now():
    found = judged({"outcome": "INVITED", "outcome_at": LATER})
    assert found.results == [{"creator_id": "ana", "status": "ACCEPTED", "error": None}]
    (row,) = found.impressions.to_dict("records")
    assert {name: value for name, value in row.items() if not pd.isna(value)} == {
        "brief_id": "q", "creator_id": "ana", "shown_at": pd.Timestamp("2025-05-01 09:00"), "position": 1.0,
        "ranking_id": "r", "surface": "HOME", "policy_version": "7", "outcome": "INVITED",
        "outcome_at": pd.Timestamp("2025-05-02 09:00"), "received_at": NOW,
    }  # fmt: skip


def test_no_outcome_is_none_and_the_same_again_is_a_duplicate():
    found = judged({}, {}, {"outcome": "NONE"})
    assert fates(found) == ["ACCEPTED", "DUPLICATE", "DUPLICATE"]
    assert list(found.impressions[c.OUTCOME]) == ["NONE"]
    again = judged({}, stored=found.impressions)
    assert fates(again) == ["DUPLICATE"]
    assert again.impressions.empty
    assert list(again.impressions.columns) == list(IMPRESSIONS.names)


def test_an_outcome_takes_the_place_of_an_earlier_one_and_the_first_receipt_stays():
    stored = judged({}).impressions.assign(**{c.RECEIVED_AT: pd.Timestamp("2025-05-03")})
    found = judged(
        {"outcome": "CLICKED", "outcome_at": SHOWN}, {"outcome": "INVITED", "outcome_at": LATER}, stored=stored
    )
    assert fates(found) == ["ACCEPTED", "ACCEPTED"]
    assert found.impressions[[c.OUTCOME, c.RECEIVED_AT]].values.tolist() == [["INVITED", pd.Timestamp("2025-05-03")]]
    late = judged({"outcome": "CLICKED", "outcome_at": SHOWN}, stored=found.impressions)
    assert fates(late) == ["DUPLICATE"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_items_in_any_order_come_to_the_same(order):
    told = [
        {},
        {"outcome": "CLICKED", "outcome_at": SHOWN},
        {"outcome": "SHORTLISTED", "outcome_at": LATER},
        {"outcome": "INVITED", "outcome_at": LATER},
    ]
    stored = NONE
    for place in order:
        found = judged(told[place], stored=stored)
        stored = found.impressions if len(found.impressions) else stored
    assert stored[[c.OUTCOME, c.OUTCOME_AT]].values.tolist() == [["INVITED", pd.Timestamp("2025-05-02 09:00")]]


def test_another_moment_or_creator_is_another_impression():
    found = judged({}, {"shown_at": LATER}, {"creator_id": "bo", "position": 2.0})
    assert fates(found) == ["ACCEPTED"] * 3
    assert len(found.impressions) == 3


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"creator_id": "nobody"}, "creator_id"),
        ({"shown_at": "2025-06-01T00:00:01Z"}, "shown_at"),
        ({"outcome": "INVITED"}, "outcome_at"),
        ({"outcome": "INVITED", "outcome_at": "2025-05-01T08:59:59Z"}, "outcome_at"),
        ({"outcome": "INVITED", "outcome_at": "2025-07-01T00:00:00Z"}, "outcome_at"),
    ],
)
def test_what_cannot_be_is_rejected_by_field_and_the_others_are_not(row, field):
    found = judged(row, {"creator_id": "bo", "position": 2.0})
    assert fates(found) == ["REJECTED", "ACCEPTED"]
    assert found.results[1]["error"] is None
    assert found.results[0]["error"].startswith(f"{field}: ")
    assert list(found.impressions[c.CREATOR_ID]) == ["bo"]


@pytest.mark.parametrize("row", [{"position": 2.0}, {"surface": "MAIL"}, {"surface": None}])
def test_a_known_showing_stays_where_it_was(row):
    found = judged({}, row)
    assert fates(found) == ["ACCEPTED", "REJECTED"]
    assert found.results[1]["error"].startswith(f"{next(iter(row))}: ")


def test_outcomes_begin_with_none_and_the_batch_is_left_as_it_was():
    assert OUTCOMES[0] == feedback.NOTHING == "NONE"
    batch = items({}, {"creator_id": "bo"})
    before = batch.copy(deep=True)
    feedback.judged(batch, NONE, {"ana"}, NOW)
    pd.testing.assert_frame_equal(batch, before)
