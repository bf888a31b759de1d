"""Probabilities that mean what they say, with two parameters so that a hundred labels are enough (Platt, 1999)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
EDGE = 1e-6
PRIOR = np.array([16.0, 1e-3])  # precision of the prior: slope 1 ± 0.25, intercept free
STEPS = 50


@dataclass(frozen=True)
class PlattCalibrator:
    """p → σ(slope · logit p + intercept); ``slope`` is never negative, so that the order stays."""

    slope: float = 1.0
    intercept: float = 0.0

    @classmethod
    def fit(cls, probabilities: Values, labels: Values, weight: Values | None = None) -> "PlattCalibrator":
        """Fits on probabilities that the model gave to rows it had not seen.

        The most probable parameters under a prior that believes the model's slope until some dozens of cases of each
        kind speak against it. Weights count as no more rows than they are worth (Σw)² / Σw² (Kish, 1965).
        """
        weight = np.ones(len(labels)) if weight is None else weight
        weight = weight * weight.sum() / (weight**2).sum()
        x = np.stack([_logit(probabilities), np.ones(len(labels))], axis=1)
        slope, intercept = _most_probable(x, labels, weight)
        return cls(max(slope, 0.0), intercept)

    def predict(self, probabilities: Values) -> Values:
        """The calibrated probabilities, in the same order."""
        return _sigmoid(self.slope * _logit(probabilities) + self.intercept)

    def to_json(self) -> dict[str, float]:
        """The two parameters."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, float]) -> "PlattCalibrator":
        """The calibrator of :meth:`to_json`."""
        return cls(**content)


def _most_probable(x: Values, labels: Values, weight: Values) -> tuple[float, float]:
    """Newton's method on the penalised log-likelihood, which is concave; steps of at most 1 keep it from
    overshooting."""
    start = np.array([1.0, 0.0])
    parameters = start
    for _ in range(STEPS):
        p = _sigmoid(x @ parameters)
        gradient = x.T @ (weight * (labels - p)) - PRIOR * (parameters - start)
        curvature = (x.T * (weight * p * (1 - p))) @ x + np.diag(PRIOR)
        parameters = parameters + np.clip(np.linalg.solve(curvature, gradient), -1, 1)
    return float(parameters[0]), float(parameters[1])


def _logit(probabilities: Values) -> Values:
    clipped = np.clip(probabilities, EDGE, 1 - EDGE)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _sigmoid(logits: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-logits)))
