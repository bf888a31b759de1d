"""Who was shown for each brief, by an imperfect policy, and how far each got."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features import vocabulary as v
from training.simulate.base import SUBTOPICS, Clock, Flags, Floats, Ints, logistic, standard
from training.simulate.briefs import Briefs
from training.simulate.utility import Market
from training.world import World

NONE, CLICKED, SHORTLISTED, INVITED, DECLINED, ACCEPTED, COMPLETED, FAILED = range(len(v.OUTCOMES))
GRADES = np.array([0, 1, 2, 2, 2, 3, 4, 1], dtype=np.int8)
ALL_PAIRS = 4_000_000  # utilities are kept for every pair up to here


@dataclass
class Load:
    """Each creator's accepted orders, fading over ``fade`` days; ``day`` is when ``orders`` (n,) were last brought
    up."""

    orders: Floats
    day: float
    fade: float

    def at(self, day: float) -> Floats:
        """(n,) the orders that still weigh on ``day``, which must not come before the last one asked for."""
        self.orders, self.day = self.orders * np.exp((self.day - day) / self.fade), day
        return self.orders

    def add(self, creators: pd.Series) -> None:
        """Count one more order for each of these."""
        np.add.at(self.orders, creators.to_numpy(), 1.0)


def _load(world: World, size: int, past: pd.DataFrame, clock: Clock) -> Load:
    """What is left of the ``past`` jobs at the start."""
    taken, fade = past[past["outcome"] >= ACCEPTED], world.funnel.load_days
    left = np.exp((taken["day"] - clock.start) / fade)
    return Load(np.bincount(taken["creator"], left, size).astype(np.float64), float(clock.start), fade)


def chosen(world: World, utility: Floats, rng: np.random.Generator) -> Ints:
    """(n,) NONE, CLICKED, SHORTLISTED or INVITED: how far a brand would go with each creator, were it to look."""
    p = world.funnel
    steps = [rng.random(len(utility)) < logistic(a + b * utility) for a, b in (p.click, p.shortlist, p.invite)]
    return np.cumprod(steps, axis=0).sum(axis=0)


def answered(
    market: Market, creators: Ints, brand: int, utility: Floats, load: Floats, budget: float, rng: np.random.Generator
) -> Ints:
    """What comes of inviting these creators: INVITED (no answer), DECLINED, COMPLETED or FAILED."""
    p, people, luck = market.world.funnel, market.people, rng.random((3, len(creators)))
    afford = np.log(budget / people.price[creators]).clip(-2, 1)
    accepts = luck[0] < logistic(p.accept + p.accept_price * afford - p.accept_load * load)
    fine = luck[1] < success_chance(market, creators, np.full(len(creators), brand), utility, load)
    outcome = np.where(accepts, np.where(fine, COMPLETED, FAILED), DECLINED)
    return np.where(luck[2] < p.unanswered, INVITED, outcome)


def success_chance(market: Market, creators: Ints, brands: Ints, utility: Floats, load: Floats) -> Floats:
    """P(an accepted job ends well) for each of these creators with the brand beside it."""
    p = market.world.funnel
    return logistic(
        p.success
        + p.success_reliability * market.people.reliability[creators]
        + p.success_fit * utility
        - p.success_load * load
        - p.success_harshness * market.houses.harshness[brands]
    )


def log_impressions(
    market: Market, asked: Briefs, labels: Floats, clock: Clock, past: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shown pairs (brief, creator, position, propensity, day, outcome, utility) and the truth of pairs (brief, creator,
    utility, grade)."""
    load = _load(market.world, market.people.size, past, clock)
    logged, truth = [], []
    for row, day in enumerate(asked.day):
        utility = market.utility(asked, row, rng)
        outcome = _outcomes(market, asked, row, utility, load.at(day), rng)
        score = _score(market, asked, row, labels, utility, rng)
        shown = shown_by_policy(market.world, score, market.people.onboarded <= day, rng)
        looked = rng.random(len(shown)) < shown["position"] ** -market.world.logging.examination
        shown["outcome"] = np.where(looked, outcome[shown["creator"]], NONE)
        load.add(shown.loc[shown["outcome"] >= ACCEPTED, "creator"])
        logged.append(shown.assign(brief=row, day=day + rng.uniform(0.01, 0.5), utility=utility[shown["creator"]]))
        truth.append(_truth(row, utility, outcome, len(asked.ids), rng))
    return pd.concat(logged, ignore_index=True), pd.concat(truth, ignore_index=True)


def _outcomes(market: Market, asked: Briefs, row: int, utility: Floats, load: Floats, rng: np.random.Generator) -> Ints:
    """(n,) what would come of every creator, were the brand to look."""
    everyone, depth = np.arange(market.people.size), chosen(market.world, utility, rng)
    answers = answered(market, everyone, asked.brand[row], utility, load, asked.budget[row], rng)
    return np.where(depth == INVITED, answers, depth)


def _score(
    market: Market, asked: Briefs, row: int, labels: Floats, utility: Floats, rng: np.random.Generator
) -> Floats:
    """The old ranking: some popularity, the label, a glimpse of the truth, much noise."""
    p, popularity = market.world.logging, standard(np.log(market.people.followers))
    label = labels[:, asked.subtopic[row] // SUBTOPICS]
    noise = p.noise * rng.normal(size=len(utility))
    return p.popularity * popularity + p.label * label + p.relevance * utility + noise


def shown_by_policy(world: World, score: Floats, eligible: Flags, rng: np.random.Generator) -> pd.DataFrame:
    """Positions by score, shuffled uniformly within blocks; some positions go to a creator drawn from all the others.

    Propensities are exact given the score: (1 - explore) / block for the policy's own, explore / others for the
    explored.
    """
    p = world.logging
    order = np.flatnonzero(eligible)[np.argsort(-score[eligible], kind="stable")]
    count = min(int(rng.choice(p.shown)), len(order) // 2) // p.block * p.block
    blocks = rng.permuted(order[:count].reshape(-1, p.block), axis=1)
    explored = rng.random(count) < p.explore
    others = rng.choice(order[count:], count, replace=False) if count else order[:0]
    return pd.DataFrame(
        {
            "creator": np.where(explored, others, blocks.ravel()),
            "position": np.arange(1.0, count + 1),
            "propensity": np.where(explored, p.explore / max(len(order) - count, 1), (1 - p.explore) / p.block),
        }
    )


def _truth(row: int, utility: Floats, outcome: Ints, briefs: int, rng: np.random.Generator) -> pd.DataFrame:
    """Every pair, or in a big world each brief's best 2 % and as many others by lot."""
    kept = np.arange(len(utility))
    if len(utility) * briefs > ALL_PAIRS:
        share = len(utility) // 50
        order = np.argsort(-utility, kind="stable")
        kept = np.sort(np.concatenate([order[:share], rng.choice(order[share:], share, replace=False)]))
    return pd.DataFrame(
        {
            "brief": np.full(len(kept), row, dtype=np.int32),
            "creator": kept.astype(np.int32),
            "utility": utility[kept].astype(np.float32),
            "grade": GRADES[outcome[kept]],
        }
    )
