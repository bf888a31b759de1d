"""Collaborations to be: those that briefs led to, and those of the years before."""

from dataclasses import replace

import numpy as np
import pandas as pd

from training.simulate.base import Clock
from training.simulate.briefs import Briefs, briefs, usual_budget
from training.simulate.impressions import INVITED, answered
from training.simulate.utility import Market


def past_jobs(market: Market, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """Invitations before the horizon, without briefs: brand, creator, day, outcome, utility, subtopic, budget, brief
    = -1."""
    world, houses = market.world, market.houses
    usual = usual_briefs(market, clock, rng)
    activity = rng.gamma(1.2, size=len(houses.ids))
    counts = rng.multinomial(round(world.work.past_jobs * market.people.size), activity / activity.sum())
    rows = [_brand_jobs(market, usual, brand, int(count), rng) for brand, count in enumerate(counts) if count]
    jobs = pd.concat(rows, ignore_index=True)
    jobs["day"] = clock.start - 1 - world.work.past_days * rng.beta(1, 1.4, len(jobs))
    jobs = jobs[market.people.onboarded[jobs["creator"]] < jobs["day"]]
    return jobs.assign(brief=-1, shown=-1).sort_values("day", ignore_index=True)


def usual_briefs(market: Market, clock: Clock, rng: np.random.Generator) -> Briefs:
    """One typical brief for each brand."""
    houses = market.houses
    drawn = briefs(market.world, houses, len(houses.ids), clock, rng)
    return replace(
        drawn,
        brand=np.arange(len(houses.ids)),
        subtopic=houses.subtopics[:, 0],
        country=houses.country,
        budget=usual_budget(market.world, houses.tier),
    )


def _brand_jobs(market: Market, usual: Briefs, brand: int, count: int, rng: np.random.Generator) -> pd.DataFrame:
    utility, budget = market.utility(usual, brand, rng), float(usual.budget[brand])
    chance = np.exp(market.world.work.loyalty * utility)
    creator = rng.choice(market.people.size, count, p=chance / chance.sum())
    outcome = answered(market, creator, brand, utility[creator], np.zeros(count), budget, rng)
    columns = {"creator": creator, "brand": brand, "outcome": outcome, "utility": utility[creator]}
    return pd.DataFrame(columns).assign(subtopic=usual.subtopic[brand], budget=budget)


def brief_jobs(asked: Briefs, shown: pd.DataFrame) -> pd.DataFrame:
    """The invitations among the shown pairs, in the columns of :func:`past_jobs`; ``shown`` is the row of the
    impression."""
    invited = shown[shown["outcome"] >= INVITED]
    row = invited["brief"].to_numpy()
    jobs = invited[["brief", "creator", "day", "outcome", "utility"]].assign(
        brand=asked.brand[row], subtopic=asked.subtopic[row], budget=asked.budget[row], shown=invited.index
    )
    return jobs.reset_index(drop=True)
