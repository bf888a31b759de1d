"""Campaigns that move the daily statistics, fraud and innocent events that look like it, and the truth about both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features import columns as c
from training.parameters import FraudParams, Kind
from training.simulate.base import Clock, Floats, Ints
from training.simulate.creators import Population
from training.simulate.daily import Daily, with_followers
from training.world import World

WINDOW = 90  # days of the fraud target
TARGET_SHARE = 0.1
METRICS = ("gain", "views", "likes", "comments", "shares")


_PLANNED = ["creator", "kind", "start", "end", "intensity", "is_fraud"]
GROUPED = {"LOCKSTEP_RING": "ring_size", "ENGAGEMENT_POD": "pod_size"}


@dataclass(frozen=True)
class Bought:
    """(n, days): what was bought or arranged, by metric; ``campaign`` is the row of the campaign that did it, else
    -1."""

    gain: Floats
    views: Floats
    likes: Floats
    comments: Floats
    shares: Floats
    campaign: Ints


def campaigns(world: World, people: Population, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """A row per campaign: creator (row), kind, is_fraud, start and end (days, inclusive), intensity, group (-1:
    alone)."""
    p = world.fraud
    guilty = _guilty(p, people, rng)
    guilty = np.append(guilty, guilty[rng.random(len(guilty)) < p.repeat])
    shares = np.array([kind.share for kind in p.frauds])
    parts = [_planned(p, guilty, p.frauds, rng.choice(len(shares), len(guilty), p=shares / shares.sum()), clock, rng)]
    for kind in p.innocents:
        lucky = np.flatnonzero(rng.random(people.size) < kind.share)
        parts.append(_planned(p, lucky, (kind,), np.zeros(len(lucky), dtype=np.int64), clock, rng))
    plan = pd.concat(parts, ignore_index=True)
    return plan.assign(is_fraud=plan["kind"].isin([kind.name for kind in p.frauds]))


def _guilty(p: FraudParams, people: Population, rng: np.random.Generator) -> Ints:
    size = np.log(people.followers)
    weights = np.exp(p.appeal_small * (size - size.mean()))
    return rng.choice(people.size, round(p.prevalence * people.size), replace=False, p=weights / weights.sum())


def _planned(
    p: FraudParams, creators: Ints, kinds: tuple[Kind, ...], choice: Ints, clock: Clock, rng: np.random.Generator
) -> pd.DataFrame:
    """One campaign for each creator, of the chosen kind; pods and rings in groups, a ring's at the same time."""
    name = np.array([kind.name for kind in kinds], dtype=object)[choice]
    low, high = np.array([kind.days for kind in kinds])[choice].T
    start = rng.integers(0, clock.stop - 2, len(creators))
    group = np.full(len(creators), -1)
    for grouped, size in GROUPED.items():
        rows = np.flatnonzero(name == grouped)
        group[rows] = np.arange(len(rows)) // getattr(p, size)
    ring = name == "LOCKSTEP_RING"
    start[ring] = rng.integers(0, clock.stop - 2, len(creators) + 1)[group[ring]]
    end = np.minimum(start + rng.integers(low, high + 1) - 1, clock.stop - 1)
    intensity = p.intensity_scale * rng.beta(*p.intensity, len(creators))
    return pd.DataFrame(
        {"creator": creators, "kind": name, "start": start, "end": end, "intensity": intensity, "group": group}
    )


def run(world: World, daily: Daily, plan: pd.DataFrame, rng: np.random.Generator) -> tuple[Daily, Bought]:
    """The days with every campaign of ``plan`` added, and what of it was bought."""
    kinds = {kind.name: kind for kind in (*world.fraud.frauds, *world.fraud.innocents)}
    total = {name: getattr(daily, name).copy() for name in (*METRICS, "paid")}
    bought = {name: np.zeros(daily.views.shape) for name in METRICS}
    campaign = np.full(daily.views.shape, -1, dtype=np.int64)
    for place, (creator, name, start, end, intensity, guilty) in enumerate(plan[_PLANNED].itertuples(index=False)):
        days = slice(start, end + 1)
        usual = {metric: float(np.median(getattr(daily, metric)[creator])) for metric in METRICS}
        extra = _extra(kinds[name], usual, intensity, end + 1 - start, rng)
        for metric, gain in extra.items():
            total[metric][creator, days] += gain
            bought[metric][creator, days] += gain * guilty
        if guilty:
            campaign[creator, days] = place
        if name == "PAID_PROMOTION" and rng.random() < world.fraud.paid_declared:
            total["paid"][creator, days] += extra["views"]
    lost = _removed(bought["gain"], world.fraud.bot_churn)
    after = with_followers(replace(daily, **total), lost, world.daily.churn)
    return after, Bought(**bought, campaign=campaign)


def _extra(
    kind: Kind, usual: dict[str, float], intensity: float, length: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """What a campaign of ``length`` days adds to each metric: in all, its part of intensity / (1 - intensity) of the
    ``usual`` gain of 90 days."""
    burst, even = np.exp(-np.arange(length) / max(length / 3, 0.7)), np.exp(0.3 * rng.normal(size=length))
    shape = burst if kind.burst else even
    amount = intensity / (1 - intensity) * WINDOW * shape / shape.sum()
    parts = zip(METRICS, kind.adds, strict=True)
    return {metric: rng.poisson(part * usual[metric] * amount).astype(np.float64) for metric, part in parts}


def _removed(gain: Floats, rate: float) -> Floats:
    """Bought followers that the platform removes each day."""
    stock, lost = np.zeros(len(gain)), np.zeros(gain.shape)
    for day in range(gain.shape[1]):
        lost[:, day] = np.round(rate * stock)
        stock += gain[:, day] - lost[:, day]
    return lost


def bought_shares(daily: Daily, bought: Bought, day: int) -> Floats:
    """(n,) the largest share, over the metrics, of the gain in the 90 days up to and including ``day`` that was
    bought."""
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
    """The design's target as of a date, for every creator of ``truth["creators"]``, indexed by creator_id: True
    where at least
    10 % of the gain of followers, views, likes, comments or shares in the 90 days before was bought or arranged."""
    rows = truth["bought"]
    rows = rows[(rows[c.DATE] < as_of) & (rows[c.DATE] >= as_of - pd.Timedelta(days=WINDOW))]
    sums = rows.drop(columns=c.DATE).groupby(c.CREATOR_ID).sum()
    shares = pd.DataFrame({name: sums[f"{name}_bought"] / sums[name].clip(lower=1) for name in METRICS})
    ids = pd.Index(truth["creators"][c.CREATOR_ID])
    return (shares.max(axis=1).reindex(ids, fill_value=0.0) >= TARGET_SHARE).rename(c.IS_FAKE)
