"""What is done with a fraud probability: levels, actions and how much must be known, from one versioned file.

``fraud_policy.json`` comes with the code; every fraud model keeps the one that it was trained with.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import bad

POLICY_FILE = Path(__file__).with_name("fraud_policy.json")
ACTIONS = ("ALLOW", "REVIEW", "BLOCK")
CHANGED = "+request"  # after the version of a policy that a request changed


@dataclass(frozen=True)
class Level:
    """Risk scores of ``min_risk_score`` and more, up to the next level. BLOCK is for a person to confirm."""

    risk_level: str
    min_risk_score: int
    recommended_action: str


@dataclass(frozen=True)
class FraudPolicy:
    """``levels`` rise from 0. Below both minimums there is no probability, and ``insufficient_data_action`` holds. For
    ``reviewed_days`` after a review nobody is queued or an alert again; ``audit_share`` of the queue is drawn by lot.

    A model from before these two stood here is read with today's.
    """

    version: str
    levels: tuple[Level, ...]
    minimum_days_known: float
    minimum_engagements_known: float
    insufficient_data_action: str
    full_confidence_days: float
    full_confidence_engagements: float
    reviewed_days: float = 90
    audit_share: float = 0.05

    @property
    def reviewed(self) -> pd.Timedelta:
        """``reviewed_days`` as a span of time."""
        return pd.Timedelta(days=self.reviewed_days)

    @classmethod
    def from_json(cls, stated: Mapping[str, Any]) -> "FraudPolicy":
        """The policy of a file or of a model. Raises InputError where its levels or actions cannot be."""
        policy = cls(**{**stated, "levels": tuple(Level(**level) for level in stated["levels"])})
        _check(policy)
        return policy

    def to_json(self) -> dict[str, Any]:
        """What :meth:`from_json` reads."""
        return asdict(self)

    def level(self, risk_score: float) -> Level:
        """The level that a risk score reaches."""
        return self.levels[int(self._reached(np.array([risk_score]))[0])]

    def levels_of(self, risk_scores: npt.NDArray[np.float64]) -> list[str | None]:
        """The name of the level that each of the risk scores (n,) reaches; None for an unknown one."""
        reached = self._reached(np.nan_to_num(risk_scores))
        known = zip(reached, np.isnan(risk_scores), strict=True)
        return [None if unknown else self.levels[place].risk_level for place, unknown in known]

    def alerts(self, risk_scores: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Which of the risk scores (n,) call for anything but ALLOW; an unknown one (NaN) does not."""
        calls = np.array([level.recommended_action != ACTIONS[0] for level in self.levels])
        return calls[self._reached(np.nan_to_num(risk_scores))] & ~np.isnan(risk_scores)

    def changed(self, levels: Iterable[Mapping[str, Any]]) -> "FraudPolicy":
        """The policy with what ``levels``, each named once, say. Raises InputError where thresholds no longer rise."""
        stated = list(levels)
        given = {level["risk_level"]: level for level in stated}
        if len(given) < len(stated):
            raise bad("policy.levels", "name each level once", " ".join(level["risk_level"] for level in stated))
        if unknown := given.keys() - {level.risk_level for level in self.levels}:
            raise bad("policy.levels", "the policy has no such level", min(unknown))
        mixed = [Level(**{**asdict(level), **given.get(level.risk_level, {})}) for level in self.levels]
        policy = replace(self, version=self.version + CHANGED, levels=tuple(mixed))
        _check(policy)
        return policy

    def _reached(self, risk_scores: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
        return np.searchsorted([level.min_risk_score for level in self.levels], risk_scores, side="right") - 1


def load_fraud_policy(path: Path = POLICY_FILE) -> FraudPolicy:
    """Reads a policy file."""
    return FraudPolicy.from_json(json.loads(path.read_text(encoding="utf-8")))


def _check(policy: FraudPolicy) -> None:
    starts = [level.min_risk_score for level in policy.levels]
    if not 0 <= policy.audit_share < 1:
        raise bad("policy.audit_share", "must lie from 0 to below 1", policy.audit_share)
    if unknown := {level.recommended_action for level in policy.levels} - {*ACTIONS}:
        raise bad("policy.levels", f"recommended_action must be one of {', '.join(ACTIONS)}", min(unknown))
    harshness = [ACTIONS.index(level.recommended_action) for level in policy.levels]
    if starts[0] != 0 or starts != sorted(starts) or starts[-1] > 1000:
        stated = ", ".join(f"{level.risk_level} from {level.min_risk_score}" for level in policy.levels)
        raise bad("policy.levels", "min_risk_score must rise from 0 with the level, up to 1000", stated)
    if harshness != sorted(harshness):
        stated = ", ".join(f"{level.risk_level} {level.recommended_action}" for level in policy.levels)
        raise bad("policy.levels", "a higher level cannot be treated more mildly", stated)
