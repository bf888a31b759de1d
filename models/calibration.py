"""Probabilities that mean what they say, with two parameters so that a hundred labels are enough (Platt, 1999)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
EDGE = 1e-6
SLOPE_PRECISION = 16.0  # of the prior: slope 1 ± 0.25
FREE = 1e-3  # precision of the intercept's prior
STEPS, ENOUGH = 50, 1e-9


@dataclass(frozen=True)
class PlattCalibrator:
    """p → σ(slope · logit p + intercept); ``slope`` is never negative, so that the order stays."""

    slope: float = 1.0
    intercept: float = 0.0

    @classmethod
    def fit(
        cls, probabilities: Values, labels: Values, weight: Values | None = None, precision: float = SLOPE_PRECISION
    ) -> "PlattCalibrator":
        """Fits on probabilities that the model gave to rows it had not seen; ``labels`` are 0, 1 or in between.

        The most probable parameters under a prior that believes the model's slope, with this ``precision``, until some
        dozens of cases of each kind speak against it. Weights are :func:`effective`.
        """
        weight = np.ones(len(labels)) if weight is None else effective(weight)
        x = np.stack([_logit(probabilities), np.ones(len(labels))], axis=1)
        slope, intercept = _most_probable(x, labels, weight, np.array([precision, FREE]))
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


def effective(weight: Values) -> Values:
    """The weights scaled so that they count as no more rows than they are worth, (Σw)² / Σw² (Kish, 1965)."""
    return weight * (weight.sum() / (weight**2).sum())


def _most_probable(x: Values, labels: Values, weight: Values, precision: Values) -> tuple[float, float]:
    """Newton's method on the penalised log-likelihood, which is concave; steps of at most 1 keep it from
    overshooting."""
    start = np.array([1.0, 0.0])
    parameters = start
    for _ in range(STEPS):
        p = _sigmoid(x @ parameters)
        gradient = x.T @ (weight * (labels - p)) - precision * (parameters - start)
        curvature = (x.T * (weight * p * (1 - p))) @ x + np.diag(precision)
        step = np.clip(np.linalg.solve(curvature, gradient), -1, 1)
        parameters = parameters + step
        if np.abs(step).max() < ENOUGH:
            break
    return float(parameters[0]), float(parameters[1])


def _logit(probabilities: Values) -> Values:
    clipped = np.clip(probabilities, EDGE, 1 - EDGE)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _sigmoid(logits: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-logits)))
