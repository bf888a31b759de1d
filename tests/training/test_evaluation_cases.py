"""What is measured on: where relevance comes from, what is too young, what came after."""

from pathlib import Path

import pandas as pd
import pytest

from features.schema import complete
from tests.features.market import AS_OF, DAY, tables
from training.evaluation.cases import COLLABORATIONS, IMPRESSIONS, TRUTH, evidence, read_truth

DAYS = [0, 10, 20, 30, 40]


@pytest.fixture
def briefs() -> pd.DataFrame:
    ids = [f"b{day}" for day in DAYS]
    created = [AS_OF + day * DAY for day in DAYS]
    return pd.DataFrame({"brief_id": ids, "brand_id": "acme", "created_at": created, "title": "street food"})


def test_a_log_gives_grades_and_young_briefs_are_left_out(briefs: pd.DataFrame) -> None:
    shown = pd.DataFrame(
        {
            "brief_id": briefs["brief_id"].repeat(2).to_numpy(),
            "creator_id": ["ann", "bob"] * 5,
            "shown_at": briefs["created_at"].repeat(2).to_numpy(),
            "position": [1.0, 2.0] * 5,
            "outcome": ["COMPLETED", "NONE", "CLICKED", "SHORTLISTED", "NONE", "NONE"] + ["NONE"] * 4,
        }
    )
    found = evidence(tables(briefs=briefs, impressions=shown), None)
    assert (found.source, found.young) == (IMPRESSIONS, 2)  # the data end on day 40; days 30 and 40 are younger than 14
    assert [case.brief["brief_id"] for case in found.cases] == ["b0", "b10", "b20"]
    assert [case.grades.to_dict() for case in found.cases[:2]] == [{"ann": 4, "bob": 0}, {"ann": 1, "bob": 2}]
    assert not any(case.everyone for case in found.cases)
    assert [case.as_of for case in found.after(AS_OF + 10 * DAY)] == [AS_OF + 20 * DAY]


def test_without_a_log_whoever_was_hired_is_relevant_among_all(briefs: pd.DataFrame) -> None:
    events = pd.DataFrame(
        {
            "event_id": ["e1", "e2", "e3", "e4"], "collaboration_id": ["k1", "k1", "k2", "k3"],
            "creator_id": ["ann", "ann", "bob", "bob"], "brief_id": ["b0", "b0", "b0", "b10"], "brand_id": "acme",
            "event_type": ["INVITED", "PUBLISHED", "DECLINED", "INVITED"],
            "event_time": [AS_OF, AS_OF + DAY, AS_OF + 2 * DAY, AS_OF + 40 * DAY],
        }
    )  # fmt: skip
    found = evidence(tables(briefs=briefs, collaboration_events=events), None)
    assert (found.source, found.young) == (COLLABORATIONS, 1)
    assert [case.grades.to_dict() for case in found.cases] == [{"ann": 4, "bob": 2}]
    assert all(case.everyone for case in found.cases)


def test_the_truth_comes_first_and_nothing_of_it_is_young(briefs: pd.DataFrame) -> None:
    truth = pd.DataFrame({"brief_id": ["b40", "b0"], "creator_id": "ann", "utility": [0.5, -1.0], "grade": [3, 0]})
    found = evidence(tables(briefs=briefs), truth)
    assert (found.source, found.young) == (TRUTH, 0)
    assert [case.brief["brief_id"] for case in found.cases] == ["b0", "b40"]
    assert found.cut == AS_OF + 28 * DAY  # 70 % between the two


def test_nothing_to_measure_on_is_no_case() -> None:
    assert evidence(complete({"creators": pd.DataFrame({"creator_id": ["a"]})}), None).cases == []


def test_truth_is_read_where_there_is_one(dataset: Path, tmp_path: Path) -> None:
    found = read_truth(dataset)
    assert found is not None
    assert {"utility", "campaigns"} <= set(found)
    assert read_truth(tmp_path) is None
    assert read_truth(f"sqlite:///{tmp_path}/base.db") is None
