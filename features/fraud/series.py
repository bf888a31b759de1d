"""Measures of daily series: matrices (n, days), a creator a row, NaN where a day is unknown; answers are (n,)."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[np.float64]
WEEK = 7
FEWEST_DAYS = 14
SMOOTH = 10.0  # events at the usual rate, added so that small numbers do not make peaks
NOISIEST = 0.2  # share of the variance that is not noise
FAR = 2.0  # times the usual rate; ordinary days stay below


def share(part: Values, whole: Values) -> Values:
    """``part`` / ``whole`` where ``whole`` is positive, else NaN."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def total(matrix: Values) -> Values:
    """Sums over known days; NaN where no day is known."""
    return np.where(np.isnan(matrix).all(axis=1), np.nan, np.nansum(matrix, axis=1))


def median(matrix: Values) -> Values:
    """Medians over known days."""
    low, high = _around(matrix, 0.5)[:2]
    return (low + high) / 2


def quantile(matrix: Values, q: float) -> Values:
    """Quantiles over known days, interpolated linearly; numpy's and pandas' own go row by row in Python."""
    low, high, part = _around(matrix, q)
    return low + part * (high - low)


def _around(matrix: Values, q: float) -> tuple[Values, Values, Values]:
    """The known days below and above each quantile, and how far between them it lies."""
    ordered = np.sort(matrix, axis=1)
    place = q * np.maximum((~np.isnan(matrix)).sum(axis=1) - 1, 0)
    below, above, rows = np.floor(place).astype(int), np.ceil(place).astype(int), np.arange(len(matrix))
    return ordered[rows, below], ordered[rows, above], place - below


def deviation(matrix: Values) -> Values:
    """(n, days) robust z: (value − median) / (1.4826 MAD + 1), 0 MAD being no excuse for infinity."""
    distance = matrix - median(matrix)[:, None]
    return distance / (1.4826 * median(np.abs(distance)) + 1)[:, None]


def peak(matrix: Values) -> Values:
    """Robust z of the largest day."""
    return np.asarray(np.fmax.reduce(deviation(matrix), axis=1))


def best_day(matrix: Values) -> Values:
    """Position of the largest day, from 0; NaN where no day is known."""
    best = np.argmax(np.nan_to_num(matrix, nan=-np.inf), axis=1).astype(np.float64)
    return np.where(np.isnan(matrix).all(axis=1), np.nan, best)


def correlation(left: Values, right: Values) -> Values:
    """Pearson correlation of two series of counts over days known in both, freed from counting noise (Spearman, 1904).

    A count varies by its own mean even where nothing happens, which hides the correlation of small creators. NaN with
    fewer than 14 days or where that noise is most of the variance; clipped to [-1, 1].
    """
    both = ~np.isnan(left) & ~np.isnan(right)
    x, y = (pd.DataFrame(np.where(both, matrix, np.nan).T) for matrix in (left, right))
    covariance = ((x - x.mean()) * (y - y.mean())).sum(min_count=FEWEST_DAYS) / (both.sum(axis=1) - 1)
    r = covariance / np.sqrt(_signal(x) * _signal(y))
    return r.clip(-1, 1).to_numpy(np.float64)


def expected(part: Values, whole: Values) -> Values:
    """(n, days) what the creator's usual rate makes of each day's ``whole``."""
    return median(share(part, whole))[:, None] * whole


def excess(part: Values, whole: Values) -> Values:
    """(n, days) ``part`` beyond FAR times the :func:`expected`, and a little more where numbers are small."""
    return np.clip(part - FAR * expected(part, whole) - _slack(median(share(part, whole))[:, None]), 0, None)


def unexplained(part: Values, whole: Values) -> Values:
    """Share of ``part`` that is :func:`excess`."""
    return share(total(excess(part, whole)), total(part))


def weekly_rates(part: Values, whole: Values) -> Values:
    """(n, 12) ``part`` per ``whole`` of each complete week, drawn towards the rate of all days by SMOOTH events."""
    weeks = part.shape[1] // WEEK
    parts, wholes = (matrix[:, -weeks * WEEK :].reshape(-1, weeks, WEEK) for matrix in (part, whole))
    rate = share(total(part), total(whole))[:, None]
    slack = _slack(rate)
    rates = share(np.nansum(parts, axis=2) + slack, np.nansum(wholes, axis=2) + share(slack, rate))
    return np.where((np.isnan(parts) | np.isnan(wholes)).all(axis=2), np.nan, rates)


def level_shift(part: Values, whole: Values) -> Values:
    """80 % over 20 % quantile of the weekly rates."""
    rates = weekly_rates(part, whole)
    return share(quantile(rates, 0.8), quantile(rates, 0.2))


def _slack(rate: Values) -> Values:
    """SMOOTH events of the rarer of the two counts, expressed in the first."""
    return SMOOTH * np.maximum(rate, 1)


def _signal(counts: pd.DataFrame) -> pd.Series:
    """Variance of each column beyond that of counting; NaN where less than NOISIEST of it is left."""
    variance = counts.var()
    signal = variance - counts.abs().mean()
    return signal.where(signal > NOISIEST * variance)
