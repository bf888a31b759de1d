"""Violations, appeals, trainings and monthly assessments in the ledger."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from features import columns as c
from training.parameters import ConductParams
from training.simulate.base import Clock, Floats, Ints
from training.simulate.creators import Population
from training.simulate.daily import Daily
from training.simulate.fraud import Bought, bought_shares
from training.world import World

VIOLATIONS = ("UNDISCLOSED_AD", "COPYRIGHT", "MISLEADING_CLAIM", "HARASSMENT")
YEAR = 365.25


def conduct(
    world: World, people: Population, clock: Clock, daily: Daily, bought: Bought, labels: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Ledger events with ``day``; ``key`` names an event and ``cause`` the one it refers to."""
    p = world.conduct
    first = np.maximum(people.joined, clock.start - world.work.past_days)
    confirmed = _violations(p, people, clock, first, rng)
    parts = [
        confirmed,
        *_appeals(confirmed, "VIOLATION_OVERTURNED", p, rng),
        _confirmed_fraud(labels),
        *_appeals(_confirmed_fraud(labels), "FRAUD_CLEARED", p, rng),
        _trainings(p, people, clock, first, rng),
        *_assessments(p, people, clock, daily, bought, rng),
    ]
    events = pd.concat(parts, ignore_index=True)
    events = events[events["day"] < clock.stop]
    return events.assign(**{c.CREATOR_ID: people.ids[events["creator"].astype(int)]})


def _violations(
    p: ConductParams, people: Population, clock: Clock, first: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    rate = p.violations * 2.0 ** (-people.reliability) * (clock.stop - first) / YEAR
    creator = np.repeat(np.arange(people.size), rng.poisson(rate))
    return pd.DataFrame(
        {
            "creator": creator,
            "day": rng.uniform(first[creator], clock.stop),
            c.EVENT_TYPE: "VIOLATION_CONFIRMED",
            c.SEVERITY: rng.choice([1.0, 2.0, 3.0], len(creator), p=p.severities),
            c.VIOLATION_TYPE: rng.choice(VIOLATIONS, len(creator)),
            "key": [f"violation{number}" for number in range(len(creator))],
        }
    )


def _appeals(
    confirmed: pd.DataFrame, overturn: str, p: ConductParams, rng: np.random.Generator
) -> Iterator[pd.DataFrame]:
    """Some appeal; the decision comes two weeks later and, if it upholds the appeal, the overturning with it."""
    appealed = confirmed[rng.random(len(confirmed)) < p.appealed]
    opened = appealed["day"] + rng.exponential(5, len(appealed)) + 0.1
    decided = opened + rng.exponential(10, len(appealed)) + 1
    upheld = rng.random(len(appealed)) < p.upheld
    base = appealed[["creator"]].assign(cause=appealed["key"])
    yield base.assign(day=opened, **{c.EVENT_TYPE: "APPEAL_OPENED"})
    yield base.assign(day=decided, **{c.EVENT_TYPE: "APPEAL_DECIDED", c.NOTE: np.where(upheld, "UPHELD", "REJECTED")})
    yield base.assign(day=decided + 0.01, **{c.EVENT_TYPE: overturn})[upheld]


def _confirmed_fraud(labels: pd.DataFrame) -> pd.DataFrame:
    """A ledger event for each positive label, when it becomes known."""
    found = labels[labels[c.IS_FAKE] == 1]
    keys = [f"fraud{number}" for number in range(len(found))]
    events = pd.DataFrame({"creator": found["creator"], "day": found["known"], "key": keys})
    return events.assign(**{c.EVENT_TYPE: "FRAUD_CONFIRMED", c.SEVERITY: 3.0})


def _trainings(
    p: ConductParams, people: Population, clock: Clock, first: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    creator = np.repeat(np.arange(people.size), rng.poisson(p.trained * (clock.stop - first) / YEAR))
    day = rng.uniform(first[creator], clock.stop)
    return pd.DataFrame({"creator": creator, "day": day, c.EVENT_TYPE: "TRAINING_PASSED"})


def _assessments(
    p: ConductParams, people: Population, clock: Clock, daily: Daily, bought: Bought, rng: np.random.Generator
) -> Iterator[pd.DataFrame]:
    """Monthly, for the same half of the creators: INTERACTION, the percentile of comments and shares per view, and
    AUTHENTICITY, one less a noisy estimate of the bought share. Both in [0, 1]."""
    assessed = np.flatnonzero(rng.random(people.size) < p.assessed)
    for day in range(clock.start + 29, clock.stop, 30):
        month = slice(day - 28, day)
        answers = (daily.comments + daily.shares)[:, month].sum(axis=1) / daily.views[:, month].sum(axis=1).clip(1)
        interaction = pd.Series(answers).rank(pct=True).to_numpy()
        values = {"INTERACTION": interaction, "AUTHENTICITY": 1 - bought_shares(daily, bought, day - 1)}
        rows = assessed[people.joined[assessed] < day]
        for factor, value in values.items():
            yield _assessed(p, rows, day, factor, value, rng)


def _assessed(
    p: ConductParams, rows: Ints, day: int, factor: str, value: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    noisy = (value[rows] + p.assess_noise * rng.normal(size=len(rows))).clip(0, 1).round(3)
    return pd.DataFrame({"creator": rows, "day": float(day), c.FACTOR: factor, c.VALUE: noisy}).assign(
        **{c.EVENT_TYPE: "ASSESSED", c.MODEL_VERSION: "rules-1"}
    )
