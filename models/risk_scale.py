"""What a risk score means: 1000 × (1 − false-positive rate) among creators whose last 90 days look alike at first.

A press mention, a promotion and a purchase look much the same. Held against everyone, the innocent among those to whom
such a thing happened would be flagged many times as often as the rest. So the rate is that among creators of the same
kind, about equal between kinds (one threshold a group: Hardt, Price and Srebro, NeurIPS 2016). Probabilities do not
change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[np.float64]
QUIET, FOLLOWERS, VIEWS, PAID = "QUIET", "FOLLOWER_SURGE", "VIEW_SURGE", "PAID_VIEWS"
KINDS = (QUIET, FOLLOWERS, VIEWS, PAID)
PAID_SHARE = 0.03  # of the views
# Followers who came at once, beyond what the views explain and on other days than they; days of many views.
MEASURES = {
    FOLLOWERS: {"follower_spike": 1.0, "gain_unexplained": 1.0, "gain_view_correlation": -1.0},
    VIEWS: {"views_peak": 1.0},
}
SURGING = {FOLLOWERS: 0.87, VIEWS: 0.95}  # quantile of all creators beyond which a measure says so
GRID = np.linspace(0, 1, 101)
QUANTILES = 200
FEWEST = 40  # creators; a kind with fewer is held against everyone


@dataclass(frozen=True)
class Surges:
    """Tells creators apart by kind. ``ranks``: by feature the quantiles of all creators at GRID; ``bounds``: beyond
    which measure there is a surge."""

    ranks: Mapping[str, Sequence[float]]
    bounds: Mapping[str, float]

    @classmethod
    def fit(cls, features: pd.DataFrame) -> "Surges":
        """On the features of all creators at a date."""
        names = sorted({name for measure in MEASURES.values() for name in measure})
        ranks = {name: features[name].quantile(GRID).fillna(0.0).tolist() for name in names}
        unbounded = cls(ranks, {})
        bounds = {kind: float(np.quantile(unbounded.measure(kind, features), at)) for kind, at in SURGING.items()}
        return cls(ranks, bounds)

    def kinds(self, features: pd.DataFrame) -> npt.NDArray[np.str_]:
        """(n,) one of KINDS: views paid for, else a surge of views, else one of followers, else quiet."""
        surging = [self.measure(kind, features) > self.bounds[kind] for kind in (VIEWS, FOLLOWERS)]
        paid = (features["paid_share"] > PAID_SHARE).to_numpy()
        return np.select([paid, *surging], [PAID, VIEWS, FOLLOWERS], QUIET)

    def measure(self, kind: str, features: pd.DataFrame) -> Values:
        """(n,) the features' ranks among all creators added up with their signs; an unknown one is in the middle."""
        signed = [sign * self._rank(name, features[name]) for name, sign in MEASURES[kind].items()]
        return np.asarray(np.sum(signed, axis=0))

    def _rank(self, name: str, values: pd.Series) -> Values:
        ranks = np.interp(values.to_numpy(np.float64), self.ranks[name], GRID)
        return np.where(np.isnan(ranks), 0.5, ranks)


@dataclass(frozen=True)
class RiskScale:
    """``innocent``: by kind (QUANTILES + 1,) quantiles of the probabilities of its innocent at the end of training."""

    surges: Surges
    innocent: Mapping[str, Values]

    @classmethod
    def fit(cls, probability: Values, features: pd.DataFrame) -> "RiskScale":
        """On ``probability`` (n,) and ``features`` of all creators, each innocent with 1 − its probability."""
        surges = Surges.fit(features)
        kinds = surges.kinds(features)
        alike = {kind: kinds == kind for kind in KINDS}
        everyone = np.ones(len(kinds), np.bool_)
        chosen = {kind: own if own.sum() >= FEWEST else everyone for kind, own in alike.items()}
        return cls(surges, {kind: _innocent(probability[rows]) for kind, rows in chosen.items()})

    def scores(self, probability: Values, kinds: npt.NDArray[np.str_]) -> Values:
        """(n,) the risk score of each ``probability`` among those of its kind; NaN where there is none."""
        scores = np.full(len(probability), np.nan)
        for kind, innocent in self.innocent.items():
            rows = (kinds == kind) & ~np.isnan(probability)
            scores[rows] = np.round(1000 * np.searchsorted(innocent, probability[rows]) / len(innocent))
        return scores

    def to_json(self) -> dict[str, Any]:
        """Ranks, bounds and quantiles."""
        innocent = {kind: list(values) for kind, values in self.innocent.items()}
        return {"ranks": self.surges.ranks, "bounds": self.surges.bounds, "innocent": innocent}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "RiskScale":
        """What :meth:`to_json` gave."""
        innocent = {kind: np.array(values) for kind, values in content["innocent"].items()}
        return cls(Surges(content["ranks"], content["bounds"]), innocent)


def _innocent(probability: Values) -> Values:
    """Quantiles among the innocent of a population in which each is innocent with 1 − ``probability``."""
    levels = np.linspace(0, 1, QUANTILES + 1)
    return np.quantile(probability, levels, weights=1 - probability, method="inverted_cdf")
