"""What creators show of themselves: the tables ``creators``, ``creator_prices`` and ``exchange_rates``."""

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from features import vocabulary as v
from training.parameters import CreatorParams
from training.simulate.base import TOPIC_NAMES, Clock, Flags, by_country, frame, masked
from training.simulate.creators import Population
from training.simulate.daily import Daily
from training.simulate.text import bios
from training.world import World

MONTH = 28


def creators_table(
    world: World, people: Population, clock: Clock, daily: Daily, rng: np.random.Generator
) -> pd.DataFrame:
    """The profile as it stands, observed once a month with that month's counters."""
    profile = _profile(world, people, clock, rng)
    days = np.unique(np.append(np.arange(clock.start, clock.stop, world.creators.snapshot_days), clock.stop - 1))
    rows = [_snapshot(people, profile, clock, daily, int(day), rng) for day in days]
    return frame(schema.CREATORS, pd.concat(rows, ignore_index=True).sort_values([c.CREATOR_ID, c.OBSERVED_AT]))


def _snapshot(
    people: Population, profile: pd.DataFrame, clock: Clock, daily: Daily, day: int, rng: np.random.Generator
) -> pd.DataFrame:
    """What is seen at the start of ``day``, hence of the days before it."""
    month = slice(day - MONTH, day)
    status = np.where(people.onboarded <= day, "IN", "NOT_IN")
    changing = {
        c.OBSERVED_AT: clock.at(np.full(people.size, float(day))),
        c.FOLLOWERS_COUNT: daily.followers[:, day - 1],
        c.LIKES_COUNT: np.round(people.followers * 6 + daily.likes[:, :day].sum(axis=1)),
        c.VIDEOS_COUNT: profile[c.VIDEOS_COUNT] + np.round(people.posting * day),
        c.MEDIAN_VIEWS: np.round(np.median(daily.views[:, month], axis=1) / people.posting.clip(0.3)),
        c.ENGAGEMENT_RATE: _rate(people, profile, daily, month, rng),
        c.CREATOR_PRICE: (profile[c.CREATOR_PRICE] * np.exp(0.05 * rng.normal(size=people.size))).round(2),
        c.ONBOARDING_STATUS: np.where(people.invalid, "INVALID", status),
    }
    seen = profile.assign(**changing)
    seen.loc[people.label_only, [c.MEDIAN_VIEWS, c.ENGAGEMENT_RATE, c.LIKES_COUNT, c.VIDEOS_COUNT]] = np.nan
    return seen[people.joined <= day]


def _rate(people: Population, profile: pd.DataFrame, daily: Daily, month: slice, rng: np.random.Generator) -> pd.Series:
    actions = (daily.likes + daily.comments + daily.shares)[:, month].sum(axis=1)
    by_views = (profile[c.ENGAGEMENT_RATE_BASIS] == "VIEWS").to_numpy()
    basis = np.where(by_views, daily.views[:, month].sum(axis=1), daily.followers[:, month].sum(axis=1))
    return pd.Series(actions / np.maximum(basis, 1) * np.exp(0.1 * rng.normal(size=people.size))).clip(0, 1)


