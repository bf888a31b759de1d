"""What matching knows of a creator as of a date: one small function a column, all from *known* tables
(features.asof)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.collaborations import READ, collaborations, workload
from features.money import latest_rates, to_usd
from features.schema import Tables

RECENT = pd.Timedelta(days=28)
FATIGUE = pd.Timedelta(days=30)
CHUNK = 1_000_000  # rows
PRIOR_JOBS = 4.0  # pseudo-invitations: two real jobs cannot make or break a rate
PRIOR_ACCEPTANCE, PRIOR_COMPLETION, PRIOR_RATING = 0.4, 0.8, 4.0


@dataclass(frozen=True)
class View:
    """The known tables at ``as_of`` and the creators asked for."""

    tables: Tables
    ids: pd.Index
    as_of: pd.Timestamp

    @cached_property
    def creators(self) -> pd.DataFrame:
        """The creators' rows in the order of ``ids``."""
        return (
            self.tables["creators"].drop_duplicates(c.CREATOR_ID, keep="last").set_index(c.CREATOR_ID).reindex(self.ids)
        )

    @cached_property
    def daily(self) -> pd.DataFrame:
        """The daily statistics, oldest first."""
        daily = self.tables["daily_stats"]
        return daily if daily[c.DATE].is_monotonic_increasing else daily.sort_values(c.DATE, kind="stable")

    @cached_property
    def days(self) -> npt.NDArray[np.int32]:
        """The place in ``ids`` of each row of :attr:`daily`, -1 for others' rows."""
        codes, distinct = pd.factorize(self.daily[c.CREATOR_ID])  # the longest table: each id is looked up once
        places: npt.NDArray[np.int32] = self.ids.get_indexer(distinct).astype(np.int32)[codes]
        return places

    def last_followers(self, until: pd.Timestamp) -> pd.Series:
        """The followers of each creator at the end of its last day not after ``until``."""
        last = np.full(len(self.ids), np.nan)
        end = self.daily[c.DATE].searchsorted(until, side="right")
        for start in range(0, end, CHUNK):  # of the longest table not even one column is copied whole
            part = slice(start, min(start + CHUNK, end))
            places, counts = self.days[part], self.daily[c.FOLLOWERS_COUNT].to_numpy()[part]
            known = (places >= 0) & ~np.isnan(counts)
            last[places[known]] = counts[known]  # the last of those with the same place stays
        return pd.Series(last, index=self.ids)

    @cached_property
    def recent(self) -> pd.DataFrame:
        """Sums of the daily statistics over the last 28 days, by creator."""
        late = self.daily.iloc[self.daily[c.DATE].searchsorted(self.as_of - RECENT, side="right") :]
        return late.groupby(c.CREATOR_ID)[[c.VIDEO_VIEWS, c.LIKES, c.COMMENTS, c.SHARES]].sum(min_count=1)

    @cached_property
    def collaborations(self) -> pd.DataFrame:
        """One row per collaboration of these creators."""
        events = self.tables["collaboration_events"]
        return collaborations(events.loc[events[c.CREATOR_ID].isin(self.ids), READ])

    def count(self, rows: "pd.Series[bool]") -> pd.Series:
        """How many of the collaborations selected by ``rows`` each creator has."""
        return self.collaborations.loc[rows, c.CREATOR_ID].value_counts().reindex(self.ids, fill_value=0).astype(float)


def followers_count(view: View) -> pd.Series:
    """The latest snapshot's count, else the last day's."""
    return view.creators[c.FOLLOWERS_COUNT].fillna(view.last_followers(view.as_of))


def median_views(view: View) -> pd.Series:
    """The snapshot's median views, else the median of the videos' organic views."""
    videos = view.tables["videos"]
    organic = videos[c.VIDEO_VIEWS] - videos[c.PAID_VIDEO_VIEWS].fillna(0)
    return view.creators[c.MEDIAN_VIEWS].fillna(organic.groupby(videos[c.CREATOR_ID]).median().reindex(view.ids))


