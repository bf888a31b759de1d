"""Cases of credit, what foretells them, and what raters' severities are made of: by hand and on planted truth."""

import numpy as np
import pandas as pd
import pytest

from features.schema import COLLABORATION_EVENTS, conform
from training.benchmarks.credit import share
from training.credit.cases import cases, histories
from training.credit.raters import MOST, severities
from training.credit.rivals import ledger_features, linked, rules, trees

START, DAY = pd.Timestamp("2026-01-01"), pd.Timedelta(days=1)
END = START + 200 * DAY
WHOLE = ("INVITED", "ACCEPTED", "CONTRACTED", "CONTENT_SUBMITTED", "CONTENT_APPROVED", "PUBLISHED", "SETTLED")


def order(number: int, day: float, *steps: str, rating: float = np.nan, apart: float = 1.0) -> pd.DataFrame:
    """A collaboration of c1 that starts on that day, a step every ``apart`` days."""
    rows = pd.DataFrame({"event_type": steps, "event_time": START + (day + apart * np.arange(len(steps))) * DAY})
    rows["rating"] = np.where(rows["event_type"] == "RATED", rating, np.nan)
    return rows.assign(
        event_id=[f"k{number}-{place}" for place in range(len(steps))],
        collaboration_id=f"k{number}",
        creator_id="c1",
        brand_id=f"b{number}",
    )


def ledger(*orders: pd.DataFrame) -> pd.DataFrame:
    return conform(pd.concat(orders, ignore_index=True), COLLABORATION_EVENTS)


def test_cases_are_those_whose_end_can_be_known() -> None:
    events = ledger(
        order(0, 0, *WHOLE),
        order(1, 1, *WHOLE, "RATED", rating=2),
        order(2, 2, "INVITED", "ACCEPTED", "CONTRACTED", "DEFAULTED"),
        order(3, 3, "INVITED", "ACCEPTED", "CANCELLED_BY_BRAND"),
        order(4, 4, "INVITED", "DECLINED"),
        order(5, 5, "INVITED", "ACCEPTED"),
        order(6, 6, *WHOLE, apart=20),  # settled after 120 days
        order(7, 111, *WHOLE),  # 89 days old
        order(8, 110, *WHOLE, "RATED", rating=3),
    )
    found = cases(events, END)
    assert found["brand_id"].tolist() == ["b0", "b1", "b2", "b8"]
    assert found["succeeded"].tolist() == [1, 0, 0, 1]
    assert found["began_at"].iloc[-1] == START + 110 * DAY


def test_history_of_a_case_ends_before_it_began() -> None:
    events = ledger(
        order(0, 0, *WHOLE, "RATED", rating=5),
        order(1, 7, *WHOLE),
        order(2, 30, "INVITED", "ACCEPTED", "CONTRACTED", "CANCELLED_BY_CREATOR"),
    )
    events.loc[events["event_type"] == "RATED", "received_at"] = START + 40 * DAY
    found = cases(events, END)
    past = histories(events, found)
    assert past["creator_id"].value_counts().to_dict() == {"case1": 7, "case2": 14}
    assert not past["event_id"].duplicated().any()
    assert past.groupby("collaboration_id")["creator_id"].nunique().max() == 1


def test_rules_by_hand() -> None:
    events = ledger(
        order(0, 0, *WHOLE, "RATED", rating=5),
        order(1, 10, *WHOLE, "RATED", rating=2),
        order(2, 20, "INVITED", "ACCEPTED", "CONTRACTED", "DEFAULTED"),
        order(3, 40, *WHOLE),
    )
    found = cases(events, END)
    told = rules(histories(events, found), found)
    assert told.loc["case0"].isna().all()
    last = told.loc["case3"]
    assert (last["star_average"], last["completion_rate"]) == (3.5, pytest.approx(2 / 3))
    assert last["wilson_bound"] == pytest.approx(0.0615, abs=1e-4)  # one good of three
    features = ledger_features(histories(events, found), found)
    assert features.loc["case3", ["count_DEFAULTED", "age_DEFAULTED", "brands"]].tolist() == [1, 17, 3]


def test_link_is_the_share_that_succeeded_and_trees_learn_what_is_there() -> None:
    signal = pd.Series(np.repeat([0.0, 1.0], 100))
    came = pd.Series(np.concatenate([np.arange(100) < 50, np.arange(100) < 90]).astype(float))
    assert linked(signal, came, pd.Series([0.0, 1.0])) == pytest.approx([0.5, 0.9], abs=1e-3)
    rows = pd.DataFrame({"signal": np.tile(signal, 5), "noise": np.random.default_rng(0).random(1000)})
    low, high = trees(rows, np.tile(came, 5), pd.DataFrame({"noise": [0.5, 0.5], "signal": [0.0, 1.0]}))
    assert low < 0.6 < 0.8 < high


def test_share_of_the_ceiling_is_of_what_lies_above_chance() -> None:
    found = share(pd.Series([0.6, 0.7]), pd.Series([0.75, 0.75]))
    assert found["mean"] == pytest.approx(0.6)
    assert found["low"] == pytest.approx(0.4)
    assert found["high"] == pytest.approx(0.8)


def rated(brands: list[str], creators: list[str], stars: list[float]) -> pd.DataFrame:
    rows = {"creator_id": creators, "brand_id": brands, "rating": stars}
    ids = [f"e{place}" for place in range(len(stars))]
    return conform(pd.DataFrame(rows).assign(event_id=ids, event_type="RATED", event_time=START), COLLABORATION_EVENTS)


def test_severity_is_the_raters_and_not_of_whom_it_rates() -> None:
    rng = np.random.default_rng(0)
    brand, creator = rng.integers(0, 40, 4000), rng.integers(0, 300, 4000)
    harsh, good = rng.normal(0, 0.4, 40), rng.normal(0, 0.5, 300)
    good[:60] -= 1  # whom brand 0 alone goes to
    creator[brand == 0] = rng.integers(0, 60, (brand == 0).sum())
    stars = 3.5 + good[creator] - harsh[brand] + rng.normal(0, 0.3, 4000)
    found = severities(rated([f"b{i}" for i in brand], [f"c{i}" for i in creator], stars.tolist()))
    told = np.array([found.get(f"b{i}", 0.0) for i in range(40)])
    assert told == pytest.approx(harsh - harsh.mean(), abs=0.2)


def test_little_is_made_of_few_ratings_and_no_more_than_a_star_of_any() -> None:
    others = [(f"b{i % 7}", f"c{i % 5}", 4.0) for i in range(70)]
    unkind = [("unkind", f"c{i % 5}", 1.0) for i in range(20)]
    seen_twice = [("twice", "c1", 1.0)] * 2
    found = severities(rated(*(list(column) for column in zip(*others, *unkind, *seen_twice, strict=True))))
    assert found["unkind"] == MOST
    assert "twice" not in found
    assert severities(rated([], [], [])) == {}
