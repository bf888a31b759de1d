"""The credit policy: every number of the credit score, read from one versioned file and checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from features.appeals import UNDONE_BY
from features.errors import bad
from features.vocabulary import CREDIT_FACTORS

Floats = npt.NDArray[np.float64]
POLICY_FILE = Path(__file__).with_name("credit_policy.json")
"""The policy that comes with the code; a release keeps its own copy."""
FORMER_FILE = "former_credit_policies.json"
"""Beside a policy: those that were served before it, oldest first."""
REPEATED_VIOLATION, REPEATED_DEFAULT = "REPEATED_VIOLATION", "REPEATED_DEFAULT"
FINDINGS = (*UNDONE_BY, REPEATED_VIOLATION)
"""How the codes of what a person has confirmed start."""


@dataclass(frozen=True)
class Factor:
    """The weight of a factor in the score (they sum to 1) and its prior: peers' share of good events, and for how many
    events that counts; the points that it never falls below."""

    weight: float
    prior_mean: float
    prior_events: float
    floor: float = 0


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
class ValueClass:
    """By how much the events of orders worth ``start`` US dollars and more are multiplied."""

    start: float
    times: float


@dataclass(frozen=True)
class Repeated:
    """By how much the events of an order are multiplied for each that the brand started in so many ``days`` before."""

    days: float = 0
    times: float = 1


@dataclass(frozen=True)
class Repetition:
    """So many events of one kind within so many days have a consequence of their own."""

    times: float = np.inf
    days: float = 0


@dataclass(frozen=True)
class Probation:
    """After a suspension orders stay limited for so many ``days``, or until so many were ``settled`` since the
    finding."""

    days: float = 0
    settled: float = 0


@dataclass(frozen=True)
class Milestone:
    """From so many settled orders on at most so many may be open (infinite: no cap)."""

    settled: float
    open_orders: float


@dataclass(frozen=True)
class Policy:
    """See docs/credit.md for the meaning of each number. Weights of events are signed: good > 0, bad < 0.

    ``raters``: brand_id → by how many stars its ratings lie below what others give for the same (0: unknown). ``usd``:
    currency → US dollars, frozen. ``former``: the policies served before this one, oldest first. A release from before
    a number was there is read as if it did nothing, appeals with today's deadline.
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
    raters: Mapping[str, float] = field(default_factory=dict)
    usd: Mapping[str, float] = field(default_factory=dict)
    value_classes: tuple[ValueClass, ...] = ()
    repeated: Repeated = Repeated()
    hysteresis: float = 0
    ended_by_training: tuple[str, ...] = ()
    repeated_violation: Repetition = Repetition()
    repeated_default: Repetition = Repetition()
    probation: Probation = Probation()
    milestones: tuple[Milestone, ...] = (Milestone(0, np.inf),)
    assessment_dead_band: float = 0.15
    former: "tuple[Policy, ...]" = ()

    def named(self, version: str) -> "Policy":
        """The policy of this version, this one where it is not known."""
        return next((one for one in self.former if one.version == version), self)

    def before(self, version: str) -> "Policy":
        """The policy that was served before the one of this version, the oldest where none was."""
        served = [one.version for one in self.former]
        place = served.index(version) if version in served else len(served)
        return (*self.former, self)[max(place - 1, 0)]

    @property
    def repetitions(self) -> Mapping[str, Repetition]:
        """By the code of its consequence, which ``suspension_days`` has."""
        return {REPEATED_VIOLATION: self.repeated_violation, REPEATED_DEFAULT: self.repeated_default}

    @cached_property
    def weights(self) -> Floats:
        """(5,) the weight of each factor in the score."""
        return np.array([self.factors[name].weight for name in CREDIT_FACTORS])

    @cached_property
    def prior(self) -> Floats:
        """(2, 5) α and β of a newcomer by factor."""
        stated = [self.factors[name] for name in CREDIT_FACTORS]
        good = np.array([one.prior_mean * one.prior_events for one in stated])
        return np.array([good, [one.prior_events for one in stated] - good])

    @cached_property
    def floors(self) -> Floats:
        """(5,) the points that each factor never falls below."""
        return np.array([self.factors[name].floor for name in CREDIT_FACTORS], float)

    @cached_property
    def starts(self) -> Floats:
        """(5,) the score at which each band starts."""
        return np.array([band.start for band in self.bands], float)


