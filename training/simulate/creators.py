"""Who the creators are: the traits behind every table."""

from dataclasses import dataclass

import numpy as np

from features import vocabulary as v
from training.parameters import CreatorParams
from training.simulate.base import SUBTOPICS, TOPIC_NAMES, Clock, Flags, Floats, Ints, Words, by_country, homes, names
from training.world import World


@dataclass(frozen=True)
class Population:
    """The creators' hidden traits, one row each: ``subtopics`` (n, 56) are shares of what they talk about,
    ``styles`` and
    ``formats`` flags (n, 8) and (n, 3), ``quality`` and ``reliability`` standard normal, ``aesthetics`` (n, 4) a
    manner that
    no column shows, ``price`` US dollars for a short video, ``joined`` and ``onboarded`` days (never: infinite),
    ``posting`` videos a day."""

    ids: Words
    country: Ints
    language: Words
    topic: Ints
    second: Ints
    second_weight: Floats
    subtopics: Floats
    styles: Flags
    formats: Flags
    followers: Floats
    quality: Floats
    reliability: Floats
    aesthetics: Floats
    price: Floats
    invalid: Flags
    onboarded: Floats
    joined: Floats
    label_only: Flags
    posting: Floats

    @property
    def size(self) -> int:
        """How many creators."""
        return len(self.ids)


def population(world: World, count: int, clock: Clock, rng: np.random.Generator) -> Population:
    """Draw ``count`` creators."""
    p = world.creators
    country = homes(world, count, rng)
    topic = rng.choice(len(TOPIC_NAMES), count)
    second = (topic + rng.integers(1, len(TOPIC_NAMES), count)) % len(TOPIC_NAMES)
    second_weight = np.where(rng.random(count) < p.second_topic, rng.uniform(*p.second_weight, count), 0.0)
    followers = np.maximum(p.followers_median * np.exp(p.followers_sigma * rng.normal(size=count)), 300)
    quality = rng.normal(size=count)
    styles = rng.random((count, len(v.CONTENT_STYLES))) < p.extra_style
    styles[np.arange(count), rng.integers(len(v.CONTENT_STYLES), size=count)] = True
    joined, onboarded, invalid = _membership(p, count, clock, rng)
    return Population(
        ids=names("c", count),
        country=country,
        language=_languages(world, country, rng),
        topic=topic,
        second=second,
        second_weight=second_weight,
        subtopics=_subtopics(p, topic, second, second_weight, rng),
        styles=styles,
        formats=np.column_stack([rng.random(count) < share for share in p.formats]),
        followers=followers,
        quality=quality,
        reliability=rng.normal(size=count),
        aesthetics=rng.normal(size=(count, p.aesthetics)),
        price=_prices(world, followers, quality, country, rng),
        invalid=invalid,
        onboarded=onboarded,
        joined=joined,
        label_only=rng.random(count) < p.label_only,
        posting=rng.gamma(p.posts_a_day[0], 1 / p.posts_a_day[1], count).clip(0.02, 5),
    )


def _languages(world: World, country: Ints, rng: np.random.Generator) -> Words:
    spoken = by_country(world, "language")
    own, other = spoken[country], rng.choice(np.unique(spoken), len(country))
    return np.where(rng.random(len(country)) < world.creators.language_minority, other, own)


def _subtopics(p: CreatorParams, topic: Ints, second: Ints, second_weight: Floats, rng: np.random.Generator) -> Floats:
    """(n, 56): two Dirichlet draws over the subtopics of the two topics, mixed."""
    rows, shares = np.arange(len(topic)), np.zeros((len(topic), len(TOPIC_NAMES), SUBTOPICS))
    mixes = rng.dirichlet(np.full(SUBTOPICS, p.focus), (2, len(topic)))
    shares[rows, topic] = mixes[0] * (1 - second_weight)[:, None]
    shares[rows, second] += mixes[1] * second_weight[:, None]
    return shares.reshape(len(topic), -1)


def _prices(world: World, followers: Floats, quality: Floats, country: Ints, rng: np.random.Generator) -> Floats:
    p = world.creators
    level = by_country(world, "price")[country]
    size = (followers / p.followers_median) ** p.price_elasticity
    return p.price_at_median_usd * level * size * np.exp(0.15 * quality + p.price_sigma * rng.normal(size=len(country)))


def _membership(p: CreatorParams, count: int, clock: Clock, rng: np.random.Generator) -> tuple[Floats, Floats, Flags]:
    """Days joined and onboarded, and who is INVALID."""
    inside = rng.uniform(clock.start, clock.stop - 1, (2, count))
    joined = np.where(rng.random(count) < p.joined_late, inside[0], -rng.gamma(*p.tenure, count))
    onboarded = np.where(rng.random(count) < p.onboarded_late, inside[1], joined)
    kind = rng.random(count)
    onboarded[kind < p.not_in + p.invalid] = np.inf
    return joined, np.maximum(onboarded, joined), kind < p.invalid
