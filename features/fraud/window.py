"""The ninety days before a date, as matrices: what every fraud feature of a creator reads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.fraud.series import excess
from features.schema import ACCOUNTS, ENGAGEMENTS, Tables

DAYS = 90
SPAN = pd.Timedelta(days=DAYS)
PROMOTED = 0.2  # of a day's views paid for openly: the day may be explained by that
FEWEST = 5  # engagements; a share of fewer is noise and stays unknown
Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Judge = Callable[[pd.DataFrame, pd.Timestamp], pd.Series]
"""(accounts, as_of) → for each row how many times as likely as usual it is to be fake: the level below."""


@dataclass(frozen=True)
class Window:
    """Known tables of the creators ``ids`` (n) in the 90 days up to ``as_of``. Matrices are (n, 90), oldest day first,
    NaN where a day is missing. Without a ``judge`` nothing is known of which accounts are fake."""

    tables: Tables
    ids: pd.Index
    as_of: pd.Timestamp
    judge: Judge | None = None

    @cached_property
    def dates(self) -> pd.DatetimeIndex:
        """The 90 days, the last complete one before ``as_of`` at the end."""
        return pd.date_range(end=self.as_of.floor("D") - pd.Timedelta(days=1), periods=DAYS)

    @cached_property
    def followers(self) -> Values:
        """Followers at the end of each day."""
        return self._matrix(c.FOLLOWERS_COUNT)

    @cached_property
    def gain(self) -> Values:
        """Followers won less followers lost each day; the first day of the window has none."""
        return self.held(np.diff(self.followers, axis=1, prepend=np.nan))

    @cached_property
    def all_views(self) -> Values:
        """Views gained each day, those paid for openly included."""
        return self._matrix(c.VIDEO_VIEWS)

    @cached_property
    def reach(self) -> Values:
        """All views gained each day that is held: whoever saw a video may like it or follow."""
        return self.held(self.all_views)

    @cached_property
    def views(self) -> Values:
        """Organic views gained each day."""
        return self.reach - np.nan_to_num(self.paid)

    @cached_property
    def paid(self) -> Values:
        """Paid views gained each day."""
        return self._matrix(c.PAID_VIDEO_VIEWS)

    @cached_property
    def likes(self) -> Values:
        """Likes gained each day."""
        return self.held(self._matrix(c.LIKES))

    @cached_property
    def comments(self) -> Values:
        """Comments gained each day."""
        return self.held(self._matrix(c.COMMENTS))

    @cached_property
    def shares(self) -> Values:
        """Shares gained each day."""
        return self.held(self._matrix(c.SHARES))

    def held(self, days: Values) -> Values:
        """The ``days`` of a series that count: all of them."""
        return days

    @cached_property
    def videos(self) -> pd.DataFrame:
        """Videos published in the window, with ``row`` of their creator and ``organic`` views."""
        videos = self.tables["videos"]
        videos = self._with_rows(videos[videos[c.CREATE_TIME] > self.as_of - SPAN])
        return videos.assign(organic=videos[c.VIDEO_VIEWS] - videos[c.PAID_VIDEO_VIEWS].fillna(0))

    @cached_property
    def everyone(self) -> pd.DataFrame:
        """Engagements in the window, with whomever, and the ``hour`` they fell in."""
        events = self.tables["engagements"][[*ENGAGEMENTS.names]]
        events = events[events[c.EVENT_TIME] > self.as_of - SPAN]
        return events.assign(hour=events[c.EVENT_TIME].dt.floor("h"))

    @cached_property
    def engagements(self) -> pd.DataFrame:
        """Those with ``ids``, with the ``row`` of their creator and the ``day``, the place of theirs in ``dates``
        (outside of it on the last, incomplete day), joined with the accounts behind them and the ``lift`` that the
        ``judge`` gives each."""
        theirs = self._with_rows(self.everyone)
        theirs = theirs.assign(day=self._days(theirs[c.EVENT_TIME]))
        accounts = self.tables["accounts"][[*ACCOUNTS.names]].drop_duplicates(c.ACCOUNT_ID, keep="last")
        accounts = accounts[accounts[c.ACCOUNT_ID].isin(theirs[c.ACCOUNT_ID])]
        lift = np.nan if self.judge is None else self.judge(accounts, self.as_of)
        return theirs.merge(accounts.assign(lift=lift), on=c.ACCOUNT_ID, how="left")

    def of_events(self, values: pd.Series, how: str) -> Values:
        """(n,) the aggregate ``how`` of ``values``, aligned with ``engagements``; NaN below FEWEST."""
        rows = self.engagements["row"]
        count = self.by_creator(values, "count", rows, absent=0.0)
        return np.where(count >= FEWEST, self.by_creator(values, how, rows), np.nan)

    def by_creator(self, values: pd.Series, how: str, rows: pd.Series, absent: float = np.nan) -> Values:
        """(n,) the aggregate ``how`` of ``values`` grouped by the creator rows; ``absent`` for creators without any."""
        if how == "mean":  # a grouped mean's last bit depends on who else is asked for
            known = values.notna().to_numpy()
            places, size = rows.to_numpy()[known], len(self.ids)
            sums = np.bincount(places, values[known].to_numpy(np.float64), size)
            counts = np.bincount(places, minlength=size)
            return np.divide(sums, counts, out=np.full(size, absent), where=counts > 0)
        grouped = values.groupby(rows.to_numpy()).agg(how)
        return grouped.reindex(range(len(self.ids)), fill_value=absent).to_numpy(np.float64)

    def _with_rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.assign(row=self.ids.get_indexer(frame[c.CREATOR_ID]))
        return frame[frame["row"] >= 0].reset_index(drop=True)

    def _days(self, times: pd.Series) -> Places:
        """The place in ``dates`` of each time, below 0 before them."""
        first = self.dates[0].to_datetime64().astype("datetime64[D]")
        return (times.to_numpy().astype("datetime64[D]") - first).astype(np.int64)

    def _matrix(self, column: str) -> Values:
        rows, row, day = self._daily
        matrix = np.full((len(self.ids), DAYS), np.nan)
        matrix[row, day] = self.tables["daily_stats"][column].to_numpy()[rows]
        return matrix

    @cached_property
    def _daily(self) -> tuple[Places, Places, Places]:
        """The places of the daily statistics of the window in their table, of their creator and in ``dates``."""
        daily = self.tables["daily_stats"]
        row, day = self.ids.get_indexer(daily[c.CREATOR_ID]), self._days(daily[c.DATE])
        rows = np.flatnonzero((row >= 0) & (day >= 0) & (day < DAYS))
        return rows, row[rows], day[rows]


class Judged(Window):
    """The window as a creator is judged by it: a day that open promotion explains is held neither against it nor for
    it."""

    def held(self, days: Values) -> Values:
        """The ``days`` of a series, NaN where they are :attr:`explained`."""
        return np.where(self.explained, np.nan, days)

    @cached_property
    def explained(self) -> npt.NDArray[np.bool_]:
        """(n, 90) whether a day's views were openly paid for by PROMOTED, and nothing of the day goes beyond twice what
        its views explain (of organic views: its likes). Who buys behind a promotion is seen all the same."""
        promoted = (self.paid > 0) & (self.paid >= PROMOTED * self.all_views)
        some = np.flatnonzero(promoted.any(axis=1))
        shown = Window(self.tables, self.ids[some], self.as_of)
        counts = (shown.gain, shown.likes, shown.comments, shown.shares)
        beyond = [excess(shown.views, shown.likes), *(excess(count, shown.reach) for count in counts)]
        promoted[some] &= ~np.any(np.nan_to_num(beyond) > 0, axis=0)
        return promoted
