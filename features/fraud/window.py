"""The ninety days before a date, as matrices: what every fraud feature of a creator reads."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.schema import Tables

DAYS = 90
WEEK = 7
SPAN = pd.Timedelta(days=DAYS)
Values = npt.NDArray[np.float64]
SMOOTH = 10.0  # events at the usual rate, added so that small numbers do not make peaks
FAR = 2.0  # times the usual rate; ordinary days stay below


@dataclass(frozen=True)
class Window:
    """Known tables of the creators ``ids`` (n) in the 90 days up to ``as_of``. Matrices are (n, 90), oldest day first, NaN
    where a day is missing."""

    tables: Tables
    ids: pd.Index
    as_of: pd.Timestamp

    @cached_property
    def followers(self) -> Values:
        """Followers at the end of each day."""
        return self._matrix(c.FOLLOWERS_COUNT)

    @cached_property
    def gain(self) -> Values:
        """Followers won less followers lost each day; the first day of the window has none."""
        return np.diff(self.followers, axis=1, prepend=np.nan)

    @cached_property
    def views(self) -> Values:
        """Organic views gained each day."""
        return self._matrix(c.VIDEO_VIEWS) - np.nan_to_num(self._matrix(c.PAID_VIDEO_VIEWS))

    @cached_property
    def paid(self) -> Values:
        """Paid views gained each day."""
        return self._matrix(c.PAID_VIDEO_VIEWS)

    @cached_property
    def likes(self) -> Values:
        """Likes gained each day."""
        return self._matrix(c.LIKES)

    @cached_property
    def comments(self) -> Values:
        """Comments gained each day."""
        return self._matrix(c.COMMENTS)

    @cached_property
    def shares(self) -> Values:
        """Shares gained each day."""
        return self._matrix(c.SHARES)

    @cached_property
    def creators(self) -> pd.DataFrame:
        """The creators' rows in the order of ``ids``."""
        return (
            self.tables["creators"].drop_duplicates(c.CREATOR_ID, keep="last").set_index(c.CREATOR_ID).reindex(self.ids)
        )

    @cached_property
    def videos(self) -> pd.DataFrame:
        """Videos published in the window, with ``row`` of their creator and ``organic`` views."""
        videos = self._rows("videos", c.CREATE_TIME)
        return videos.assign(organic=videos[c.VIDEO_VIEWS] - videos[c.PAID_VIDEO_VIEWS].fillna(0))

    @cached_property
    def engagements(self) -> pd.DataFrame:
        """Engagements in the window with ``row`` of their creator, joined with the accounts behind them."""
        accounts = self.tables["accounts"].drop_duplicates(c.ACCOUNT_ID, keep="last")
        return self._rows("engagements", c.EVENT_TIME).merge(
            accounts, on=c.ACCOUNT_ID, how="left", suffixes=("", "_account")
        )

    def by_creator(self, values: pd.Series, how: str, rows: pd.Series) -> Values:
        """(n,) the aggregate ``how`` of ``values`` grouped by the creator rows; NaN for creators without any."""
        grouped = values.groupby(rows.to_numpy()).agg(how)
        return grouped.reindex(range(len(self.ids))).to_numpy(np.float64)

    def _rows(self, table: str, time: str) -> pd.DataFrame:
        frame = self.tables[table]
        frame = frame[(frame[time] > self.as_of - SPAN) & frame[c.CREATOR_ID].isin(self.ids)]
        return frame.assign(row=self.ids.get_indexer(frame[c.CREATOR_ID])).reset_index(drop=True)

    def _matrix(self, column: str) -> Values:
        daily = self._daily
        matrix = np.full((len(self.ids), DAYS), np.nan)
        matrix[daily["row"], daily["day"]] = daily[column]
        return matrix

    @cached_property
    def _daily(self) -> pd.DataFrame:
        """Daily statistics with ``row`` and ``day``; the last complete day before ``as_of`` is day 89."""
        last = self.as_of.floor("D") - pd.Timedelta(days=1)
        daily = self.tables["daily_stats"]
        day = DAYS - 1 - (last - daily[c.DATE].dt.floor("D")).dt.days
        daily = daily.assign(row=self.ids.get_indexer(daily[c.CREATOR_ID]), day=day)
        return daily[(daily["row"] >= 0) & (daily["day"] >= 0) & (daily["day"] < DAYS)]


def days_known(window: Window) -> Values:
    """How many of the 90 days have statistics."""
    return (~np.isnan(window.views)).sum(axis=1).astype(np.float64)


def share(part: Values, whole: Values) -> Values:
    """``part`` / ``whole`` where ``whole`` is positive, else NaN."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def total(matrix: Values) -> Values:
    """(n,) sums over known days; NaN where no day is known."""
    return np.where(np.isnan(matrix).all(axis=1), np.nan, np.nansum(matrix, axis=1))


def median(matrix: Values) -> Values:
    """(n,) medians over known days."""
    return pd.DataFrame(matrix.T).median().to_numpy(np.float64)


def peak(matrix: Values) -> Values:
    """(n,) robust z of the largest day: (max − median) / (1.4826 MAD + 1), 0 MAD being no excuse for infinity."""
    middle = median(matrix)
    spread = median(np.abs(matrix - middle[:, None]))
    return (pd.DataFrame(matrix.T).max().to_numpy(np.float64) - middle) / (1.4826 * spread + 1)


def correlation(left: Values, right: Values) -> Values:
    """(n,) Pearson correlation over days known in both; NaN with fewer than 14 of them or no variation."""
    return pd.DataFrame(left.T).corrwith(pd.DataFrame(right.T), drop=False).where(
        (~np.isnan(left) & ~np.isnan(right)).sum(axis=1) >= 14
    ).to_numpy(np.float64)  # fmt: skip


def usual_rate(part: Values, whole: Values) -> Values:
    """(n, 1) the median day's ``part`` per ``whole``."""
    return median(share(part, whole))[:, None]


def unexplained(part: Values, whole: Values) -> Values:
    """(n,) share of ``part`` that exceeds FAR times what the creator's usual rate makes of that day's ``whole``."""
    excess = np.clip(part - FAR * usual_rate(part, whole) * whole - SMOOTH, 0, None)
    return share(total(excess), total(part))


def weekly_rates(part: Values, whole: Values) -> Values:
    """(n, 12) ``part`` per ``whole`` of each complete week, drawn towards the rate of all days by SMOOTH events."""
    weeks = part.shape[1] // WEEK
    parts, wholes = (matrix[:, -weeks * WEEK :].reshape(-1, weeks, WEEK) for matrix in (part, whole))
    rate = share(total(part), total(whole))[:, None]
    known = ~(np.isnan(parts) | np.isnan(wholes)).all(axis=2)
    rates = share(np.nansum(parts, axis=2) + SMOOTH, np.nansum(wholes, axis=2) + share(np.full_like(rate, SMOOTH), rate))
    return np.where(known, rates, np.nan)


def level_shift(part: Values, whole: Values) -> Values:
    """(n,) 80 % over 20 % quantile of the weekly rates."""
    rates = pd.DataFrame(weekly_rates(part, whole).T)
    return share(rates.quantile(0.8).to_numpy(np.float64), rates.quantile(0.2).to_numpy(np.float64))
