"""Brands with a taste, and the briefs they write."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from features import vocabulary as v
from training.simulate.audience import GENDERS
from training.simulate.base import (
    SUBTOPICS,
    TOPIC_NAMES,
    Clock,
    Flags,
    Floats,
    Ints,
    Words,
    by_country,
    frame,
    homes,
    masked,
    names,
)
from training.simulate.text import captions, fill, words
from training.world import PHRASES, World, material

INDUSTRIES = {name: name.upper() for name in TOPIC_NAMES}


@dataclass(frozen=True)
class Brands:
    """One row each: home country, subtopics it sells in (n, 2), taste over creators' aesthetics, preferred log
    followers, how harshly it rates."""

    ids: Words
    country: Ints
    subtopics: Ints
    taste: Floats
    tier: Floats
    harshness: Floats


@dataclass(frozen=True)
class Briefs:
    """What each brief really wants, one row each: ``day``, ``brand``, ``subtopic``, ``ages`` (n, 6) and ``genders``
    (n, 2) flags, ``country`` (-1: anywhere), ``style``, ``form``, US dollars per creator, creators wanted."""

    ids: Words
    day: Floats
    brand: Ints
    subtopic: Ints
    ages: Flags
    genders: Flags
    country: Ints
    style: Ints
    form: Ints
    budget: Floats
    wanted: Ints


def brands(world: World, briefs: int, rng: np.random.Generator) -> Brands:
    """Enough brands for ``briefs`` briefs."""
    count = max(round(briefs / world.briefs.briefs_per_brand), 1)
    first = rng.integers(len(TOPIC_NAMES) * SUBTOPICS, size=count)
    second = first // SUBTOPICS * SUBTOPICS + rng.integers(SUBTOPICS, size=count)
    return Brands(
        ids=names("b", count),
        country=homes(world, count, rng),
        subtopics=np.column_stack([first, second]),
        taste=rng.normal(size=(count, world.creators.aesthetics)),
        tier=np.log(world.creators.followers_median) + rng.normal(*world.briefs.tier, count),
        harshness=rng.normal(0, world.work.rater_sigma, count),
    )


def briefs(world: World, houses: Brands, count: int, clock: Clock, rng: np.random.Generator) -> Briefs:
    """Draw the briefs, in order of time over the horizon; busy brands write more."""
    p = world.briefs
    activity = rng.gamma(1.5, size=len(houses.ids))
    brand = rng.choice(len(houses.ids), count, p=activity / activity.sum())
    centre = rng.integers(len(v.AGE_BUCKETS) - 1, size=count)[:, None]
    ages = np.isin(np.arange(len(v.AGE_BUCKETS)) - centre, (0, 1))
    gender = rng.integers(3, size=count)[:, None]
    local = rng.random(count) >= p.international
    home = np.where(rng.random(count) < p.elsewhere, homes(world, count, rng), houses.country[brand])
    return Briefs(
        ids=names("q", count),
        day=np.sort(rng.uniform(clock.start, clock.stop, count)),
        brand=brand,
        subtopic=houses.subtopics[brand, rng.integers(2, size=count)],
        ages=ages,
        genders=np.column_stack([gender[:, 0] != 1, gender[:, 0] != 0]),
        country=np.where(local, home, -1),
        style=rng.integers(len(v.CONTENT_STYLES), size=count),
        form=rng.choice(len(v.CONTENT_FORMATS), count, p=[0.8, 0.1, 0.1]),
        budget=usual_budget(world, houses.tier[brand]) * np.exp(p.budget_sigma * rng.normal(size=count)),
        wanted=rng.integers(p.wanted[0], p.wanted[1] + 1, count),
    )


def usual_budget(world: World, tier: Floats) -> Floats:
    """US dollars per creator that a brand of that preferred tier usually has."""
    p = world.briefs
    mean = np.log(world.creators.followers_median) + p.tier[0]
    return p.budget_median_usd * np.exp(p.budget_tier * (tier - mean))


def briefs_table(world: World, houses: Brands, asked: Briefs, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """``briefs``: prose in the brand's language, and a form half filled in."""
    count, home = len(asked.ids), houses.country[asked.brand]
    language, rates = by_country(world, "language")[home], by_country(world, "rate")[home]
    countries = [[world.countries[place].code] if place >= 0 else [] for place in asked.country]
    spoken = [[world.countries[place].language] if place >= 0 else [] for place in asked.country]
    topic = np.array(TOPIC_NAMES, dtype=object)[asked.subtopic // SUBTOPICS]

    def kept(values: list[list[str]]) -> pd.Series:
        missing = rng.random(count) < world.briefs.fields_missing
        return pd.Series([[] if gone else value for value, gone in zip(values, missing, strict=True)], dtype="object")

    low = np.round(np.exp(houses.tier[asked.brand] - 1.8), -2)
    ranged = rng.random(count) < world.briefs.ranged
    return frame(
        schema.BRIEFS,
        _prose(world, houses, asked, language, rng)
        | {
            c.BRIEF_ID: asked.ids,
            c.BRAND_ID: houses.ids[asked.brand],
            c.CREATED_AT: clock.at(asked.day),
            c.LANGUAGE: language,
            c.OBJECTIVE: masked(rng.choice(v.OBJECTIVES, count), rng.random(count) < 0.2),
            c.INDUSTRY: masked([INDUSTRIES[name] for name in topic], rng.random(count) < 0.2),
            c.CONTENT_LABELS: kept([[name] for name in topic]),
            c.CONTENT_STYLES: kept([[v.CONTENT_STYLES[style]] for style in asked.style]),
            c.CONTENT_FORMATS: kept([[v.CONTENT_FORMATS[form]] for form in asked.form]),
            c.BUDGET: masked((asked.budget * asked.wanted / rates).round(2), rng.random(count) < 0.1),
            c.CURRENCY: by_country(world, "currency")[home],
            c.CREATORS_WANTED: asked.wanted,
            c.TARGET_COUNTRIES: kept(countries),
            c.TARGET_LANGUAGES: kept(spoken),
            c.TARGET_AGES: kept(
                [[name for name, on in zip(v.AGE_BUCKETS, row, strict=True) if on] for row in asked.ages]
            ),
            c.TARGET_GENDERS: kept(
                [
                    [name for name, on in zip(GENDERS, row, strict=True) if on] if not row.all() else []
                    for row in asked.genders
                ]
            ),
            c.TARGET_INTERESTS: kept([[name] for name in topic]),
            c.MIN_FOLLOWERS: masked(low, ~ranged),
            c.MAX_FOLLOWERS: masked(low * 40, ~ranged),
        },
    )


def _prose(world: World, houses: Brands, asked: Briefs, language: Words, rng: np.random.Generator) -> dict[str, object]:
    """Title, description and reference captions."""
    count = len(asked.ids)
    a = words(asked.subtopic, language, rng)
    other = np.where(rng.random(count) < world.briefs.second_product, houses.subtopics[asked.brand, 1], asked.subtopic)
    b = words(other, language, rng)
    extra = np.array([_extra(world, asked, row, language[row], rng) for row in range(count)], dtype=object)
    shares = np.eye(len(TOPIC_NAMES) * SUBTOPICS)[asked.subtopic]
    references = captions(world, shares, language, rng)
    return {
        c.TITLE: fill("title", language, rng, a=a),
        c.DESCRIPTION: fill("brief", language, rng, a=a, b=b, extra=extra),
        c.REFERENCE_CAPTIONS: masked(references, rng.random(count) >= world.briefs.references),
    }


def _extra(world: World, asked: Briefs, row: int, language: str, rng: np.random.Generator) -> str:
    """What the text says of audience, form and place; it may leave out each."""
    phrases = material(PHRASES)[language]
    ages = [phrase for phrase, on in zip(phrases["ages"], asked.ages[row], strict=True) if on]
    genders = [] if asked.genders[row].all() else [phrases["genders"][int(asked.genders[row].argmax())]]
    parts = {
        "ask": phrases["ask"].format(who=", ".join(genders + ages)),
        "form": phrases["form"].format(style=phrases["styles"][asked.style[row]]),
        "where": phrases["where"].format(places=world.countries[asked.country[row]].code)
        if asked.country[row] >= 0
        else "",
    }
    return "".join(text for text in parts.values() if rng.random() < world.briefs.mention_audience)
