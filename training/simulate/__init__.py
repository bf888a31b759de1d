"""The simulated marketplace: the default data, and the only data whose truth is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from features.tables import write_tables
from training.simulate.accounts import accounts, accounts_table
from training.simulate.audience import audience, audience_table
from training.simulate.base import clock
from training.simulate.briefs import brands, briefs_table
from training.simulate.briefs import briefs as draw_briefs
from training.simulate.conduct import conduct
from training.simulate.creators import Population, population
from training.simulate.daily import daily_table, organic
from training.simulate.engagements import engagements_table, sample
from training.simulate.fraud import campaigns, fraud_target, run, truth_of_fraud
from training.simulate.labels import labels_table, reviews
from training.simulate.ledger import ledger
from training.simulate.matches import Matches, impressions_table, matches, sponsored_videos
from training.simulate.profiles import creators_table, exchange_rates, prices_table
from training.simulate.utility import Market
from training.simulate.videos import videos_table
from training.world import World

__all__ = ["Simulation", "fraud_target", "simulate", "write"]


@dataclass(frozen=True)
class Simulation:
    """``tables``: the contract's, complete. ``truth``, for evaluation only: ``utility`` (brief_id, creator_id,
    utility, and the
    grade the pair would have got if looked at), ``campaigns``, ``bought`` (see :func:`fraud_target`), ``creators``."""

    tables: dict[str, pd.DataFrame]
    truth: dict[str, pd.DataFrame]


def simulate(world: World, *, creators: int, briefs: int, days: int, rng: np.random.Generator) -> Simulation:
    """Run a marketplace of that many creators and briefs over the last ``days`` days of ``world``.

    Equal worlds, sizes and generator states give equal frames.
    """
    time = clock(world, days)
    people = population(world, creators, time, rng)
    viewers = audience(world, people, rng)
    plan = campaigns(world, people, time, rng)
    daily, bought = run(world, organic(world, people, time, rng), plan, rng)
    profiles = creators_table(world, people, time, daily, rng)
    market = Market(world, people, viewers, brands(world, briefs, rng))
    asked = draw_briefs(world, market.houses, briefs, time, rng)
    made = matches(market, asked, profiles, time, rng)
    found = reviews(world, people, time, daily, bought, plan, rng)
    incidents = conduct(world, people, time, daily, bought, found, rng)
    pool = accounts(world, creators, time, rng)
    rows = sample(world, people, time, daily, bought, plan, pool, rng)
    used = np.unique(rows.account)
    videos = videos_table(world, people, time, daily, sponsored_videos(made, time), rng)
    tables = {
        schema.CREATORS.name: profiles,
        schema.CREATOR_PRICES.name: prices_table(world, people, time, rng),
        schema.EXCHANGE_RATES.name: exchange_rates(world, time, rng),
        schema.AUDIENCE.name: audience_table(world, people, time, viewers, rng),
        schema.VIDEOS.name: videos,
        schema.DAILY_STATS.name: daily_table(people, time, daily),
        schema.ACCOUNTS.name: accounts_table(world, pool, time, used, rng),
        schema.ENGAGEMENTS.name: engagements_table(world, people, time, plan, rows, pool, videos, rng),
        schema.BRIEFS.name: briefs_table(world, market.houses, asked, time, rng),
        schema.IMPRESSIONS.name: impressions_table(market, asked, made, time),
        schema.COLLABORATION_EVENTS.name: ledger(market, asked, made, incidents, time, daily, rng),
        schema.FRAUD_LABELS.name: labels_table(world, people, time, found, pool, used, rng),
    }
    truth = {"utility": _utilities(people, asked.ids, made), "creators": _traits(people)}
    return Simulation(tables, truth | truth_of_fraud(people, time, daily, bought, plan))


def write(simulation: Simulation, out: Path) -> None:
    """Write the tables as Parquet into ``out`` and the truth into ``out``/truth, where nothing but evaluation looks."""
    write_tables(simulation.tables, out)
    (out / "truth").mkdir(parents=True, exist_ok=True)
    for name, table in simulation.truth.items():
        table.to_parquet(out / "truth" / f"{name}.parquet", index=False)


def _utilities(people: Population, brief_ids: np.ndarray, made: Matches) -> pd.DataFrame:
    ids = {
        c.BRIEF_ID: pd.Series(brief_ids, dtype="str").take(made.truth["brief"]).reset_index(drop=True),
        c.CREATOR_ID: pd.Series(people.ids, dtype="str").take(made.truth["creator"]).reset_index(drop=True),
    }
    return pd.DataFrame(ids).join(made.truth[["utility", "grade"]])


def _traits(people: Population) -> pd.DataFrame:
    return pd.DataFrame({c.CREATOR_ID: people.ids, "reliability": people.reliability, "quality": people.quality})
