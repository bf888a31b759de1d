"""A sample of who followed, liked, commented and shared: each row comes from a day in proportion to that day's actions,
and from a bought account in proportion to what of them was bought."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features import columns as c
from features import schema
from features import vocabulary as v
from training.simulate.accounts import INFLUENCER, MASS, REAL, Accounts
from training.simulate.base import Clock, Flags, Floats, Ints, Words, frame
from training.simulate.creators import Population
from training.simulate.daily import Daily
from training.simulate.fraud import Bought
from training.simulate.text import fill, topical, words
from training.world import World

METRIC_OF = ("gain", "likes", "comments", "shares")  # in the order of the contract's ACTIONS
BOT, POD, RING = range(3)


@dataclass(frozen=True)
class Sample:
    """Rows: creator, action, day (whole), campaign (-1: organic), time (day with its fraction), account."""

    creator: Ints
    action: Ints
    day: Ints
    campaign: Ints
    time: Floats
    account: Ints


def sample(
    world: World, people: Population, clock: Clock, daily: Daily, bought: Bought, plan: pd.DataFrame, pool: Accounts,
    rng: np.random.Generator,
) -> Sample:  # fmt: skip
    """Draw the rows, about ``engagements_mean`` per creator."""
    p = world.accounts
    size = p.engagements_mean * np.exp(p.engagements_sigma * rng.normal(size=people.size))
    creator = np.repeat(np.arange(people.size), rng.poisson(size))
    action = rng.choice(len(v.ACTIONS), len(creator), p=p.actions)
    day, arranged = _days(creator, action, clock, people, daily, bought, rng)
    campaign = np.where(arranged, bought.campaign[creator, day], -1)
    time = day + _hours(plan, campaign, rng)
    account = _accounts(world, people, creator, campaign, plan, pool, rng)
    keep = time >= people.joined[creator]
    rows = Sample(creator, action, day, campaign, time, account)
    return Sample(**{name: values[keep] for name, values in vars(rows).items()})


def _days(
    creator: Ints,
    action: Ints,
    clock: Clock,
    people: Population,
    daily: Daily,
    bought: Bought,
    rng: np.random.Generator,
) -> tuple[Ints, Flags]:
    """A day of the horizon for each row in proportion to that day's actions, and whether the action was bought."""
    day, arranged = np.zeros(len(creator), dtype=np.int64), np.zeros(len(creator), dtype=np.bool_)
    for index, name in enumerate(METRIC_OF):
        rows = np.flatnonzero(action == index)
        counts = getattr(daily, name)[:, clock.start :] + 1e-3
        edges = np.cumsum(counts / counts.sum(axis=1, keepdims=True), axis=1) + np.arange(people.size)[:, None]
        place = np.searchsorted(edges.ravel(), creator[rows] + rng.random(len(rows)) * 0.999999)
        day[rows] = clock.start + (place - creator[rows] * clock.days).clip(0, clock.days - 1)
        share = getattr(bought, name) / np.maximum(getattr(daily, name), 1)
        arranged[rows] = rng.random(len(rows)) < share[creator[rows], day[rows]]
    return day, arranged


def _mode(plan: pd.DataFrame, campaign: Ints) -> Ints:
    """BOT, POD or RING of each arranged row; -1 for the organic ones."""
    modes = plan["kind"].map({"ENGAGEMENT_POD": POD, "LOCKSTEP_RING": RING}).fillna(BOT).to_numpy(np.int64)
    return np.where(campaign < 0, -1, np.append(modes, -1)[campaign])


def _hours(plan: pd.DataFrame, campaign: Ints, rng: np.random.Generator) -> Floats:
    """The time of day: an evening peak for people; for a ring the same few minutes across its creators."""
    usual = rng.beta(3.5, 2.2, len(campaign))
    group = np.append(plan["group"].to_numpy(), -1)[campaign]
    minute = (group * 0.37 % 1 * 0.9 + rng.exponential(6 / 1440, len(campaign))).clip(0, 0.999)
    flat = rng.random(len(campaign))
    mode = _mode(plan, campaign)
    return np.select([mode == RING, (mode == BOT) & (flat < 0.6)], [minute, flat], usual)


