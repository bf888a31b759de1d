"""Probabilities that mean what they say, with two parameters so that a hundred labels are enough (Platt, 1999)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

Values = npt.NDArray[np.float64]
EDGE = 1e-6


@dataclass(frozen=True)
class PlattCalibrator:
    """p → σ(slope · logit p + intercept); ``slope`` is never negative, so that the order stays."""

    slope: float = 1.0
    intercept: float = 0.0

    @classmethod
    def fit(cls, probabilities: Values, labels: Values, weight: Values | None = None) -> "PlattCalibrator":
        """Fits on probabilities that the model gave to rows it had not seen; ``labels`` hold both classes."""
        fitted = LogisticRegression(C=1e3).fit(_logit(probabilities)[:, None], labels, weight)
        slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
        if slope > 0:
            return cls(slope, intercept)
        base = np.average(labels, weights=weight)
        return cls(0.0, float(_logit(np.array([base]))[0]))

    def predict(self, probabilities: Values) -> Values:
        """The calibrated probabilities, in the same order."""
        return 1 / (1 + np.exp(-(self.slope * _logit(probabilities) + self.intercept)))

    def to_json(self) -> dict[str, float]:
        """The two parameters."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, float]) -> "PlattCalibrator":
        """The calibrator of :meth:`to_json`."""
        return cls(**content)


def _logit(probabilities: Values) -> Values:
    clipped = np.clip(probabilities, EDGE, 1 - EDGE)
    return np.asarray(np.log(clipped / (1 - clipped)))
