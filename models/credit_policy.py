"""The credit policy: every number of the credit score, read from one versioned file and checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.vocabulary import CREDIT_FACTORS

POLICY_FILE = Path(__file__).with_name("credit_policy.json")
"""The policy that comes with the code; a release keeps its own copy."""


@dataclass(frozen=True)
class Factor:
    """The weight of a factor in the score (they sum to 1) and its prior: peers' share of good events, and for how many
    events that counts."""

    weight: float
    prior_mean: float
    prior_events: float


@dataclass(frozen=True)
class Curve:
    """The signed weight of an event in its factor by a measured value: linear between the points, constant beyond."""

    factor: str
    at: tuple[float, ...]
    weight: tuple[float, ...]


@dataclass(frozen=True)
class Band:
    """A name for scores of ``start`` and more."""

    name: str
    start: float


@dataclass(frozen=True)
class Policy:
    """See docs/credit.md for the meaning of each number. Weights of events are signed: good > 0, bad < 0.

    A release from before appeals had a deadline is read with today's.
    """

    version: str
    memory: float
    silence_half_life_days: float
    base_score: float
    points_to_double_odds: float
    factors: Mapping[str, Factor]
    events: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, Curve]
    bands: tuple[Band, ...]
    limited_below: float
    limited_open_orders: float
    suspension_days: Mapping[str, float]
    appeal_days: float = 14


def load_policy(path: Path = POLICY_FILE) -> Policy:
    """Reads a policy. Raises ValueError where its numbers would break what docs/credit.md promises."""
    stated: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    policy = Policy(
        **stated
        | {
            "factors": {name: Factor(**stated["factors"][name]) for name in CREDIT_FACTORS},
            "curves": {code: _curve(curve) for code, curve in stated["curves"].items()},
            "bands": tuple(Band(band["name"], band["from"]) for band in stated["bands"]),
        }
    )
    _check(policy)
    return policy


def _curve(stated: Mapping[str, Any]) -> Curve:
    return Curve(stated["factor"], tuple(stated["at"]), tuple(stated["weight"]))


def _check(policy: Policy) -> None:
    factors = policy.factors.values()
    starts = [band.start for band in policy.bands]
    promises = {
        "memory lies between 0 and 1": 0 < policy.memory < 1,
        "factor weights sum to 1": abs(sum(factor.weight for factor in factors) - 1) < 1e-9,
        "a prior counts for no more events than are remembered": all(
            f.prior_events * (1 - policy.memory) <= 1 for f in factors
        ),
        "a curve never falls": all(list(curve.weight) == sorted(curve.weight) for curve in policy.curves.values()),
        "bands rise from 0 and are five, one per star": starts == sorted(starts)
        and starts[0] == 0
        and len(starts) == 5,
    }
    broken = [promise for promise, kept in promises.items() if not kept]
    if broken:
        raise ValueError(f"credit policy {policy.version}: not true that {'; '.join(broken)}")
