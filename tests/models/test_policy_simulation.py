"""A policy replayed over three months of scores that are written down here."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import columns as c
from features.errors import InputError
from features.fraud_labels import creator_labels
from features.schema import COLLABORATION_EVENTS, EXCHANGE_RATES, FRAUD_LABELS, conform, empty
from models.fraud_history import UNKNOWN, PastScores
from models.fraud_policy import load_fraud_policy
from models.policy_simulation import Past, simulation

POLICY = load_fraud_policy()  # REVIEW from 970
DATES = pd.DatetimeIndex(["2025-01-01", "2025-01-31", "2025-03-02"])
END = pd.Timestamp("2025-03-22")
RISK = {"ana": (980, 980, 980), "bo": (100, 999, 100), "cy": (UNKNOWN, 971, 100), "di": (960, 960, 960)}


def scores(risk: dict[str, tuple[int, ...]] = RISK) -> PastScores:
    levels = np.array(list(risk.values()), dtype=np.int16).T
    return PastScores(DATES, pd.Index(risk, name=c.CREATOR_ID), levels.astype(np.float32) / 1000, levels)


def label(creator_id: str, known: str, fake: float, **more: object) -> dict[str, object]:
    return {"creator_id": creator_id, "known_at": known, "is_fake": fake} | more


def past(*labels: dict[str, object], events: list[dict[str, object]] = (), risk=RISK) -> Past:
    rates = [{"currency": "EUR", "date": "2024-12-01", "usd": 2.0}]
    ledger = {
        "collaboration_events": conform(pd.DataFrame(list(events)), COLLABORATION_EVENTS),
        "exchange_rates": conform(pd.DataFrame(rates), EXCHANGE_RATES),
    }
    told = conform(pd.DataFrame(list(labels)), FRAUD_LABELS) if labels else empty(FRAUD_LABELS)
    return Past(scores(risk), creator_labels(ledger | {"fraud_labels": told}, END), ledger, END)


def replay(known: Past, **request: object) -> dict[str, object]:
    return simulation(known, POLICY, request)


def column(answer: dict[str, object], name: str) -> list[object]:
    return [one[name] for one in [*answer["results"], answer["total"]]]


def test_each_creator_is_alerted_once_until_it_is_reviewed():
    assert column(replay(past()), "alerts") == [1, 2, 0, 3]
    reviewed = label("ana", "2025-01-10", 1.0)
    assert column(replay(past(reviewed)), "alerts") == [1, 2, 0, 3]  # and not in the 90 days after
    long_ago = label("ana", "2024-11-01", 0.0)
    assert column(replay(past(long_ago)), "alerts")[:2] == [0, 3]  # 61 and 91 days after that review


def test_alerts_a_day_count_the_days_until_the_next_scores_or_the_end():
    answer = replay(past())
    assert column(answer, "days") == [30, 30, 20, 80]
    assert column(answer, "alerts_per_day") == [0.033, 0.067, 0, 0.037]
    assert answer["results"][0]["from"] == "2025-01-01T00:00:00"
    assert answer["results"][-1]["to"] == END.isoformat()


def test_labels_known_later_say_who_was_right_and_the_rest_is_unknown():
    later = [label("ana", "2025-02-10", 1.0), label("bo", "2025-02-20", 0.0), label("di", "2025-02-20", 1.0)]
    answer = replay(past(*later))
    assert column(answer, "confirmed") == [1, 0, 0, 1]
    assert column(answer, "cleared") == [0, 1, 0, 1]
    assert column(answer, "unknown") == [0, 1, 0, 1]
    assert column(answer, "precision") == [1.0, 0.0, None, 0.5]


def test_a_label_that_was_known_or_speaks_of_another_time_judges_nothing():
    known = label("bo", "2024-10-01", 1.0)
    other_time = label("ana", "2025-03-20", 0.0, period_start="2025-03-10", period_end="2025-03-20")
    assert column(replay(past(known, other_time)), "unknown") == [1, 2, 0, 3]


def test_money_is_what_was_open_then_by_the_rate_of_then():
    def contracted(creator: str, key: str, day: str, amount: float, currency: str) -> list[dict[str, object]]:
        row = {"creator_id": creator, "collaboration_id": key, "event_time": day}
        terms = {"event_id": f"{key}2", "event_type": "CONTRACTED", "amount": amount, "currency": currency}
        return [row | {"event_id": f"{key}1", "event_type": "ACCEPTED"}, row | terms]

    events = [
        *contracted("ana", "k1", "2024-12-20", 100.0, "EUR"),
        *contracted("ana", "k2", "2025-01-15", 999.0, "USD"),  # after the alert
        *contracted("bo", "k3", "2025-01-15", 70.0, "USD"),
        *contracted("cy", "k4", "2025-01-15", 5.0, "JPY"),  # no rate
        *contracted("di", "k5", "2025-01-15", 5.0, "USD"),  # no alert
    ]
    answer = replay(past(label("bo", "2025-02-20", 0.0), events=events))
    assert column(answer, "money_held") == [200, 70, 0, 270]
    assert column(answer, "money_held_cleared") == [0, 70, 0, 70]
    assert column(answer, "money_held_confirmed") == [0, 0, 0, 0]
    assert column(answer, "money_unknown") == [0, 1, 0, 1]


def test_another_threshold_is_another_number_of_alerts():
    lower = POLICY.changed([{"risk_level": "HIGH", "min_risk_score": 950}])
    assert column(simulation(past(), lower, {}), "alerts") == [2, 2, 0, 4]


def test_days_choose_the_decisions_among_them():
    answer = replay(past(), **{"from": "2025-01-02", "to": "2025-03-02"})
    assert [one["from"] for one in answer["results"]] == ["2025-01-31T00:00:00"]
    assert column(answer, "alerts") == [3, 3]  # nobody was alerted before


@pytest.mark.parametrize(
    ("days", "problem"),
    [
        ({"from": "2024-12-31"}, "from 2025-01-01T00:00:00 to 2025-03-22T00:00:00"),
        ({"to": "2025-03-23"}, "from 2025-01-01T00:00:00 to 2025-03-22T00:00:00"),
        ({"from": "2025-02-02", "to": "2025-02-01"}, "not empty"),
        ({"from": "2025-02-02", "to": "2025-02-09"}, "no decision fell into these days"),
    ],
)
def test_days_without_scores_are_refused_with_those_that_have_some(days, problem):
    with pytest.raises(InputError, match=problem) as caught:
        replay(past(), **days)
    assert caught.value.code == "INVALID_ARGUMENT"


risks = st.dictionaries(
    st.sampled_from(["ana", "bo", "cy", "di"]), st.tuples(*[st.integers(UNKNOWN, 1000)] * 3), min_size=1
)
labels = st.lists(
    st.builds(
        label,
        st.sampled_from(["ana", "bo", "cy", "di"]),
        st.dates(date(2024, 10, 1), date(2025, 3, 20)).map(str),
        st.sampled_from([0.0, 1.0]),
    ),
    max_size=5,
)


@settings(max_examples=25, deadline=None)
@given(risks, labels, st.integers(900, 970))
def test_alerts_are_confirmed_cleared_or_unknown_and_a_lower_threshold_flags_as_early(risk, told, threshold):
    known = past(*told, risk=risk)
    answer = replay(known)
    for one in [*answer["results"], answer["total"]]:
        assert one["confirmed"] + one["cleared"] + one["unknown"] == one["alerts"] <= one["decisions"]
    lower = POLICY.changed([{"risk_level": "HIGH", "min_risk_score": threshold}])
    assert simulation(known, lower, {})["results"][0]["alerts"] >= answer["results"][0]["alerts"]


def test_kept_and_read_they_are_the_same(tmp_path):
    scores().save(tmp_path)
    read = PastScores.load(tmp_path)
    for day in DATES:
        pd.testing.assert_frame_equal(read.at(day), scores().at(day))
    assert PastScores.load(tmp_path / "none") is None


def test_rows_of_a_walk_become_scores_by_date_and_only_the_latest_twelve_dates_are_kept():
    rows = [
        {"as_of": day, c.CREATOR_ID: one, "fraud_probability": p, "risk_score": p * 1000}
        for day, one, p in [(DATES[1], "b", 0.5), (DATES[0], "a", 0.25), (DATES[1], "a", np.nan)]
    ]
    made = PastScores.of(pd.DataFrame(rows))
    assert made.at(DATES[0]).to_dict("index") == {"a": {"fraud_probability": 0.25, "risk_score": 250.0}}
    assert made.at(DATES[1]).to_dict("index") == {"b": {"fraud_probability": 0.5, "risk_score": 500.0}}
    many = pd.concat(pd.DataFrame(rows).assign(as_of=day) for day in pd.date_range(DATES[0], periods=14))
    assert list(PastScores.of(many.drop_duplicates(["as_of", c.CREATOR_ID])).dates) == list(
        pd.date_range(DATES[0], periods=14)[2:]
    )
    assert PastScores.of(pd.DataFrame(rows).iloc[:0]) is None