def _profile(world: World, people: Population, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """The columns that do not move, and the default price to start from."""
    p, n, bare = world.creators, people.size, people.label_only
    digits = rng.poisson(1.2, n)
    bio = masked(bios(world, people, rng), bare | (rng.random(n) < p.bio_missing))
    rates = by_country(world, "rate")[people.country]
    handle = pd.Series([f"user{number}" for number in rng.permutation(n)], dtype="str")
    return pd.DataFrame(
        {
            c.CREATOR_ID: people.ids,
            c.PLATFORM: "CLIPS",
            c.HANDLE_NAME: handle,
            c.DISPLAY_NAME: handle.str.capitalize(),
            c.BIO: bio,
            c.COUNTRY_CODE: by_country(world, "code")[people.country],
            c.LANGUAGE: masked(people.language, bare),
            c.CONTENT_LABELS: _labels(p, people, rng),
            c.CONTENT_STYLES: _listed(v.CONTENT_STYLES, people.styles, bare | (rng.random(n) < p.style_missing)),
            c.CONTENT_FORMATS: _listed(v.CONTENT_FORMATS, people.formats, bare),
            c.FOLLOWING_COUNT: np.round(300 * np.exp(rng.normal(size=n))),
            c.VIDEOS_COUNT: np.round(120 * np.exp(0.9 * rng.normal(size=n))),
            c.ENGAGEMENT_RATE_BASIS: np.where(rng.random(n) < 0.75, "VIEWS", "FOLLOWERS"),
            c.CREATOR_PRICE: masked(people.price / rates, rng.random(n) < p.price_missing),
            c.CURRENCY: by_country(world, "currency")[people.country],
            c.MAX_OPEN_ORDERS: rng.integers(1, 7, n),
            c.JOINED_AT: clock.at(people.joined),
            c.HAS_AVATAR: rng.random(n) < 0.96,
            c.IS_PRIVATE: 0,
            c.HANDLE_LENGTH: rng.integers(5, 18, n) + digits,
            c.HANDLE_DIGITS: digits,
            c.BIO_LENGTH: bio.str.len(),
        }
    )


def _labels(p: CreatorParams, people: Population, rng: np.random.Generator) -> pd.Series:
    """Topics as the creator (or a classifier) wrote them down: sometimes none, sometimes wrong."""
    wrong = rng.integers(len(TOPIC_NAMES), size=people.size)
    first = np.where(rng.random(people.size) < p.label_wrong, wrong, people.topic)
    missing = ~people.label_only & (rng.random(people.size) < p.label_missing)
    second = (people.second_weight > 0) & (rng.random(people.size) < p.second_label_listed) & ~people.label_only
    flags = np.zeros((people.size, len(TOPIC_NAMES)), dtype=np.bool_)
    flags[np.arange(people.size), first] = True
    flags[second, people.second[second]] = True
    return _listed(TOPIC_NAMES, flags, missing)


def _listed(words: tuple[str, ...], flags: Flags, missing: Flags) -> pd.Series:
    rows = zip(flags, missing, strict=True)
    return pd.Series(
        [[] if gone else [word for word, on in zip(words, row, strict=True) if on] for row, gone in rows],
        dtype="object",
    )


def prices_table(world: World, people: Population, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """A price for each format of the six in ten creators who keep a price list; LIVE costs more, IMAGE less."""
    listed = (
        people.formats & (rng.random(people.size) < world.creators.price_list)[:, None] & ~people.label_only[:, None]
    )
    creator, form = np.nonzero(listed)
    rates = by_country(world, "rate")[people.country]
    factor = np.array([1.0, 1.6, 0.5])[form] * np.exp(0.1 * rng.normal(size=len(form)))
    return frame(
        schema.CREATOR_PRICES,
        {
            c.CREATOR_ID: people.ids[creator],
            c.CONTENT_FORMAT: np.array(v.CONTENT_FORMATS, dtype=object)[form],
            c.AMOUNT: ((people.price / rates)[creator] * factor).round(2),
            c.CURRENCY: by_country(world, "currency")[people.country][creator],
            c.OBSERVED_AT: clock.at(np.maximum(people.joined[creator], clock.start)),
        },
    )


def exchange_rates(world: World, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """Weekly rates of every currency, a slow random walk around the world's, from before the first collaboration on."""
    rates = {country.currency: country.rate for country in world.countries}
    days = np.arange(clock.start - 7 * (world.work.past_days // 7 + 5), clock.stop, 7)
    steps = rng.normal(0, 0.006, (len(rates), len(days)))
    steps[list(rates).index("USD")] = 0
    walk = np.array(list(rates.values()))[:, None] * np.exp(np.cumsum(steps, axis=1))
    return frame(
        schema.EXCHANGE_RATES,
        {
            c.CURRENCY: np.repeat(np.array(list(rates), dtype=object), len(days)),
            c.DATE: np.tile(clock.at(days), len(rates)),
            c.USD: walk.ravel(),
        },
    )