def engagement_rate(view: View) -> pd.Series:
    """Likes, comments and shares per view: the snapshot's where its basis is views, else of the last 28 days."""
    stated = view.creators[c.ENGAGEMENT_RATE].where(view.creators[c.ENGAGEMENT_RATE_BASIS] != "FOLLOWERS")
    recent = view.recent.reindex(view.ids)
    shown = recent[c.VIDEO_VIEWS].where(recent[c.VIDEO_VIEWS] > 0)
    return stated.fillna(recent[[c.LIKES, c.COMMENTS, c.SHARES]].sum(axis=1, min_count=1) / shown)


def followers_growth(view: View) -> pd.Series:
    """Relative change of followers over the last 28 days."""
    past = view.last_followers(view.as_of - RECENT)
    return view.last_followers(view.as_of) / past.where(past > 0) - 1


def videos_count(view: View) -> pd.Series:
    """The snapshot's count of videos."""
    return view.creators[c.VIDEOS_COUNT]


def following_ratio(view: View) -> pd.Series:
    """Accounts followed per follower."""
    return view.creators[c.FOLLOWING_COUNT] / followers_count(view).clip(lower=1)


def price_usd(view: View) -> pd.Series:
    """The creator's default price in US dollars; null without an exchange rate by ``as_of``."""
    row = view.creators
    return to_usd(row[c.CREATOR_PRICE], row[c.CURRENCY], latest_rates(view.tables["exchange_rates"], view.as_of))


def acceptance_rate(view: View) -> pd.Series:
    """Share of answered invitations accepted, shrunk towards 0.4 by four pseudo-invitations."""
    done = view.collaborations
    accepted = view.count(done["accepted_at"].notna())
    declined = view.count(done["declined_at"].notna())
    return (accepted + PRIOR_JOBS * PRIOR_ACCEPTANCE) / (accepted + declined + PRIOR_JOBS)


def completion_rate(view: View) -> pd.Series:
    """Share of ended jobs completed and not failed, shrunk towards 0.8 by four pseudo-jobs."""
    done = view.collaborations
    failed = done["failed_at"].notna()
    good = view.count(done["completed_at"].notna() & ~failed)
    return (good + PRIOR_JOBS * PRIOR_COMPLETION) / (good + view.count(failed) + PRIOR_JOBS)


def mean_rating(view: View) -> pd.Series:
    """Mean rating by brands, shrunk towards 4 by four pseudo-ratings."""
    rated = view.collaborations.dropna(subset=[c.RATING]).groupby(c.CREATOR_ID)[c.RATING].agg(["sum", "count"])
    rated = rated.reindex(view.ids, fill_value=0)
    return (rated["sum"] + PRIOR_JOBS * PRIOR_RATING) / (rated["count"] + PRIOR_JOBS)


def jobs(view: View) -> pd.Series:
    """Collaborations accepted or completed so far."""
    return view.count(view.collaborations["accepted_at"].notna() | view.collaborations["completed_at"].notna())


def open_orders(view: View) -> pd.Series:
    """Orders accepted and not yet ended."""
    return workload(view.collaborations).reindex(view.ids, fill_value=0).astype(float)


def recent_invitations(view: View) -> pd.Series:
    """First contacts in the last 30 days (fatigue)."""
    return view.count(view.collaborations["first_event_at"] > view.as_of - FATIGUE)


FEATURES: tuple[Callable[[View], pd.Series], ...] = (
    followers_count, median_views, engagement_rate, followers_growth, videos_count, following_ratio, price_usd,
    acceptance_rate, completion_rate, mean_rating, jobs, open_orders, recent_invitations,
)  # fmt: skip


def creator_features(tables: Tables, ids: pd.Index, as_of: pd.Timestamp) -> pd.DataFrame:
    """(len(ids), len(FEATURES)) float64 indexed by creator_id. ``tables`` must be known at ``as_of``."""
    view = View(tables, ids, as_of)
    return pd.DataFrame({feature.__name__: feature(view).to_numpy(np.float64) for feature in FEATURES}, index=ids)
