"""The accounts that follow and engage: people, mass followers, bots in farms, influencers; their profiles overlap."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from training.simulate.base import Clock, Flags, Floats, Ints, Words, by_country, frame, homes, names
from training.world import World

REAL, MASS, BOT, INFLUENCER = range(4)


@dataclass(frozen=True)
class Accounts:
    """The pool: ids, kind, created (day), farm (bots only, else -1)."""

    ids: Words
    kind: Ints
    created: Floats
    farm: Ints

    def of(self, *kinds: int) -> Ints:
        """The rows of these kinds."""
        return np.flatnonzero(np.isin(self.kind, kinds))


def accounts(world: World, creators: int, clock: Clock, rng: np.random.Generator) -> Accounts:
    """Draw the pool. A farm's accounts were made within days of each other, mostly lately."""
    p = world.accounts
    count = max(round(p.per_creator * creators), 400)
    kind = rng.choice(4, count, p=p.mix)
    bots = np.flatnonzero(kind == BOT)
    farm = np.full(count, -1)
    farm[bots] = np.arange(len(bots)) // p.farm_size
    created = clock.start - rng.gamma(1.5, 500, count)
    made = clock.start - rng.gamma(1.2, 220, farm.max() + 1)
    created[bots] = made[farm[bots]] + rng.normal(0, 3, len(bots))
    return Accounts(names("a", count), kind, np.minimum(created, clock.start - 0.5), farm)


def accounts_table(world: World, pool: Accounts, clock: Clock, used: Ints, rng: np.random.Generator) -> pd.DataFrame:
    """The profiles of the ``used`` accounts as observed at the start of the horizon."""
    kind, count = pool.kind[used], len(used)
    botlike = _botlike(world, kind, rng)
    digits = rng.poisson(np.where(botlike, 3.0, 1.0))
    bio = np.where(rng.random(count) < np.where(botlike, 0.25, 0.6), rng.integers(3, 81, count), 0)
    followers = np.exp(rng.normal(np.select([botlike, kind == INFLUENCER], [3.2, 9.0], 5.0), 1.3))
    following = np.exp(rng.normal(np.select([kind == MASS, botlike], [7.6, 6.3], 5.6), 0.9))
    videos = np.where(
        botlike & (rng.random(count) < 0.6), 0, np.exp(rng.normal(np.where(kind == INFLUENCER, 4.5, 2), 1.2))
    )
    country = by_country(world, "code")[homes(world, count, rng)]
    return frame(
        schema.ACCOUNTS,
        {
            c.ACCOUNT_ID: pool.ids[used],
            c.OBSERVED_AT: clock.at(np.full(count, float(clock.start))),
            c.CREATED_AT: clock.at(pool.created[used]),
            c.FOLLOWERS_COUNT: np.floor(followers),
            c.FOLLOWING_COUNT: np.floor(following),
            c.VIDEOS_COUNT: np.floor(videos),
            c.HAS_AVATAR: rng.random(count) < np.where(botlike, 0.7, 0.95),
            c.IS_PRIVATE: rng.random(count) < np.where(botlike, 0.1, 0.25),
            c.HANDLE_LENGTH: rng.integers(5, 16, count) + digits,
            c.HANDLE_DIGITS: digits,
            c.BIO_LENGTH: bio,
            c.COUNTRY_CODE: country,
        },
    )


def _botlike(world: World, kind: Ints, rng: np.random.Generator) -> Flags:
    """Whose profile looks made by a machine: bots that are not premium, and real lurkers."""
    chance = np.array([world.accounts.lurkers, world.accounts.mass_botlike, 1 - world.fraud.premium, 0.0])[kind]
    return rng.random(len(kind)) < chance
