"""Ranking and probability metrics that read like their definitions."""

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


class Bin(TypedDict):
    """Predictions of about equal probability: their mean, the share that came true, how many they are."""

    probability: float
    rate: float
    size: int


class Interval(TypedDict):
    """A mean, or another statistic of a sample, with its bootstrap interval."""

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


def precision_of_list(hits: Flags, relevant: int, k: int) -> float:
    """AP@k = Σ precision@i over the hits i among the first ``k`` places / min(``relevant``, k) (Manning, Raghavan and
    Schütze, 2008, 8.4); its mean over briefs is MAP. 0 where nothing is relevant.

    ``hits`` (m,) says of each place whether a relevant one stands there, ``relevant`` how many there are to find.
    """
    top = hits[:k]
    reached = (np.cumsum(top) / np.arange(1, len(top) + 1))[top].sum()
    return float(reached / min(relevant, k)) if relevant else 0.0


def reciprocal_rank(hits: Flags, k: int) -> float:
    """1 / place of the first hit among the first ``k``, else 0 (Voorhees, 1999); its mean over briefs is MRR."""
    places = np.flatnonzero(hits[:k])
    return float(1 / (places[0] + 1)) if len(places) else 0.0


def average_precision(scores: Values, labels: Values) -> float:
    """Area under precision–recall as Σ precision at each positive / positives, ties broken pessimistically."""
    order = np.lexsort((labels, -scores))
    hits = labels[order] > 0
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].sum() / max(hits.sum(), 1))


def brier(probabilities: Values, labels: Values) -> float:
    """Mean squared error of probabilities (Brier, 1950)."""
    return float(((probabilities - labels) ** 2).mean())


def log_loss(probabilities: Values, labels: Values) -> float:
    """−mean(y ln p + (1 − y) ln(1 − p)) (Good, 1952); p is kept 1e-15 away from 0 and 1, as scikit-learn does."""
    sure = np.clip(probabilities, 1e-15, 1 - 1e-15)
    return float(-(labels * np.log(sure) + (1 - labels) * np.log(1 - sure)).mean())


def reliability(probabilities: Values, labels: Values, bins: int = 10) -> list[Bin]:
    """Mean probability against mean label over ``bins`` bins of equal size, by rising probability (Murphy and Winkler,
    1977; equal sizes after Nguyen and O'Connor, 2015). Fewer bins where there are fewer values."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [Bin(probability=float(probabilities[p].mean()), rate=float(labels[p].mean()), size=len(p)) for p in parts]


def expected_calibration_error(probabilities: Values, labels: Values, bins: int = 10) -> float:
    """Σ share of bin × |mean probability − mean label| over bins of equal size (Naeini et al., 2015)."""
    found = reliability(probabilities, labels, bins)
    return sum(one["size"] * abs(one["probability"] - one["rate"]) for one in found) / len(labels)


def calibration_error_by_chance(probabilities: Values, rng: np.random.Generator, draws: int = 200) -> float:
    """The mean ECE of labels drawn from the very ``probabilities``: with few rows even the truth seems to be off."""
    drawn = [rng.random(len(probabilities)) < probabilities for _ in range(draws)]
    return float(np.mean([expected_calibration_error(probabilities, labels.astype(np.float64)) for labels in drawn]))


def gini(exposure: Values) -> float:
    """Σ (2i − n − 1) x_i / (n Σ x) over rising x_i, i = 1 … n (Gini, 1912; Sen, 1973): 0 when all get the same, near 1
    when one gets everything; 0 when nobody gets anything."""
    rising, n = np.sort(exposure), len(exposure)
    total = rising.sum()
    return float(((2 * np.arange(1, n + 1) - n - 1) * rising).sum() / (n * total)) if total > 0 else 0.0


def coverage(exposure: Values) -> float:
    """Share of the catalogue with any exposure: that some list shows (Ge, Delgado-Battenfeld and Jannach, 2010)."""
    return float((exposure > 0).mean()) if len(exposure) else 0.0


def bootstrap(values: Sequence[float], rng: np.random.Generator, draws: int = 1000, level: float = 0.95) -> Interval:
    """Mean and percentile interval over resampled units (briefs, creators, …) (Efron, 1979)."""
    sample = np.asarray(values, dtype=np.float64)
    means = sample[rng.integers(0, len(sample), (draws, len(sample)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean=float(sample.mean()), low=float(low), high=float(high))


def wilson(hits: Values, rows: Values, z: float = 1.96) -> tuple[Values, Values]:
    """The score interval of a share ``hits`` / ``rows`` (Wilson, 1927), at 95 % by default: it stays within [0, 1] and
    has a width also where the share is 0 or 1."""
    share, spread = hits / rows, z**2 / rows
    middle, half = share + spread / 2, z * np.sqrt(share * (1 - share) / rows + spread / (4 * rows))
    return np.clip((middle - half) / (1 + spread), 0, 1), np.clip((middle + half) / (1 + spread), 0, 1)


def binary_metrics(probabilities: Values, labels: Values) -> dict[str, float]:
    """Discrimination and calibration of probabilities for ``labels`` of both kinds."""
    return {
        "auroc": float(roc_auc_score(labels, probabilities)),
        "pr_auc": average_precision(probabilities, labels),
        "log_loss": log_loss(probabilities, labels),
        "mean_score": float(probabilities.mean()),
        "true_rate": float(labels.mean()),
        "ece": expected_calibration_error(probabilities, labels),
        "rows": float(len(labels)),
    }


def bootstrap_of(
    statistic: Callable[[Rows], float],
    units: npt.NDArray[np.generic],
    rng: np.random.Generator,
    draws: int = 1000,
    level: float = 0.95,
) -> Interval:
    """``statistic`` of all rows with its percentile interval over resampled ``units`` (r,), each taken with all its
    rows (Davison and Hinkley, 1997, 3.8). It is called with the indices of the rows, and left out where it is NaN."""
    _, unit = np.unique(units, return_inverse=True)
    members = np.split(np.argsort(unit, kind="stable"), np.cumsum(np.bincount(unit))[:-1])
    picks = rng.integers(0, len(members), (draws, len(members)))
    found = [statistic(np.concatenate([members[i] for i in pick])) for pick in picks]
    low, high = np.nanquantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean=float(statistic(np.arange(len(unit)))), low=float(low), high=float(high))
