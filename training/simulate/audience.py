"""Audiences: hidden shares by age, gender, country, language, interest and device, and what is measured of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from features import vocabulary as v
from training.parameters import AudienceParams
from training.simulate.base import TOPIC_NAMES, Clock, Floats, Ints, by_country, frame
from training.simulate.creators import Population
from training.simulate.text import LANGUAGES
from training.world import World

GENDERS = ("FEMALE", "MALE")
DEVICES = ("IOS", "ANDROID", "WEB")


@dataclass(frozen=True)
class Audience:
    """True shares, (n, buckets) each, rows sum to 1; ``buckets`` names the columns of each dimension."""

    shares: dict[str, Floats]
    buckets: dict[str, tuple[str, ...]]


def audience(world: World, people: Population, rng: np.random.Generator) -> Audience:
    """Draw everyone's audience around what is typical of topic and country."""
    p = world.audience
    country = _countries(world, people, rng)
    shares = {
        "age": _around(p, _ages(p, people), rng),
        "gender": _around(p, _genders(p, people), rng),
        "country": country,
        "language": country @ _spoken(world),
        "interest": _around(p, _interests(people), rng),
        "device": _around(p, np.tile(p.devices, (people.size, 1)), rng),
    }
    codes = tuple(place.code for place in world.countries)
    return Audience(
        shares,
        {"age": v.AGE_BUCKETS, "gender": GENDERS, "country": codes, "language": LANGUAGES, "interest": TOPIC_NAMES,
         "device": DEVICES},
    )  # fmt: skip


def _around(p: AudienceParams, mean: Floats, rng: np.random.Generator) -> Floats:
    draws = rng.standard_gamma(np.maximum(p.concentration * mean, 1e-3)) + 1e-9
    return draws / draws.sum(axis=1, keepdims=True)


def _mixed(people: Population, by_topic: Floats) -> Floats:
    """A topic's value for each creator, first and second topic in proportion."""
    return by_topic[people.topic] * (1 - people.second_weight) + by_topic[people.second] * people.second_weight


def _ages(p: AudienceParams, people: Population) -> Floats:
    centre = _mixed(people, np.array(p.ages))
    shares = np.exp(-0.5 * ((np.arange(len(v.AGE_BUCKETS)) - centre[:, None]) / p.age_spread) ** 2)
    return shares / shares.sum(axis=1, keepdims=True)


def _genders(p: AudienceParams, people: Population) -> Floats:
    women = _mixed(people, np.array(p.women))
    return np.column_stack([women, 1 - women])


def _interests(people: Population) -> Floats:
    own = people.subtopics.reshape(people.size, len(TOPIC_NAMES), -1).sum(axis=2)
    return 0.6 * own + 0.4 / len(TOPIC_NAMES)


def _countries(world: World, people: Population, rng: np.random.Generator) -> Floats:
    """Home, then the countries of the creator's language, then the rest of the world."""
    p, weights, spoken = world.audience, by_country(world, "weight"), by_country(world, "language")
    home = rng.uniform(*p.home_share, people.size)[:, None]
    same = (people.language[:, None] == spoken[None, :]) * weights
    abroad = p.same_language * same / same.sum(axis=1, keepdims=True) + (1 - p.same_language) * weights / weights.sum()
    shares = (1 - home) * _around(p, abroad, rng)
    shares[np.arange(people.size), people.country] += home[:, 0]
    return shares


def _spoken(world: World) -> Floats:
    """(countries, languages): most watch in the country's language, the rest in English."""
    english, languages = world.audience.english, np.array(LANGUAGES, dtype=object)
    return (1 - english) * (by_country(world, "language")[:, None] == languages) + english * (languages == "en")


def audience_table(
    world: World, people: Population, clock: Clock, truth: Audience, rng: np.random.Generator
) -> pd.DataFrame:
    """Measured shares of the creators with figures: at the start (or on joining), some again later. Buckets below 1
    % are left out and the others scaled to 1."""
    p = world.audience
    measured = np.flatnonzero((rng.random(people.size) < p.known) & ~people.label_only)
    again = measured[rng.random(len(measured)) < p.second_look]
    start = np.maximum(people.joined, clock.start)
    looks = ((measured, start[measured]), (again, rng.uniform(start[again], clock.stop)))
    rows = [
        _measured(p, people, clock, truth, dimension, who, when, rng)
        for who, when in looks
        for dimension in truth.shares
    ]
    table = frame(schema.AUDIENCE, pd.concat(rows, ignore_index=True))
    return table.sort_values([c.CREATOR_ID, c.OBSERVED_AT, c.DIMENSION], kind="stable", ignore_index=True)


def _measured(
    p: AudienceParams, people: Population, clock: Clock, truth: Audience, dimension: str, rows: Ints, days: Floats,
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    noisy = rng.standard_gamma(p.noise * truth.shares[dimension][rows] + 1e-3)
    noisy /= noisy.sum(axis=1, keepdims=True)
    noisy[noisy < 0.01] = 0
    noisy /= noisy.sum(axis=1, keepdims=True)
    creator, bucket = np.nonzero(noisy)
    return pd.DataFrame(
        {
            c.CREATOR_ID: people.ids[rows][creator],
            c.DIMENSION: dimension,
            c.BUCKET: np.array(truth.buckets[dimension], dtype=object)[bucket],
            c.SHARE: noisy[creator, bucket],
            c.OBSERVED_AT: clock.at(days)[creator],
        }
    )