def _accounts(
    world: World, people: Population, creator: Ints, campaign: Ints, plan: pd.DataFrame, pool: Accounts,
    rng: np.random.Generator,
) -> Ints:  # fmt: skip
    """Organic rows: people, with some bots at everyone. Bought: the campaign's farm, the pod's members, the ring's
    own."""
    mode = _mode(plan, campaign)
    bots, crowd = np.flatnonzero(pool.farm >= 0), pool.of(REAL, MASS, INFLUENCER)
    background = rng.beta(*world.accounts.background_bots, people.size)[creator]
    account = np.where(
        rng.random(len(creator)) < background, rng.choice(bots, len(creator)), rng.choice(crowd, len(creator))
    )
    group = np.append(plan["group"].to_numpy(), -1)[campaign]
    span = world.accounts.farm_size
    farm = np.where(mode == RING, group * 7919, campaign * 104_729) % max(len(bots) // span, 1)
    within = rng.integers(np.where(mode == RING, span // 3, span))
    members = pool.of(REAL, INFLUENCER)
    pod = members[(group * 31 + rng.integers(2 * world.fraud.pod_size, size=len(creator))) % len(members)]
    return np.select([mode == POD, mode >= 0], [pod, bots[(farm * span + within) % len(bots)]], account)


def engagements_table(
    world: World, people: Population, clock: Clock, plan: pd.DataFrame, rows: Sample, pool: Accounts, videos:
    pd.DataFrame, rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """``engagements``; likes, comments and shares name the creator's latest sampled video, where there is one."""
    table = frame(
        schema.ENGAGEMENTS,
        {
            c.ACCOUNT_ID: pool.ids[rows.account],
            c.CREATOR_ID: people.ids[rows.creator],
            c.ACTION: np.array(v.ACTIONS, dtype=object)[rows.action],
            c.EVENT_TIME: clock.at(rows.time),
            c.COMMENT_TEXT: _comments(world, people, plan, rows, rng),
        },
    ).sort_values(c.EVENT_TIME, kind="stable", ignore_index=True)
    made = videos[[c.CREATOR_ID, c.VIDEO_ID, c.CREATE_TIME]].drop_duplicates(c.VIDEO_ID).sort_values(c.CREATE_TIME)
    seen = pd.merge_asof(
        table.drop(columns=c.VIDEO_ID), made, left_on=c.EVENT_TIME, right_on=c.CREATE_TIME, by=c.CREATOR_ID
    )
    return table.assign(**{c.VIDEO_ID: seen[c.VIDEO_ID].mask(table[c.ACTION] == "FOLLOW")})


def _comments(world: World, people: Population, plan: pd.DataFrame, rows: Sample, rng: np.random.Generator) -> Words:
    """Texts of the comments: by mode, with some spam everywhere and some care taken by those who sell comments."""
    p, texts = world.accounts, np.full(len(rows.action), None, dtype=object)
    kept = rng.random(len(rows.action)) >= p.comment_missing
    wanted = np.flatnonzero((rows.action == v.ACTIONS.index("COMMENT")) & kept)
    language, creator = people.language[rows.creator[wanted]], rows.creator[wanted]
    mode = _mode(plan, rows.campaign[wanted])
    spam, pod = np.array(p.spam)[mode + 1], np.array(p.flattery)[mode + 1]
    word = words(topical(world, people.subtopics[creator], rng), language, rng)
    kinds: dict[str, Words] = {name: _filled(name, language, word, rng) for name in ("spam", "pod", "comment")}
    u = rng.random(len(wanted))
    texts[wanted] = np.select([u < spam, u < spam + pod], [kinds["spam"], kinds["pod"]], kinds["comment"])
    return texts


def _filled(kind: str, language: Words, word: Words, rng: np.random.Generator) -> Words:
    return np.array(fill(kind, language, rng, a=word), dtype=object)
