"""Probabilities for a population with another share of fakes, as long as nothing else about it differs.

Under label shift each class looks as it did in training and only the share of fakes changes. Then Bayes' rule moves a
probability to another base rate, and that rate can be estimated from the probabilities alone (Saerens, Latinne and
Decaestecker, 2002). Whether it *is* label shift can be tested: every column must then be distributed like some mixture
of the two classes of training. Where one is not, no base rate makes the probabilities right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2

Values = npt.NDArray[np.float64]
BINS = 8
FEWEST = 100  # rows to estimate a base rate from, and to test
EXPECTED = 5.0  # in a bin; the rule of thumb for χ²
LEVEL = 0.01  # of the whole test: so often it refuses a population that did shift in nothing but labels
EDGE = 1e-6
STEPS = 10_000
SCORE = "fake_probability"


@dataclass(frozen=True)
class Column:
    """How a column was distributed in training: ``edges`` (b - 1,) between its bins, and ``counts`` (2, b + 1) of the
    genuine and of the fake in them, those of whom it was not known last."""

    edges: Values
    counts: Values

    @classmethod
    def of(cls, values: Values, labels: Values) -> "Column":
        """Bins of about equal size over all rows."""
        seen = values[~np.isnan(values)]
        edges = np.unique(np.quantile(seen, np.linspace(0, 1, BINS + 1)[1:-1])) if len(seen) else np.zeros(0)
        return cls(edges, np.stack([_histogram(values[labels == label], edges) for label in (0, 1)]))

    def p_value(self, values: Values, base_rate: float) -> float:
        """Of Pearson's χ² test that ``values`` come from the mixture with that share of fakes.

        The variance is that of both samples, as the mixture is known from a finite one only, and 1 at least, so that
        what training never saw is as unlikely as it is frequent.
        """
        shares = np.array([1 - base_rate, base_rate])[:, None]
        totals = self.counts.sum(axis=1, keepdims=True)
        seen, rows = _histogram(values, self.edges), len(values)
        expected = rows * (shares * self.counts / totals).sum(axis=0)
        variance = expected + rows**2 * (shares**2 * self.counts / totals**2).sum(axis=0)
        seen, expected, variance = (_pooled(one, expected) for one in (seen, expected, variance))
        return float(chi2.sf(((seen - expected) ** 2 / np.maximum(variance, 1)).sum(), len(seen) - 1))


@dataclass(frozen=True)
class Verdict:
    """What may be said of a population: the ``estimated`` share of fakes (None: it cannot be), the columns that no
    share explains with their p-values, and a ``statement`` for people."""

    estimated: float | None
    shifted: dict[str, float]
    statement: str


@dataclass(frozen=True)
class LabelShift:
    """The population of training: its share of fakes and its columns, the score among them as :data:`SCORE`."""

    base_rate: float
    columns: dict[str, Column]

    @classmethod
    def of(cls, features: pd.DataFrame, probabilities: Values, labels: Values) -> "LabelShift":
        """From the training rows and what models that had not seen them said of them."""
        frame = features.assign(**{SCORE: probabilities})
        columns = {name: Column.of(frame[name].to_numpy(np.float64), labels) for name in frame}
        return cls(float(labels.mean()), columns)

    def at(self, probabilities: Values, base_rate: float) -> Values:
        """The probabilities where that share is fake: the prior's odds exchanged by Bayes' rule."""
        fake = probabilities * base_rate / self.base_rate
        genuine = (1 - probabilities) * (1 - base_rate) / (1 - self.base_rate)
        return np.asarray(fake / (fake + genuine))

    def estimate(self, probabilities: Values) -> float:
        """The share of fakes by expectation maximisation: the one that the corrected probabilities average to (Saerens
        et al., 2002, equation 2.6)."""
        base_rate = self.base_rate
        for _ in range(STEPS):
            found = float(np.clip(self.at(probabilities, base_rate).mean(), EDGE, 1 - EDGE))
            if abs(found - base_rate) < EDGE / 10:
                break
            base_rate = found
        return base_rate

    def verdict(self, features: pd.DataFrame, probabilities: Values) -> Verdict:
        """Whether another share of fakes explains these rows; Bonferroni over the columns keeps the test at LEVEL."""
        if len(features) < FEWEST:
            said = f"{len(features)} accounts are too few to tell whether only the share of fakes differs ({FEWEST} do)"
            return Verdict(None, {}, said)
        base_rate = self.estimate(probabilities)
        frame = features.assign(**{SCORE: probabilities})
        found = {name: column.p_value(frame[name].to_numpy(), base_rate) for name, column in self.columns.items()}
        shifted = {name: p for name, p in found.items() if p < LEVEL / len(found)}
        if not shifted:
            return Verdict(base_rate, {}, "only the share of fakes seems to differ from the training data")
        worst = ", ".join(sorted(shifted, key=lambda name: shifted[name])[:4])
        said = f"these accounts differ from the training data in more than the share of fakes ({worst})"
        return Verdict(None, shifted, f"{said}; label some of them and train on those")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        columns = {
            name: {"edges": column.edges.tolist(), "counts": column.counts.tolist()}
            for name, column in self.columns.items()
        }
        return {"base_rate": self.base_rate, "columns": columns}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "LabelShift":
        """What :meth:`to_json` gave."""
        columns = {
            name: Column(np.array(one["edges"], np.float64), np.array(one["counts"], np.float64))
            for name, one in content["columns"].items()
        }
        return cls(content["base_rate"], columns)


def _histogram(values: Values, edges: Values) -> Values:
    """(len(edges) + 2,) how many lie in each bin; unknown ones last."""
    places = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
    return np.bincount(places, minlength=len(edges) + 2).astype(np.float64)


def _pooled(values: Values, expected: Values) -> Values:
    """``values`` with the bins of least ``expected`` added up until EXPECTED are expected in each; two bins stay."""
    order = np.argsort(expected, kind="stable")
    small = max(int((np.cumsum(expected[order]) < EXPECTED).sum()) + 1, int((expected < EXPECTED).sum()))
    small = min(small, len(values) - 1)
    return np.append(values[order[small:]], values[order[:small]].sum())
