"""Daily statistics: what happens by itself, and what campaigns add to it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from training.parameters import DailyParams
from training.simulate.base import Clock, Floats, frame
from training.simulate.creators import Population
from training.world import World


@dataclass(frozen=True)
class Daily:
    """(n, days), burn-in included: gains of each day, ``gain`` being new followers (gross); ``followers`` at its
    end."""

    followers: Floats
    gain: Floats
    views: Floats
    paid: Floats
    likes: Floats
    comments: Floats
    shares: Floats


def organic(world: World, people: Population, clock: Clock, rng: np.random.Generator) -> Daily:
    """What would happen without any campaign. ``followers`` holds the start only; see :func:`with_followers`."""
    p = world.daily
    views = rng.poisson(_view_level(p, people, rng)[:, None] * np.exp(_rhythm(p, people, clock, rng))).astype(
        np.float64
    )
    return Daily(
        followers=people.followers[:, None],
        gain=_actions(views, p.follow_rate, p.follow_sigma, p, rng),
        views=views,
        paid=_small_promotions(p, views, rng),
        likes=_actions(views, p.like_rate, p.like_sigma, p, rng),
        comments=_actions(views, p.comment_rate, p.comment_sigma, p, rng),
        shares=_actions(views, p.share_rate, p.share_sigma, p, rng),
    )


def with_followers(daily: Daily, lost: Floats, churn: float) -> Daily:
    """The same days with followers at the end of each: the start, plus gains, less natural churn and ``lost``."""
    keep = (1 - churn) ** np.arange(1, daily.gain.shape[1] + 1)
    net = np.cumsum((daily.gain - lost) / keep, axis=1)
    followers = np.maximum(np.round((daily.followers + net) * keep), 0)
    return Daily(followers, daily.gain, daily.views, daily.paid, daily.likes, daily.comments, daily.shares)


def _view_level(p: DailyParams, people: Population, rng: np.random.Generator) -> Floats:
    """(n,) mean views a day of each creator."""
    size = people.followers * (people.followers / 25_000) ** (p.views_elasticity - 1)
    spread = p.views_sigma * (0.9 * rng.normal(size=people.size) + 0.4 * people.quality)
    return np.maximum(p.views_per_follower * size * np.exp(spread), 3)


def _rhythm(p: DailyParams, people: Population, clock: Clock, rng: np.random.Generator) -> Floats:
    """(n, days) log factor: weekdays, memory, growth and luck."""
    steps = p.ar_sigma * rng.normal(size=(people.size, clock.stop))
    for day in range(1, clock.stop):
        steps[:, day] += p.ar * steps[:, day - 1]
    weekend = p.weekend * (clock.dates.day_of_week.to_numpy() >= 5) * rng.uniform(0, 2, (people.size, 1))
    growth = rng.normal(*p.growth, (people.size, 1)) * np.arange(clock.stop)
    return steps + weekend + growth + _luck(p, steps.shape, rng)


def _luck(p: DailyParams, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Small spikes that fade."""
    luck = np.where(rng.random(shape) < p.spike_rate, rng.exponential(p.spike_size, shape), 0.0)
    for day in range(1, shape[1]):
        luck[:, day] = np.maximum(luck[:, day], p.spike_fade * luck[:, day - 1])
    return luck


def _actions(views: Floats, rate: float, sigma: float, p: DailyParams, rng: np.random.Generator) -> Floats:
    own = rate * np.exp(sigma * rng.normal(size=(len(views), 1)))
    rates = np.minimum(own * np.exp(p.rate_noise * rng.normal(size=views.shape)), 0.5)
    return rng.poisson(rates * views).astype(np.float64)


def _small_promotions(p: DailyParams, views: Floats, rng: np.random.Generator) -> Floats:
    active = (rng.random((len(views), 1)) < p.promoters) & (rng.random(views.shape) < p.promoted_days)
    share: Floats = rng.uniform(*p.promoted_share, views.shape)
    return np.round(views * share * active)


def daily_table(people: Population, clock: Clock, daily: Daily) -> pd.DataFrame:
    """A row for each creator and day of the horizon since joining."""
    days = np.arange(clock.start, clock.stop)
    creator, place = np.nonzero(days[None, :] >= np.floor(people.joined)[:, None])
    day = days[place]
    columns = {
        c.FOLLOWERS_COUNT: daily.followers, c.VIDEO_VIEWS: daily.views, c.PAID_VIDEO_VIEWS: daily.paid,
        c.LIKES: daily.likes, c.COMMENTS: daily.comments, c.SHARES: daily.shares,
    }  # fmt: skip
    counts = {name: values[creator, day] for name, values in columns.items()}
    ids = pd.Series(people.ids, dtype="str").take(creator).reset_index(drop=True)
    return frame(schema.DAILY_STATS, {c.CREATOR_ID: ids, c.DATE: clock.at(days)[place], **counts})
