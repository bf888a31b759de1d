"""How soon credit knows whom it has before it: a thousand simulated careers of ten orders, each from another brand.

Creators differ in a latent reliability, which decides how their orders end. Honest ones break no rule and work as well
as it happens; habitual defaulters mean to deliver next to nothing.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from models.credit import Policy, credit_scores, load_policy
from models.credit_factors import past_events
from models.measures import Interval, bootstrap_of
from training.simulate.careers import Careers, careers
from training.world import WORLD_1

CREATORS, ORDERS, SEED = 1000, 10, 0
STEPS = (1, 3, 5, 10)
WITHIN = 5
HONEST = replace(WORLD_1, conduct=replace(WORLD_1.conduct, violations=0.0))
DEFAULTING = replace(HONEST, work=replace(WORLD_1.work, failures=(1.0, 0.0, 0.0)))
HABITUAL = -5.0
"""Reliability, in standard deviations: one order in a hundred succeeds."""
Values = npt.NDArray[np.float64]


def run() -> dict[str, object]:
    """By orders done, the rank correlation of score and of star average with reliability, and how many of the honest
    and of the defaulters were limited or suspended by then, of CREATORS each."""
    policy, rng = load_policy(), np.random.default_rng(SEED)
    reliability = rng.normal(size=CREATORS)
    usual = careers(WORLD_1, reliability, ORDERS, rng)
    honest = careers(HONEST, reliability, ORDERS, rng)
    defaulters = careers(DEFAULTING, np.full(CREATORS, HABITUAL), WITHIN, rng)
    return {
        "rank_correlation": {
            orders: {
                "credit": correlation(_score(usual, orders, policy), reliability),
                "star_average": correlation(_stars(usual, orders), reliability),
            }
            for orders in STEPS
        },
        "honest": stopped(honest, policy, ORDERS),
        "defaulters": stopped(defaulters, policy, WITHIN),
    }


def correlation(signal: Values, reliability: Values) -> Interval:
    """Spearman's, with a bootstrap interval over creators."""
    return bootstrap_of(
        lambda rows: float(pd.Series(signal[rows]).corr(pd.Series(reliability[rows]), method="spearman")),
        np.arange(len(signal)),
        np.random.default_rng(SEED),
        draws=200,
    )


def stopped(found: Careers, policy: Policy, orders: int) -> dict[str, dict[int, int]]:
    """How many were LIMITED, how many SUSPENDED when their next order was to be offered, after some order up to each of
    STEPS, ``orders`` at most."""
    status = pd.DataFrame({done: _standing(found, done, policy)["order_status"] for done in range(1, orders + 1)})
    return {
        name: {step: int((status.loc[:, :step] == name).any(axis=1).sum()) for step in STEPS if step <= orders}
        for name in ("LIMITED", "SUSPENDED")
    }


def _standing(found: Careers, orders: int, policy: Policy) -> pd.DataFrame:
    return credit_scores(found.events, policy, found.after(orders), found.creators)


def _score(found: Careers, orders: int, policy: Policy) -> Values:
    return _standing(found, orders, policy)["score"].to_numpy(np.float64)


def _stars(found: Careers, orders: int) -> Values:
    """The mean rating, of those who have none the mean of all."""
    known = past_events(found.events, found.after(orders))
    mean = known.groupby(c.CREATOR_ID)[c.RATING].mean().reindex(found.creators)
    return mean.fillna(mean.mean()).to_numpy(np.float64)
