"""Campaigns that move the daily statistics: fraud by name, and innocent events that look like it; the truth about both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features import columns as c
from training.simulate.base import Clock, Floats, Ints, draw
from training.simulate.creators import Population
from training.simulate.daily import Daily, with_followers
from training.world import FraudParams, World

WINDOW = 90  # days of the fraud target
TARGET_SHARE = 0.1
METRICS = ("gain", "views", "likes", "comments", "shares")


@dataclass(frozen=True)
class Kind:
    """A campaign's length in days, what it adds to each of METRICS relative to its intensity, and whether it comes in a burst
    (else evenly). ``paid`` views are declared as such."""

    days: tuple[int, int]
    adds: tuple[float, float, float, float, float]
    burst: bool = False
    paid: bool = False


# Lengths and mixtures: from published descriptions of sold packages (instant or "drip-fed" followers, likes, views),
# engagement groups and lockstep detection (CopyCatch, 2013); sizes within a mixture are judgement.
KINDS = {
    "BOUGHT_FOLLOWERS": Kind((1, 4), (1.0, 0.0, 0.05, 0.0, 0.0), burst=True),
    "SLOW_DRIP": Kind((40, 120), (1.0, 0.0, 0.05, 0.0, 0.0)),
    "ENGAGEMENT_POD": Kind((30, 150), (0.05, 0.05, 0.6, 1.0, 0.4)),
    "BOT_LIKES": Kind((5, 30), (0.0, 0.1, 1.0, 0.0, 0.0)),
    "BOUGHT_COMMENTS": Kind((5, 40), (0.0, 0.0, 0.1, 1.0, 0.0)),
    "VIEW_INFLATION": Kind((2, 20), (0.0, 1.0, 0.1, 0.0, 0.0), burst=True),
    "LOCKSTEP_RING": Kind((4, 25), (0.7, 0.1, 0.7, 0.3, 0.2)),
    "VIRAL_HIT": Kind((4, 14), (1.2, 1.0, 0.9, 0.9, 1.3), burst=True),
    "PRESS_MENTION": Kind((2, 7), (1.0, 0.1, 0.1, 0.1, 0.05), burst=True),
    "PAID_PROMOTION": Kind((5, 25), (0.4, 1.0, 0.4, 0.15, 0.1), paid=True),
}
GROUPED = {"LOCKSTEP_RING": "ring_size", "ENGAGEMENT_POD": "pod_size"}


@dataclass(frozen=True)
class Bought:
    """(n, days) of what was bought or arranged, by metric, and ``campaign``: the row of the campaign that did it, else -1."""

    gain: Floats
    views: Floats
    likes: Floats
    comments: Floats
    shares: Floats
    campaign: Ints


def campaigns(world: World, people: Population, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """A row per campaign: creator (row), kind, is_fraud, start and end (days, inclusive), intensity, group (-1: alone)."""
    p = world.fraud
    guilty = _guilty(p, people, rng)
    again = guilty[rng.random(len(guilty)) < p.repeat]
    parts = [_fraud(p, np.concatenate([guilty, again]), clock, rng)]
    for kind, share in p.innocents:
        parts.append(_innocent(p, kind, np.flatnonzero(rng.random(people.size) < share), clock, rng))
    return pd.concat(parts, ignore_index=True)


def _guilty(p: FraudParams, people: Population, rng: np.random.Generator) -> Ints:
    size = np.log(people.followers)
    weights = np.exp(p.appeal_small * (size - size.mean()))
    return rng.choice(people.size, round(p.prevalence * people.size), replace=False, p=weights / weights.sum())


def _fraud(p: FraudParams, creators: Ints, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    kinds, shares = zip(*p.mix, strict=True)
    kind = np.array(kinds, dtype=object)[draw(np.tile(shares, (len(creators), 1)), rng)]
    start = rng.uniform(0, clock.stop - 2, len(creators)).astype(int)
    group = np.full(len(creators), -1)
    for name, size in GROUPED.items():
        rows = np.flatnonzero(kind == name)
        group[rows] = np.arange(len(rows)) // getattr(p, size)
        begins = rng.uniform(0, clock.stop - 2, len(rows) + 1).astype(int)
        start[rows] = begins[group[rows]] if name == "LOCKSTEP_RING" else start[rows]
    intensity = p.intensity_scale * rng.beta(*p.intensity, len(creators))
    return _rows(creators, kind, start, intensity, group, clock, rng).assign(is_fraud=True)


def _innocent(p: FraudParams, kind: str, creators: Ints, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    start = rng.uniform(0, clock.stop - 2, len(creators)).astype(int)
    intensity = p.intensity_scale * rng.beta(*p.intensity, len(creators))
    kinds = np.full(len(creators), kind, dtype=object)
    return _rows(creators, kinds, start, intensity, np.full(len(creators), -1), clock, rng).assign(is_fraud=False)


def _rows(
    creators: Ints,
    kind: np.ndarray,
    start: Ints,
    intensity: Floats,
    group: Ints,
    clock: Clock,
    rng: np.random.Generator,
) -> pd.DataFrame:
    low, high = (np.array([KINDS[name].days[side] for name in kind], dtype=np.int64) for side in (0, 1))
    end = np.minimum(start + rng.integers(low, high + 1) - 1, clock.stop - 1)
    return pd.DataFrame(
        {"creator": creators, "kind": kind, "start": start, "end": end, "intensity": intensity, "group": group}
    )


def run(world: World, daily: Daily, plan: pd.DataFrame, rng: np.random.Generator) -> tuple[Daily, Bought]:
    """The days with every campaign of ``plan`` added, and what of it was bought."""
    total = {name: getattr(daily, name).copy() for name in (*METRICS, "paid")}
    bought = {name: np.zeros(daily.views.shape) for name in METRICS}
    campaign = np.full(daily.views.shape, -1, dtype=np.int64)
    for row in plan.itertuples():
        kind, days = KINDS[row.kind], slice(row.start, row.end + 1)
        for name, part in zip(METRICS, kind.adds, strict=True):
            extra = _extra(getattr(daily, name)[row.creator], row, part, kind.burst, rng)
            total[name][row.creator, days] += extra
            if row.is_fraud:
                bought[name][row.creator, days] += extra
            if kind.paid and name == "views":
                total["paid"][row.creator, days] += np.round(extra * (rng.random() < world.fraud.paid_declared))
        if row.is_fraud:
            campaign[row.creator, days] = row.Index
    lost = _removed(bought["gain"], world.fraud.bot_churn)
    after = with_followers(replace(daily, **total), lost, world.daily.churn)
    return after, Bought(**bought, campaign=campaign)


def _extra(series: Floats, row: tuple, part: float, burst: bool, rng: np.random.Generator) -> Floats:
    """What the campaign adds each day: in all, ``part`` of intensity / (1 - intensity) of the usual gain of 90 days."""
    length = row.end - row.start + 1
    usual = np.median(series) * WINDOW
    shape = np.exp(-np.arange(length) / max(length / 3, 0.7)) if burst else np.exp(0.3 * rng.normal(size=length))
    amount = part * row.intensity / (1 - row.intensity) * usual
    return rng.poisson(amount * shape / shape.sum()).astype(np.float64)


def _removed(gain: Floats, rate: float) -> Floats:
    """Bought followers that the platform removes each day."""
    stock, lost = np.zeros(len(gain)), np.zeros(gain.shape)
    for day in range(gain.shape[1]):
        lost[:, day] = np.round(rate * stock)
        stock += gain[:, day] - lost[:, day]
    return lost


def bought_shares(daily: Daily, bought: Bought, day: int) -> Floats:
    """(n,) the largest share, over the metrics, of the gain in the 90 days up to and including ``day`` that was bought."""
    window = slice(max(day + 1 - WINDOW, 0), day + 1)
    shares = [
        getattr(bought, name)[:, window].sum(axis=1) / np.maximum(getattr(daily, name)[:, window].sum(axis=1), 1)
        for name in METRICS
    ]
    return np.max(shares, axis=0)


def truth_of_fraud(
    people: Population, clock: Clock, daily: Daily, bought: Bought, plan: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """``campaigns`` (fraud and innocent) and ``bought`` (a row per creator, date and metric with anything bought)."""
    periods = pd.DataFrame(
        {
            c.CREATOR_ID: people.ids[plan["creator"]],
            c.FRAUD_TYPE: plan["kind"],
            "is_fraud": plan["is_fraud"],
            c.PERIOD_START: clock.at(plan["start"]),
            c.PERIOD_END: clock.at(plan["end"] + 1 - 1e-4),
            "intensity": plan["intensity"],
        }
    )
    guilty = np.unique(plan.loc[plan["is_fraud"], "creator"])
    creator, date = np.repeat(guilty, clock.stop), np.tile(clock.dates, len(guilty))
    columns: dict[str, object] = {c.CREATOR_ID: people.ids[creator], c.DATE: date}
    for name in METRICS:
        columns[name] = getattr(daily, name)[guilty].ravel()
        columns[f"{name}_bought"] = getattr(bought, name)[guilty].ravel()
    return {"campaigns": periods, "bought": pd.DataFrame(columns)}


def fraud_target(truth: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> pd.Series:
    """The design's target as of a date, for every creator of ``truth["creators"]``: True where at least 10 % of the gain of
    followers, views, likes, comments or shares in the 90 days before ``as_of`` was bought or arranged."""
    rows = truth["bought"]
    rows = rows[(rows[c.DATE] < as_of) & (rows[c.DATE] >= as_of - pd.Timedelta(days=WINDOW))]
    sums = rows.drop(columns=c.DATE).groupby(c.CREATOR_ID).sum()
    shares = pd.DataFrame({name: sums[f"{name}_bought"] / sums[name].clip(lower=1) for name in METRICS})
    ids = pd.Index(truth["creators"][c.CREATOR_ID])
    return (shares.max(axis=1).reindex(ids, fill_value=0.0) >= TARGET_SHARE).rename(c.IS_FAKE)
