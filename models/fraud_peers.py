"""What is usual for a creator of this size, country and format, learned over all creators and kept with the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

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
    names of :class:`_Terms`; what has no coefficient (a country never seen) is as the rest."""

    expected: Mapping[str, Mapping[str, float]]
    spread: Mapping[str, Mapping[str, float]]

    @classmethod
    def fit(cls, features: pd.DataFrame) -> "Peers":
        """On the features of all creators at a date (:func:`features.fraud.fraud_features`)."""
        terms, log = _Terms.of(features), _log(features)
        found = {name: _fitted(terms, log[:, place]) for place, name in enumerate(PEERED)}
        return cls({name: one for name, (one, _) in found.items()}, {name: one for name, (_, one) in found.items()})

    def compared(self, features: pd.DataFrame) -> pd.DataFrame:
        """The features, those of PEERED in spreads from what is expected of the creator, at most FAREST of them."""
        terms = _Terms.of(features)
        expected, spread = (_applied(terms, [part[name] for name in PEERED]) for part in (self.expected, self.spread))
        apart = np.clip((_log(features) - expected) / np.exp(spread), -FAREST, FAREST)
        return features.assign(**dict(zip(PEERED, apart.T, strict=True)))

    def usual(self, features: pd.DataFrame) -> pd.DataFrame:
        """What is expected of each creator in the features' own units: PEERED, indexed like ``features``."""
        expected = _applied(_Terms.of(features), [self.expected[name] for name in PEERED])
        return pd.DataFrame(np.exp(expected), index=features.index, columns=[*PEERED])

    def to_json(self) -> dict[str, Any]:
        """The coefficients."""
        return {"expected": self.expected, "spread": self.spread}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Peers":
        """The peers of :meth:`to_json`."""
        return cls(content["expected"], content["spread"])


class _Terms(NamedTuple):
    """What speaks of n creators: 1, size in tens of thousand followers (log) and its square, and of each of GROUPS the
    names and for each creator (n,) the place of its own, -1 where it is not known."""

    measured: Mapping[str, Values]
    groups: Sequence[tuple[npt.NDArray[np.intp], list[str]]]

    @classmethod
    def of(cls, features: pd.DataFrame) -> Self:
        """From a creator's features."""
        size = np.nan_to_num(features["log_followers"].to_numpy(np.float64) - np.log(10_000))
        groups = [(group, *pd.factorize(features[group], sort=True)) for group in GROUPS]
        named = [(places, [f"{group}_{word}" for word in words]) for group, places, words in groups]
        return cls({"1": np.ones(len(size)), "size": size, "size²": size**2}, named)

    def table(self) -> pd.DataFrame:
        """(n, ·) a column for each coefficient."""
        ones = {name: (places == place) * 1.0 for places, names in self.groups for place, name in enumerate(names)}
        return pd.DataFrame(dict(self.measured) | ones)


def _log(features: pd.DataFrame) -> Values:
    """(n, PEERED) logarithms; −∞ from zero down."""
    with np.errstate(divide="ignore"):
        return np.log(np.clip(features[[*PEERED]].to_numpy(np.float64), 0, None))


def _fitted(terms: _Terms, log: Values) -> tuple[dict[str, float], dict[str, float]]:
    """Coefficients of the expected value, by ridge regression on the groups, and of the log spread by size; a second
    time without outliers."""
    rows, design = np.isfinite(log), terms.table()
    for _ in range(2):
        expected = _ridge(design[rows], log[rows])
        error = np.abs(log - _applied(terms, [expected])[:, 0])
        spread = _ridge(design.loc[rows, ["1", "size"]], np.log(error[rows] + 1e-9) + LOG_NORMAL)
        rows = np.isfinite(log) & (error < OUTLIER * np.exp(_applied(terms, [spread])[:, 0]))
    return expected, spread


def _ridge(design: pd.DataFrame, target: Values) -> dict[str, float]:
    x = design.to_numpy(np.float64)
    penalty = np.diag([0.0 if name == "1" else SHRINKAGE if name.startswith(GROUPS) else 1.0 for name in design])
    found = np.linalg.lstsq(x.T @ x + penalty, x.T @ target, rcond=None)[0]
    return dict(zip(design.columns, found.tolist(), strict=True))


def _applied(terms: _Terms, coefficients: Sequence[Mapping[str, float]]) -> Values:
    """(n, k) for each of ``coefficients``. Term by term, because the last bit of a matrix product depends on how many
    rows it has."""

    def of(name: str) -> Values:
        return np.array([one.get(name, 0.0) for one in coefficients])

    found = np.zeros((len(terms.measured["1"]), len(coefficients)))
    for name, values in terms.measured.items():
        found += of(name) * values[:, None]
    for places, names in terms.groups:
        found += np.array([*map(of, names), of("")])[places]
    return found
