"""What is usual for a creator of this size, country and format, learned over all creators and kept with the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[np.float64]
PEERED = (
    "likes_per_view", "comments_per_view", "shares_per_view", "comments_per_like", "shares_per_like",
    "views_per_follower", "gain_per_view", "likes_peak", "comments_peak", "views_peak", "likes_shift",
    "comments_shift", "shares_shift", "gain_shift", "follower_spike",
)  # fmt: skip
"""Features above zero that grow or shrink, or vary more or less, with size, country or format."""
GROUPS = ("home_country", "main_format")
SHRINKAGE = 20.0  # creators: a country with so many is believed half
OUTLIER = 3.0  # spreads from what is expected: not learned from, most are what is looked for
FAREST = 10.0
LOG_NORMAL = 0.635  # −E log |z| of a standard normal z


@dataclass(frozen=True)
class Peers:
    """For each feature of PEERED the coefficients of the expected log value and of the log spread around it, by the
    names of :func:`_design`; what has no coefficient (a country never seen) is as the rest."""

    expected: Mapping[str, Mapping[str, float]]
    spread: Mapping[str, Mapping[str, float]]

    @classmethod
    def fit(cls, features: pd.DataFrame) -> "Peers":
        """On the features of all creators at a date (:func:`features.fraud.fraud_features`)."""
        design = _design(features)
        found = {name: _fitted(design, _log(features[name])) for name in PEERED}
        return cls({name: one for name, (one, _) in found.items()}, {name: one for name, (_, one) in found.items()})

    def compared(self, features: pd.DataFrame) -> pd.DataFrame:
        """The features, those of PEERED in spreads from what is expected of the creator, at most FAREST of them."""
        design = _design(features)
        return features.assign(**{name: self._difference(name, design, features[name]) for name in PEERED})

    def usual(self, features: pd.DataFrame) -> pd.DataFrame:
        """What is expected of each creator in the features' own units: PEERED, indexed like ``features``."""
        design = _design(features)
        expected = {name: np.exp(_applied(design, self.expected[name])) for name in PEERED}
        return pd.DataFrame(expected, index=features.index)

    def _difference(self, name: str, design: pd.DataFrame, values: pd.Series) -> Values:
        expected, spread = (_applied(design, one[name]) for one in (self.expected, self.spread))
        return np.clip((_log(values) - expected) / np.exp(spread), -FAREST, FAREST)

    def to_json(self) -> dict[str, Any]:
        """The coefficients."""
        return {"expected": self.expected, "spread": self.spread}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Peers":
        """The peers of :meth:`to_json`."""
        return cls(content["expected"], content["spread"])


def _design(features: pd.DataFrame) -> pd.DataFrame:
    """A column for each coefficient: 1, size in tens of thousand followers (log) and its square, each group."""
    size = (features["log_followers"] - np.log(10_000)).fillna(0.0)
    base = pd.DataFrame({"1": 1.0, "size": size, "size²": size**2}, index=features.index)
    return pd.concat([base, pd.get_dummies(features[list(GROUPS)], dtype="float64")], axis=1)


def _log(values: pd.Series) -> Values:
    """Logarithm; −∞ from zero down."""
    with np.errstate(divide="ignore"):
        return np.log(values.clip(lower=0).to_numpy(np.float64))


def _fitted(design: pd.DataFrame, log: Values) -> tuple[dict[str, float], dict[str, float]]:
    """Coefficients of the expected value, by ridge regression on the groups, and of the log spread by size; a second
    time without outliers."""
    rows = np.isfinite(log)
    for _ in range(2):
        expected = _ridge(design[rows], log[rows])
        error = np.abs(log - _applied(design, expected))
        spread = _ridge(design.loc[rows, ["1", "size"]], np.log(error[rows] + 1e-9) + LOG_NORMAL)
        rows = np.isfinite(log) & (error < OUTLIER * np.exp(_applied(design, spread)))
    return expected, spread


def _ridge(design: pd.DataFrame, target: Values) -> dict[str, float]:
    x = design.to_numpy(np.float64)
    penalty = np.diag([0.0 if name == "1" else SHRINKAGE if name.startswith(GROUPS) else 1.0 for name in design])
    found = np.linalg.lstsq(x.T @ x + penalty, x.T @ target, rcond=None)[0]
    return dict(zip(design.columns, found.tolist(), strict=True))


def _applied(design: pd.DataFrame, coefficients: Mapping[str, float]) -> Values:
    """Column by column, because the last bit of a matrix product depends on how many rows it has."""
    products = (coefficient * design[name].to_numpy() for name, coefficient in coefficients.items() if name in design)
    return np.asarray(sum(products, np.zeros(len(design))))
