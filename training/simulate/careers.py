"""Careers: creators of a stated reliability who take one order after the other, each from another brand."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.schema import FRAUD_LABELS, empty
from training.simulate.audience import audience
from training.simulate.base import Clock, Floats, Ints, clock
from training.simulate.briefs import brands
from training.simulate.briefs import briefs as draw_briefs
from training.simulate.collaborations import course
from training.simulate.conduct import conduct
from training.simulate.creators import population
from training.simulate.daily import organic
from training.simulate.fraud import campaigns, run
from training.simulate.impressions import COMPLETED, FAILED, success_chance
from training.simulate.jobs import usual_briefs
from training.simulate.ledger import ledger
from training.simulate.matches import Matches
from training.simulate.utility import Market
from training.world import World

APART = 60  # days between two orders' invitations: nearly all are settled and rated by the next
DRAWN = 5  # brands, of which the best fit takes the creator


@dataclass(frozen=True)
class Careers:
    """``events``: the ledger; ``creators``: their ids; the first orders are offered from ``starts`` on."""

    events: pd.DataFrame
    creators: pd.Index
    starts: pd.Timestamp

    def after(self, orders: int) -> pd.Timestamp:
        """When so many orders of each creator have begun, the last one APART days ago, and the next is to be
        offered."""
        return self.starts + pd.Timedelta(days=APART * orders)


def careers(world: World, reliability: Floats, orders: int, rng: np.random.Generator) -> Careers:
    """A career of so many accepted orders for each ``reliability`` (n,). Nobody buys engagement; violations, trainings
    and assessments are the world's."""
    time = clock(world, APART * (orders + 2))
    people = population(world, len(reliability), time, rng)
    started = np.full(len(reliability), float(time.start))
    people = replace(people, reliability=reliability, joined=started - 1, onboarded=started - 1)
    daily, bought = run(world, organic(world, people, time, rng), campaigns(world, people, time, rng).head(0), rng)
    market = Market(world, people, audience(world, people, rng), brands(world, 2 * len(reliability), rng))
    jobs = _orders(market, orders, time, rng)
    made = Matches(jobs.head(0), jobs, course(market, jobs, rng), jobs.head(0))
    unlabelled = empty(FRAUD_LABELS).assign(creator=[], known=[])
    incidents = conduct(world, people, time, daily, bought, unlabelled, rng)
    events = ledger(market, draw_briefs(world, market.houses, 1, time, rng), made, incidents, time, daily, rng)
    return Careers(events, pd.Index(people.ids), time.dates[time.start])


def _orders(market: Market, orders: int, time: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """The first order of everyone, then the second, …, in the columns of :func:`training.simulate.jobs.past_jobs`."""
    size = market.people.size
    fits = _fits(market, time, rng)
    creator = np.tile(np.arange(size), orders)
    brand = _best(fits, creator, rng)
    utility = fits[brand, creator]
    chance = success_chance(market, creator, brand, utility, np.zeros(len(creator)))
    return pd.DataFrame(
        {
            "creator": creator,
            "brand": brand,
            "outcome": np.where(rng.random(len(creator)) < chance, COMPLETED, FAILED),
            "utility": utility,
            "day": time.start + APART * np.repeat(np.arange(orders), size) + rng.uniform(0, 5, len(creator)),
            "brief": -1,
        }
    )


def _fits(market: Market, time: Clock, rng: np.random.Generator) -> Floats:
    """(brands, n): what each brand's usual brief makes of everyone."""
    usual = usual_briefs(market, time, rng)
    return np.stack([market.utility(usual, brand, rng) for brand in range(len(market.houses.ids))])


def _best(fits: Floats, creator: Ints, rng: np.random.Generator) -> Ints:
    drawn = rng.integers(len(fits), size=(DRAWN, len(creator)))
    return drawn[fits[drawn, creator].argmax(axis=0), np.arange(len(creator))]