def load_policy(path: Path = POLICY_FILE) -> Policy:
    """Reads a policy and those before it. Raises ValueError where its numbers would break what docs/credit.md
    promises."""
    former = path.with_name(FORMER_FILE)
    policy = _policy(json.loads(path.read_text(encoding="utf-8")))
    _check(policy)
    return replace(policy, former=tuple(map(_policy, _listed(former))))


def keep_former(folder: Path, predecessor: Path) -> None:
    """Keeps beside the policy in ``folder`` the one of ``predecessor``, which was served before, and those it kept.

    Raises InputError (CONFLICT) where a policy was changed and not its version.
    """
    own, last = (json.loads((one / POLICY_FILE.name).read_text()) for one in (folder, predecessor))
    if own["version"] == last["version"] and own != last:
        raise bad("version", "the credit policy has changed; give it another version", own["version"], "CONFLICT")
    former = [*_listed(predecessor / FORMER_FILE), last]
    others = [one for one in former if one["version"] != own["version"]]
    (folder / FORMER_FILE).write_text(json.dumps(others), encoding="utf-8")


def _listed(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _policy(stated: dict[str, Any]) -> Policy:
    return Policy(
        **stated
        | {
            "factors": {name: Factor(**stated["factors"][name]) for name in CREDIT_FACTORS},
            "curves": {code: _curve(curve) for code, curve in stated["curves"].items()},
            "bands": tuple(Band(band["name"], band["from"]) for band in stated["bands"]),
            "value_classes": tuple(ValueClass(one["from"], one["times"]) for one in stated.get("value_classes", ())),
            "repeated": Repeated(**stated.get("repeated", {})),
            "ended_by_training": tuple(stated.get("ended_by_training", ())),
            "repeated_violation": Repetition(**stated.get("repeated_violation", {})),
            "repeated_default": Repetition(**stated.get("repeated_default", {})),
            "probation": Probation(**stated.get("probation", {})),
            "milestones": tuple(map(_milestone, stated.get("milestones", ({"settled": 0, "open_orders": None},)))),
        }
    )


def _curve(stated: Mapping[str, Any]) -> Curve:
    return Curve(stated["factor"], tuple(stated["at"]), tuple(stated["weight"]))


def _milestone(stated: Mapping[str, Any]) -> Milestone:
    most = stated["open_orders"]
    return Milestone(stated["settled"], np.inf if most is None else most)


def _check(policy: Policy) -> None:
    factors = policy.factors.values()
    starts, classes = [band.start for band in policy.bands], [one.start for one in policy.value_classes]
    steps, caps = ([getattr(one, name) for one in policy.milestones] for name in ("settled", "open_orders"))
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
        "a newcomer is above what a factor never falls below": all(f.floor <= policy.base_score for f in factors),
        "assessments move by a dead band": policy.assessment_dead_band > 0,
        "only what a person has confirmed suspends": all(
            code.startswith(FINDINGS) or days == 0 for code, days in policy.suspension_days.items()
        ),
        "a suspension ends": all(0 <= days < np.inf for days in policy.suspension_days.values()),
        "milestones rise from 0, and what they allow with them": steps == sorted(steps)
        and steps[0] == 0
        and caps == sorted(caps),
        "hysteresis is no less than nothing": policy.hysteresis >= 0,
        "whoever rates, the best rating never lowers and the worst never raises": _fair(policy),
        "classes of value rise from 0": bool(classes == sorted(classes) and classes[:1] in ([], [0])),
        "an event is multiplied by more than 0": all(one.times > 0 for one in policy.value_classes),
        "a repeated order weighs no more, and something": 0 < policy.repeated.times <= 1,
    }
    broken = [promise for promise, kept in promises.items() if not kept]
    if broken:
        raise ValueError(f"credit policy {policy.version}: not true that {'; '.join(broken)}")


def _fair(policy: Policy) -> bool:
    """Whether a rater's severity, which moves what its ratings say along the curve, leaves the ends their signs."""
    curve, severities = policy.curves["RATED"], np.array([0.0, *policy.raters.values()])
    worst, best = (np.interp(end + severities, curve.at, curve.weight) for end in (curve.at[0], curve.at[-1]))
    return bool((worst <= 0).all() and (best >= 0).all())
