"""Who was shown for each brief, by an imperfect policy, and how far each got."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from features import vocabulary as v
from training.simulate.base import SUBTOPICS, Clock, Flags, Floats, Ints, logistic
from training.simulate.briefs import Briefs
from training.simulate.utility import Market
from training.world import World

NONE, CLICKED, SHORTLISTED, INVITED, DECLINED, ACCEPTED, COMPLETED, FAILED = range(len(v.OUTCOMES))
GRADES = np.array([0, 1, 2, 2, 2, 3, 4, 1], dtype=np.int8)
LOAD_DAYS = 25.0  # an accepted order weighs on a creator for about this long
ALL_PAIRS = 4_000_000  # utilities are kept for every pair up to here


@dataclass
class Log:
    """What the loop over briefs collects: shown pairs, utilities, and the creators' current load."""

    load: Floats
    updated: float
    shown: list[pd.DataFrame] = field(default_factory=list)
    truth: list[pd.DataFrame] = field(default_factory=list)

    def at(self, day: float) -> Floats:
        """(n,) the load at ``day``: accepted orders, fading."""
        self.load = self.load * np.exp(-(day - self.updated) / LOAD_DAYS)
        self.updated = day
        return self.load


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
    fine = luck[1] < logistic(
        p.success
        + p.success_reliability * people.reliability[creators]
        + p.success_fit * utility
        - p.success_load * load
        - p.success_harshness * market.houses.harshness[brand]
    )
    outcome = np.where(accepts, np.where(fine, COMPLETED, FAILED), DECLINED)
    return np.where(luck[2] < p.unanswered, INVITED, outcome)


def log_impressions(
    market: Market, asked: Briefs, labels: Floats, clock: Clock, past: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shown pairs (brief, creator, position, propensity, day, outcome) and the truth (brief, creator, utility, grade)."""
    world, people, everyone = market.world, market.people, np.arange(market.people.size)
    recent = past[past["outcome"] >= ACCEPTED]
    load = np.zeros(people.size)
    np.add.at(load, recent["creator"].to_numpy(), np.exp(-(clock.start - recent["day"].to_numpy()) / LOAD_DAYS))
    log = Log(load, float(clock.start))
    for row in range(len(asked.ids)):
        day = float(asked.day[row])
        utility, load = market.utility(asked, row, rng), log.at(day)
        answers = answered(market, everyone, asked.brand[row], utility, load, asked.budget[row], rng)
        depth = chosen(world, utility, rng)
        outcome = np.where(depth == INVITED, answers, depth)
        score = _score(market, asked, row, labels, utility, rng)
        shown = _shown(world, score, people.onboarded <= day, rng)
        looked = rng.random(len(shown)) < shown["position"] ** -world.logging.examination
        shown = shown.assign(brief=row, day=day + rng.uniform(0.01, 0.5))
        shown["outcome"] = np.where(looked, outcome[shown["creator"]], NONE)
        shown["utility"] = utility[shown["creator"]]
        log.shown.append(shown)
        log.truth.append(_truth(row, utility, outcome, len(asked.ids), rng))
        np.add.at(log.load, shown.loc[shown["outcome"] >= ACCEPTED, "creator"].to_numpy(), 1.0)
    return pd.concat(log.shown, ignore_index=True), pd.concat(log.truth, ignore_index=True)


def _score(
    market: Market, asked: Briefs, row: int, labels: Floats, utility: Floats, rng: np.random.Generator
) -> Floats:
    """The old ranking: some popularity, the label, a glimpse of the truth, much noise."""
    p, size = market.world.logging, np.log(market.people.followers)
    popularity = (size - size.mean()) / size.std()
    label = labels[:, asked.subtopic[row] // SUBTOPICS]
    noise = p.noise * rng.normal(size=len(utility))
    return p.popularity * popularity + p.label * label + p.relevance * utility + noise


def _shown(world: World, score: Floats, eligible: Flags, rng: np.random.Generator) -> pd.DataFrame:
    """Positions by score, shuffled uniformly within blocks; some positions go to a creator drawn from all the others.

    Propensities are exact given the score: (1 - explore) / block for the policy's own, explore / others for the explored.
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
