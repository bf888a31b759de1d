"""Means, leads, shares and slices by hand, from records of what was measured."""

from typing import Any

import numpy as np
import pytest

from training.evaluation.briefs import Found
from training.evaluation.matching import LEAST, matching_figures
from training.evaluation.reading import Reading

BRIEFS = [f"b{i:02}" for i in range(2 * LEAST)]


def lists() -> list[dict[str, Any]]:
    """On the first half of the briefs the ranking earns .8, then nothing; the cosine always .3, the oracle 1."""
    return [
        {
            "brief_id": brief, "method": method, "ndcg10": score, "map": score / 2, "mrr": score / 4,
            "objective": "AWARENESS" if i < LEAST else "CONVERSION", "wanted": i < LEAST,
            "brief_language": "en" if i else "fr", "eligible": 50,
        }
        for i, brief in enumerate(BRIEFS)
        for method, score in {"ranked": 0.8 * (i < LEAST), "text_cosine": 0.3, "oracle": 1.0}.items()
    ]  # fmt: skip


def slices() -> list[dict[str, Any]]:
    """Two of ten places go to new creators, who are half of the candidates; nano ones are wanted by one brief only."""
    return [
        {
            "brief_id": brief, "family": family, "group": group, "method": "ranked", "wanted": wanted or brief == "b00",
            "ndcg10": 0.5, "places": places, "candidates": 25, "all": 50,
        }
        for brief in BRIEFS
        for family, group, places, wanted in (
            ("experience", "new", 2, True), ("experience", "experienced", 8, True), ("tier", "nano", 0, False),
        )
    ]  # fmt: skip


@pytest.fixture
def found() -> dict[str, Any]:
    retrieved = [
        {"brief_id": brief, "method": method, "k": k, "recall": k / 400 + (method == "retriever") / 4}
        for brief in BRIEFS
        for method in ("retriever", "text_cosine")
        for k in (100, 200)
    ]
    exposure = {"ranked": {"a": 3.0, "b": 1.0}, "text_cosine": {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}, "oracle": {}}
    records = Found(lists(), slices(), retrieved, candidates={"a", "b", "c", "d"}, exposure=exposure)
    return matching_figures(records, np.random.default_rng(0))


def test_briefs_that_got_nothing_count_as_zero(found: dict[str, Any]) -> None:
    assert (found["briefs"], found["wanting_nobody"]) == (2 * LEAST, LEAST)
    means = {name: one["mean"] for name, one in found["ranking"]["ranked"].items()}
    assert means == pytest.approx({"ndcg10": 0.4, "map": 0.2, "mrr": 0.1})


def test_leads_are_paired_by_brief(found: dict[str, Any]) -> None:
    assert set(found["lead"]) == {"text_cosine"}
    lead = found["lead"]["text_cosine"]
    assert lead["mean"] == pytest.approx(0.1)
    assert lead["low"] < 0 < lead["high"]  # half of the briefs +.5, half −.3


def test_share_of_the_oracle_is_a_ratio_of_means(found: dict[str, Any]) -> None:
    assert found["share_of_oracle"]["mean"] == pytest.approx(0.4)


def test_recall_by_method_and_depth(found: dict[str, Any]) -> None:
    means = {name: {k: one["mean"] for k, one in depths.items()} for name, depths in found["retriever"].items()}
    assert means == {"retriever": {"100": 0.5, "200": 0.75}, "text_cosine": {"100": 0.25, "200": 0.5}}


def test_exposure_is_over_all_who_could_have_been_offered(found: dict[str, Any]) -> None:
    assert found["exposure"]["ranked"] == {"coverage": 0.5, "gini": pytest.approx(0.625)}  # of 0, 0, 1, 3
    assert found["exposure"]["text_cosine"] == {"coverage": 1.0, "gini": 0.0}
    assert "oracle" not in found["exposure"]


def test_slices_by_brief_and_by_creator(found: dict[str, Any]) -> None:
    objective = {name: one["ndcg10"]["ranked"]["mean"] for name, one in found["slices"]["objective"].items()}
    assert objective == pytest.approx({"AWARENESS": 0.8, "CONVERSION": 0.0})
    new = found["slices"]["experience"]["new"]
    assert (new["briefs"], new["of_places"], new["of_candidates"]) == (2 * LEAST, 0.2, 0.5)


def test_slices_of_a_few_briefs_are_left_out(found: dict[str, Any]) -> None:
    assert set(found["slices"]["brief_language"]) == {"en"}
    assert found["slices"]["tier"] == {}


def graded(grades: list[float], judged: list[int]) -> Reading:
    """A reading of which only the grades are looked at."""
    return Reading(None, None, None, None, None, np.array(judged), np.array(grades), None, None)


def test_measures_of_a_list_by_hand() -> None:
    """Grades 0, 4 and 2 are judged, nobody knows the fourth; the list is 0 first, then 4."""
    found = graded([0, 4, 2, np.nan], [0, 1, 2]).measures(np.array([0, 1]))
    best = 15 + 3 / np.log2(3)
    assert found == pytest.approx({"ndcg10": 15 / np.log2(3) / best, "map": 1 / 2 / 2, "mrr": 1 / 2})


def test_measures_of_nothing_are_zero() -> None:
    assert graded([0, 4], [0, 1]).measures(np.zeros(0, np.int64)) == {"ndcg10": 0, "map": 0, "mrr": 0}
    assert graded([0, 0], [0, 1]).measures(np.array([0, 1])) == {"ndcg10": 0, "map": 0, "mrr": 0}
