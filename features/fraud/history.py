"""One creator's 90 days as a person looks at them: the days, the videos, who engaged, and which days stand out.

No model reads any of this; days stand out by the measures that the features are made of.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.series import deviation, excess, expected, median, total
from features.fraud.window import Values, Window
from features.graph.creators import Graph, recent
from features.graph.evidence import Group
from features.schema import Tables
from features.source import InMemory, Own, Rows

SPIKE = 6.0  # robust z of a day that stands out by itself; ordinary luck stays below
LEAST = 0.01  # of the 90 days' total; an excess below that moves no feature
FEWEST_VIDEOS = 3  # to say what is usual among them
Row = dict[str, Any]
VIDEO = ("row", c.VIDEO_ID, c.CREATE_TIME, c.COLLABORATION_ID, c.LIKES, "organic")
ACT = (
    "row", "hour", c.ACCOUNT_ID, c.EVENT_TIME, c.COMMENT_TEXT, c.CREATED_AT, c.COUNTRY_CODE, c.FOLLOWING_COUNT,
    c.VIDEOS_COUNT, c.HAS_AVATAR, c.BIO_LENGTH,
)  # fmt: skip


@dataclass(frozen=True)
class Groups:
    """The groups that act together in a ``graph`` of everyone's engagements, which is asked for when they are looked
    for, the first time, and then let go of."""

    graph: Callable[[], Graph]

    @property
    def together(self) -> Mapping[str, list[Group]]:
        """Creator → the groups of accounts that acted on it at the same times as on others."""
        return self._found[0]

    @property
    def rings(self) -> Mapping[str, list[Group]]:
        """Creator → the circles and pods it belongs to."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[Mapping[str, list[Group]], Mapping[str, list[Group]]]:
        graph = self.graph()
        return _by_creator([*graph.lockstep, *graph.dense]), _by_creator([*graph.circles, *graph.pods])


@dataclass(frozen=True)
class Dossier:
    """Where evidence comes from: ``rows`` as known at ``as_of``, and the ``groups`` in the engagements of the 90 days
    before. Nothing of it is read or computed before it is asked for."""

    rows: Rows
    as_of: pd.Timestamp
    groups: Groups

    @classmethod
    def of(cls, tables: Tables, as_of: pd.Timestamp) -> "Dossier":
        """From everyone's tables known at ``as_of``."""
        return cls(InMemory(tables), as_of, Groups(lambda: everyones_graph(tables["engagements"], as_of)))

    def histories(self, ids: Sequence[str] | pd.Index) -> "list[History]":
        """The history of each of ``ids``."""
        window = Window(Own(self.rows, ids), pd.Index(ids, name=c.CREATOR_ID), self.as_of)
        records = Records(window)
        return [History(self, records, row) for row in range(len(ids))]


def everyones_graph(engagements: pd.DataFrame, as_of: pd.Timestamp) -> Graph:
    """The graph as it is asked for groups alone, which are the same of whomever one speaks."""
    return Graph(recent(engagements, as_of), pd.Index([], name=c.CREATOR_ID))


@dataclass(frozen=True)
class Records:
    """The tables of a window as rows of each of its creators, made once for all of them."""

    window: Window

    @cached_property
    def acts(self) -> Mapping[int, list[Row]]:
        """Engagements with the accounts behind them, in the order of time."""
        return _by_row(self.window.engagements.sort_values([c.EVENT_TIME, c.ACCOUNT_ID])[[*ACT]].to_dict("records"))

    @cached_property
    def videos(self) -> Mapping[int, list[Row]]:
        """Videos that were published in the window, those with most organic views first."""
        return _by_row(
            self.window.videos.sort_values(["organic", c.VIDEO_ID], ascending=[False, True])[[*VIDEO]].to_dict(
                "records"
            )
        )

    @cached_property
    def usual_videos(self) -> Mapping[int, tuple[float, float]]:
        """The median video's organic views and likes per organic view, of at least FEWEST_VIDEOS."""
        return {row: _usual_video(videos) for row, videos in self.videos.items() if len(videos) >= FEWEST_VIDEOS}

    @cached_property
    def anomalies(self) -> Mapping[int, list[Row]]:
        """The days that stand out, see :func:`anomalies`."""
        return _by_row(anomalies(self.window))

    @cached_property
    def stated(self) -> Mapping[int, list[Row]]:
        """Countries of the stated audience, the largest share first."""
        audience = self.window.tables["audience"]
        rows = audience[audience[c.DIMENSION] == "country"].sort_values([c.SHARE, c.BUCKET], ascending=[False, True])
        rows = rows.assign(row=self.window.ids.get_indexer(rows[c.CREATOR_ID]))
        return _by_row(rows[["row", c.BUCKET, c.SHARE]].to_dict("records"))

    @cached_property
    def usual(self) -> Mapping[str, Values]:
        """Daily series → the median day of each creator."""
        return {name: median(getattr(self.window, name)) for name in ("reach", "gain", "likes")}


