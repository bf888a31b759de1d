"""Attackers who adapt: what they do otherwise than in world-1, and what they give up for it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import ScalarFormatter

from features import columns as c
from features.schema import Tables
from training.evaluation.fraud import Truth
from training.evaluation.fraud_groups import GUILTY
from training.evaluation.plots import png
from training.parameters import FRAUDS, Kind
from training.world import WORLD_1, World

PODS = ("ENGAGEMENT_POD",)
BOTS = tuple(name for name in GUILTY if name not in PODS)
BURSTS = tuple(name for name in BOTS if name != "SLOW_DRIP")
LONGEST = 120  # days: as long as what is sold as a drip
PREMIUM_PRICE = 4.0  # of an account that looks like a person's, over a plain one's; judgement
PEAK = 1.9  # acts in the busiest hour of people's day over the mean hour's, of world-1's organic engagements


@dataclass(frozen=True)
class Attack:
    """``cost`` is the attacker's, in times the ordinary one's; ``kinds`` are the campaigns that change, and ``human``
    is the share of bought acts that are done when people act."""

    name: str
    cost: float
    kinds: tuple[str, ...]
    world: World = WORLD_1
    human: float = 0.0


def _with(**changes: Any) -> World:
    return replace(WORLD_1, fraud=replace(WORLD_1.fraud, **changes))


def _longer(kind: Kind, times: int) -> Kind:
    low, high = (min(times * days, max(days, LONGEST)) for days in kind.days)
    return replace(kind, days=(low, high), burst=False)


def _spread_out(times: int, amount: float = 1.0) -> World:
    """Even campaigns of so many times the days, that buy this part of the usual amount."""
    frauds = tuple(_longer(kind, times) if kind.name in BURSTS else kind for kind in FRAUDS)
    return _with(frauds=frauds, intensity_scale=amount * WORLD_1.fraud.intensity_scale)


def _price(premium: float) -> float:
    return 1 + premium * (PREMIUM_PRICE - 1)


ATTACKS = (
    *(Attack("longer", times, BURSTS, _spread_out(times)) for times in (2, 4, 8)),
    *(Attack("smaller", 1 / part, GUILTY, _with(intensity_scale=part * WORLD_1.fraud.intensity_scale))
      for part in (0.7, 0.5, 0.35)),
    *(Attack("longer and smaller", times / part, BURSTS, _spread_out(times, part))
      for times, part in ((2, 0.7), (4, 0.5), (8, 0.35))),
    *(Attack("larger pods", times, PODS, _with(pod_size=times * WORLD_1.fraud.pod_size)) for times in (2, 4, 8)),
    *(Attack("hours of people", 1 + share * (PEAK - 1), BOTS, human=share) for share in (0.5, 1.0)),
    *(Attack("better profiles", _price(premium) / _price(WORLD_1.fraud.premium), BOTS, _with(premium=premium))
      for premium in (0.65, 0.85, 1.0)),
)  # fmt: skip
"""Costs: of longer and smaller campaigns, days for each bought unit; of pods, members to win and to serve; of people's
hours, accounts needed at the peak; of profiles, the price of a mean account."""


def human_hours(tables: Tables, truth: Truth, share: float, rng: np.random.Generator) -> Tables:
    """The tables with ``share`` of what a creator got during its fraud campaigns moved, within the day, to the hour of
    someone's act outside of any."""
    events, campaigns = tables["engagements"], truth["campaigns"]
    bought = _during(events, campaigns[campaigns["is_fraud"]])
    moved = bought & (rng.random(len(events)) < share)
    time = events[c.EVENT_TIME]
    of_day = (time - time.dt.floor("D"))[~bought]
    drawn = time.dt.floor("D") + of_day.iloc[rng.integers(len(of_day), size=len(events))].set_axis(events.index)
    events = events.assign(**{c.EVENT_TIME: time.mask(moved, drawn)})
    return {**tables, "engagements": events.sort_values(c.EVENT_TIME, kind="stable", ignore_index=True)}


def _during(events: pd.DataFrame, campaigns: pd.DataFrame) -> "pd.Series[bool]":
    """Which events fell into a campaign of their creator."""
    both = events[[c.CREATOR_ID, c.EVENT_TIME]].reset_index(names="row").merge(campaigns, on=c.CREATOR_ID)
    inside = both[both[c.EVENT_TIME].between(both[c.PERIOD_START], both[c.PERIOD_END])]
    return pd.Series(events.index.isin(inside["row"]), index=events.index)


def plot(curves: pd.DataFrame) -> bytes:
    """A PNG of the ``recall`` of every attack by its ``cost``, with one standard deviation ``recall_sd``."""
    return png(_curves, curves)


def _curves(curves: pd.DataFrame, axes: Axes) -> None:
    for name, rows in curves.groupby("attack", sort=False):
        axes.errorbar(rows["cost"], rows["recall"], rows["recall_sd"], marker="o", capsize=3, label=name)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_xlabel("cost to the attacker, times the ordinary one's")
    axes.set_ylabel("recall at 1 % false positives")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False, fontsize=8)
