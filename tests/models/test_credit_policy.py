"""The credit policy keeps its promises, and docs/credit.md says what policy and code do, worked example included."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.credit import ACTIONS, POLICY_FILE, credit_answers, load_policy
from models.credit_factors import FACTORS, coded_events, effects, evidence
from models.credit_state import posterior
from models.credit_texts import TEXTS
from tests.models.test_credit import AS_OF, ME, NOBODY, POLICY, Event, ledger, score

SETTLED: Event = {"event_type": "SETTLED"}
DOCS = (Path(__file__).parents[2] / "docs" / "credit.md").read_text(encoding="utf-8")


def test_every_rule_has_its_words_and_every_action_a_rule() -> None:
    assert set(TEXTS) == {*POLICY.events, *POLICY.curves}
    assert set(ACTIONS) <= set(TEXTS)


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        ({"memory": 1}, "memory"),
        ({"factors": {name: {"weight": 0.3, "prior_mean": 0.5, "prior_events": 8} for name in FACTORS}}, "sum to 1"),
        ({"bands": [{"name": "ONLY", "from": 0}]}, "bands"),
        ({"assessment_dead_band": 0}, "dead band"),
        ({"suspension_days": {"ASSESSED_AUTHENTICITY": 1}}, "person"),
        ({"suspension_days": {"FRAUD_CONFIRMED": -1}}, "ends"),
        ({"milestones": [{"settled": 0, "open_orders": None}, {"settled": 3, "open_orders": 9}]}, "milestones"),
        ({"hysteresis": -1}, "hysteresis"),
        ({"raters": {"b1": -2.5}}, "whoever rates"),
        ({"value_classes": [{"from": 5, "times": 1}]}, "classes of value"),
        ({"value_classes": [{"from": 0, "times": 0}]}, "multiplied"),
        ({"repeated": {"days": 9, "times": 1.1}}, "repeated"),
        ({"curves": {"RATED": {"factor": "FEEDBACK", "at": [1, 5], "weight": [1, -1]}}}, "curve"),
    ],
)
def test_policy_that_breaks_a_promise_is_refused(change: Event, promise: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(json.loads(POLICY_FILE.read_text()) | change))
    with pytest.raises(ValueError, match=promise):
        load_policy(path)


def test_policy_of_an_older_release_has_no_raters_classes_or_repeats(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    later = (
        "hysteresis",
        "ended_by_training",
        "repeated_violation",
        "repeated_default",
        "probation",
        "milestones",
        "raters",
        "usd",
        "value_classes",
        "repeated",
    )
    stated = json.loads(POLICY_FILE.read_text())
    path.write_text(json.dumps({name: value for name, value in stated.items() if name not in later}))
    policy = load_policy(path)
    contract = {"event_type": "CONTRACTED", "amount": 9000.0, "currency": "USD"}
    orders = [{**one, "collaboration_id": f"k{n}", "brand_id": "b1"} for n in (1, 2) for one in (contract, SETTLED)]
    coded = coded_events(ledger(orders), AS_OF)
    assert evidence(coded, effects(coded, policy))["weight"].tolist() == [0.5, 0.5, 1.0, 1.0]


EXAMPLE: list[Event] = [
    {"event_type": "CONTRACTED", "event_time": "2026-01-10", "due_at": "2026-01-20", "collaboration_id": "k1"},
    {"event_type": "CONTENT_SUBMITTED", "event_time": "2026-01-18", "collaboration_id": "k1"},
    {"event_type": "PUBLISHED", "event_time": "2026-01-22", "collaboration_id": "k1"},
    {"event_type": "SETTLED", "event_time": "2026-01-30", "collaboration_id": "k1"},
    {"event_type": "RATED", "event_time": "2026-02-02", "rating": 5, "collaboration_id": "k1"},
    {"event_type": "VIOLATION_CONFIRMED", "event_time": "2026-03-01", "severity": 1},
]


def cells(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading of the docs, without its head."""
    section = DOCS.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = re.findall(r"^\|(.*)\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


def test_worked_example_of_the_docs() -> None:
    events, as_of = ledger(EXAMPLE), pd.Timestamp("2026-04-01")
    state = posterior(coded_events(events, as_of), POLICY, ME).state
    found = credit_answers(events, NOBODY, POLICY, as_of, list(ME))[0]
    shown = [
        [factor["name"], f"{alpha:.3f}", f"{beta:.3f}", f"{factor['score']}"]
        for factor, alpha, beta in zip(found["factors"], state.alpha[0], state.beta[0], strict=True)
    ]
    assert cells("A worked example")[:5] == shown
    assert f"**{found['score']}**" in DOCS
    assert f"confidence {found['confidence']:.3f}" in DOCS
    for reason in found["reasons"]:
        assert f"| {reason['text']} | {reason['points']:+} |" in DOCS
    assert f'"{found["next_best_action"]["text"]}" (+{found["next_best_action"]["points"]})' in DOCS


ONE_EVENT: dict[str, Event] = {
    "PUBLISHED_LATE": {"event_type": "PUBLISHED", "due_at": "2025-12-31"},
    "CANCELLED_BY_CREATOR": {"event_type": "CANCELLED_BY_CREATOR"},
    "DEFAULTED": {"event_type": "DEFAULTED"},
    **{
        f"VIOLATION_CONFIRMED_{severity}": {"event_type": "VIOLATION_CONFIRMED", "severity": severity}
        for severity in (1, 2, 3)
    },
    "FRAUD_CONFIRMED": {"event_type": "FRAUD_CONFIRMED"},
}
WELL_DONE: list[Event] = [
    {"event_type": "CONTENT_SUBMITTED", "due_at": AS_OF},
    {"event_type": "PUBLISHED"},
    SETTLED,
    {"event_type": "RATED", "rating": 5},
]


def orders_until_back(*before: Event) -> int:
    """After how many orders well done the score is a newcomer's again."""
    return next(count for count in range(20) if score(ledger([*before, *WELL_DONE * count])) >= POLICY.base_score)


def test_docs_state_the_way_back() -> None:
    training: Event = {"event_type": "TRAINING_PASSED"}
    found = [
        [
            code,
            f"{score(ledger([event])) - POLICY.base_score:.1f}".replace("-", "−"),
            *(str(orders_until_back(event, *further)) for further in ((), (training,))),
        ]
        for code, event in ONE_EVENT.items()
    ]
    assert cells("The way back") == found


def test_docs_state_the_policy() -> None:
    factors = [
        [name, f"{factor.weight}", f"{factor.prior_mean}", f"{factor.prior_events}", f"{factor.floor}"]
        for name, factor in POLICY.factors.items()
    ]
    assert cells("The five factors") == factors
    weights = [
        [code, ", ".join(f"{factor} {weight:+g}".replace("-", "−") for factor, weight in moved.items())]
        for code, moved in POLICY.events.items()
    ]
    assert [line[:2] for line in cells("What each event says")[: len(weights)]] == weights
    assert f"within {POLICY.appeal_days:g} days" in DOCS
    assert f"moved by {POLICY.assessment_dead_band} or more" in DOCS
    assert cells("Who rates, and what the order is worth") == [
        [f"{one.start:g}", f"{one.times:g}"] for one in POLICY.value_classes
    ]
    assert f"{POLICY.repeated.days:g} days before this one multiplies" in " ".join(DOCS.split())
    assert f"this one's events by {POLICY.repeated.times:g}." in DOCS
    milestones = [[f"{one.settled:g}", "any number" if np.isinf(one.open_orders) else f"{one.open_orders:g}"]
        for one in POLICY.milestones]  # fmt: skip
    suspensions = [
        [code, f"{days:g}", "yes" if code in POLICY.ended_by_training else "no"]
        for code, days in POLICY.suspension_days.items()
    ]
    told = cells("Who may take orders")
    assert (told[: len(milestones)], told[-len(suspensions) :]) == (milestones, suspensions)
    repeated, probation = POLICY.repeated_violation, POLICY.probation
    defaults = POLICY.repeated_default
    assert f"the {defaults.times:g}rd order within {defaults.days:g} days that the creator did not deliver" in DOCS
    assert (
        f"the {repeated.times}th confirmed violation of the same `violation_type` within {repeated.days} days" in DOCS
    )
    assert f"LIMITED for {probation.days} days, or until {probation.settled} orders were settled since" in DOCS
    assert f"at most {POLICY.limited_open_orders} open orders" in DOCS
    assert f"more than {POLICY.hysteresis:g} points" in DOCS
    limit, freed = POLICY.limited_below, POLICY.limited_below + POLICY.hysteresis
    assert f"from below {limit:g} on until the score is {freed:g}" in DOCS
    assert cells("Stars, bands and orders") == [
        [f"{start:g}", "★" * star, name]
        for star, (name, start) in enumerate(((band.name, band.start) for band in POLICY.bands), start=1)
    ]