@dataclass(frozen=True)
class History:
    """The creator in ``row`` of a window."""

    dossier: Dossier
    records: Records
    row: int

    @property
    def window(self) -> Window:
        """The 90 days, of all creators who are looked at together."""
        return self.records.window

    @property
    def creator_id(self) -> str:
        """Whose history it is."""
        return str(self.window.ids[self.row])

    @property
    def acts(self) -> list[Row]:
        """Engagements of the 90 days with the accounts behind them, in the order of time."""
        return self.records.acts.get(self.row, [])

    @property
    def videos(self) -> list[Row]:
        """Videos published in the 90 days, those with most organic views first."""
        return self.records.videos.get(self.row, [])

    @property
    def anomalies(self) -> list[Row]:
        """The days that stand out, the largest excess first."""
        return self.records.anomalies.get(self.row, [])

    @property
    def stated(self) -> list[Row]:
        """Countries (``bucket``) and shares of the stated audience, the largest first."""
        return self.records.stated.get(self.row, [])

    def busy_hours(self) -> Mapping[tuple[str, pd.Timestamp], int]:
        """(account, hour) → how many creators an account behind the engagements acted on, where several."""
        accounts = {act[c.ACCOUNT_ID] for act in self.acts}
        events = recent(self.dossier.rows.where("engagements", c.ACCOUNT_ID, accounts), self.window.as_of)
        hours = zip(events[c.ACCOUNT_ID], events[c.EVENT_TIME].dt.floor("h"), strict=True)
        met: dict[tuple[str, pd.Timestamp], set[str]] = {}
        for hour, creator in zip(hours, events[c.CREATOR_ID], strict=True):
            met.setdefault(hour, set()).add(creator)
        return {hour: len(creators) for hour, creators in met.items() if len(creators) > 1}

    @property
    def usual_video(self) -> tuple[float, float]:
        """Median organic views, and median likes per organic view, of the videos of which these are known."""
        return self.records.usual_videos.get(self.row, (np.nan, np.nan))

    def of(self, name: str) -> Values:
        """(90,) a daily series of the window: gain, reach, paid, likes, …"""
        series: Values = getattr(self.window, name)[self.row]
        return series

    def times_usual(self, name: str, day: int) -> float:
        """A day of a series over its median day; NaN where that is not above 0."""
        usual = self.records.usual[name][self.row]
        return float(self.of(name)[day] / usual) if usual > 0 else np.nan


def anomalies(window: Window) -> list[Row]:
    """For each creator (``row``), ``date`` (place ``day``) and ``metric`` that stands out, the largest excess first.

    ``value`` is that day's, ``usual`` the median day's, ``expected`` what the creator's usual rate makes of that day's
    views (of views: of its likes), and ``excess`` what goes beyond twice that; 0 where a spike came with the views that
    explain it.
    """
    found = [row for metric in METRICS for row in _standing_out(window, metric)]
    return sorted(found, key=lambda one: (one["row"], -one["excess"], -one["value"]))


def _standing_out(window: Window, metric: str) -> list[Row]:
    part, whole, spikes = METRICS[metric](window)
    beyond = np.nan_to_num(excess(part, whole))
    counts = (beyond > 0) & (beyond >= LEAST * total(part)[:, None])
    row, day = np.nonzero(counts | (spikes & (np.nan_to_num(deviation(part)) >= SPIKE)))
    names = ("row", "day", "date", "value", "usual", "expected", "excess")
    numbers = (part[row, day], median(part)[row], expected(part, whole)[row, day], beyond[row, day])
    columns = (row.tolist(), day.tolist(), window.dates[day], *(values.tolist() for values in numbers))
    return [{"metric": metric} | dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _won(window: Window) -> Values:
    return np.clip(window.gain, 0, None)


# Metric → its days, the days of what explains it, and whether a high day stands out though it is explained.
METRICS: dict[str, Callable[[Window], tuple[Values, Values, bool]]] = {
    "followers": lambda window: (_won(window), window.reach, True),
    "views": lambda window: (window.views, window.likes, True),
    "likes": lambda window: (window.likes, window.reach, False),
    "comments": lambda window: (window.comments, window.reach, False),
    "shares": lambda window: (window.shares, window.reach, False),
}


def _usual_video(videos: Sequence[Row]) -> tuple[float, float]:
    rates = [video[c.LIKES] / video["organic"] for video in videos if video["organic"] > 0]
    return _middle([video["organic"] for video in videos]), _middle(rates)


def _middle(values: Sequence[float]) -> float:
    """The median of those that are known."""
    known = sorted(value for value in values if not np.isnan(value))
    return (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2 if known else np.nan


def _by_row(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["row"], []).append(row)
    return found


def _by_creator(groups: Sequence[Group]) -> dict[str, list[Group]]:
    found: dict[str, list[Group]] = {}
    for group in groups:
        for creator in group.creators:
            found.setdefault(creator, []).append(group)
    return found
