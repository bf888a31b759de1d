"""Ranking and probability metrics that read like their definitions."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


class Interval(TypedDict):
    """A mean with its bootstrap interval."""

    mean: float
    low: float
    high: float


def dcg(gains: Values, k: int) -> float:
    """Σ gain_i / log2(i + 1) over the first ``k`` places (Järvelin and Kekäläinen, 2002)."""
    top = gains[:k]
    return float((top / np.log2(np.arange(2, len(top) + 2))).sum())


def ndcg(ranked_gains: Values, all_gains: Values, k: int) -> float:
    """DCG@k over that of the best order of ``all_gains``; 0 where nothing can be gained or nothing was ranked."""
    best = dcg(np.sort(all_gains)[::-1], k)
    return dcg(ranked_gains, k) / best if best > 0 else 0.0


def recall(ranked: Sequence[str], relevant: set[str], k: int) -> float:
    """Share of the ``relevant`` among the first ``k`` ranked; 0 where nothing is relevant."""
    return len(relevant.intersection(ranked[:k])) / len(relevant) if relevant else 0.0


def average_precision(scores: Values, labels: Values) -> float:
    """Area under precision–recall as Σ precision at each positive / positives, ties broken pessimistically."""
    order = np.lexsort((labels, -scores))
    hits = labels[order] > 0
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].sum() / max(hits.sum(), 1))


def brier(probabilities: Values, labels: Values) -> float:
    """Mean squared error of probabilities (Brier, 1950)."""
    return float(((probabilities - labels) ** 2).mean())


def expected_calibration_error(probabilities: Values, labels: Values, bins: int = 10) -> float:
    """Σ share of bin × |mean probability − mean label| over bins of equal size (Naeini et al., 2015)."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(len(p) * abs(probabilities[p].mean() - labels[p].mean()) for p in parts) / len(order))


def bootstrap(values: Sequence[float], rng: np.random.Generator, draws: int = 1000, level: float = 0.95) -> Interval:
    """Mean and percentile interval over resampled units (briefs, creators, …) (Efron, 1979)."""
    sample = np.asarray(values, dtype=np.float64)
    means = sample[rng.integers(0, len(sample), (draws, len(sample)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean=float(sample.mean()), low=float(low), high=float(high))
