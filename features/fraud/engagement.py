"""How views, likes, comments and shares go together, day by day and video by video."""

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.window import Values, Window, correlation, median, peak, share, total

WEEK = 7
FEW_REACTIONS = 0.2  # of a creator's own median likes per view


def likes_per_view(window: Window) -> Values:
    """Likes per organic view."""
    return share(total(window.likes), total(window.views))


def comments_per_view(window: Window) -> Values:
    """Comments per organic view."""
    return share(total(window.comments), total(window.views))


def shares_per_view(window: Window) -> Values:
    """Shares per organic view."""
    return share(total(window.shares), total(window.views))


def comments_per_like(window: Window) -> Values:
    """Comments per like."""
    return share(total(window.comments), total(window.likes))


def shares_per_like(window: Window) -> Values:
    """Shares per like."""
    return share(total(window.shares), total(window.likes))


def paid_share(window: Window) -> Values:
    """Share of all views that were paid for openly: an innocent explanation."""
    paid = total(window.paid)
    return share(paid, paid + total(window.views))


def likes_peak(window: Window) -> Values:
    """The best week's likes per view over the median week's."""
    return _weekly_peak(window.likes, window.views)


def comments_peak(window: Window) -> Values:
    """The best week's comments per view over the median week's."""
    return _weekly_peak(window.comments, window.views)


def views_peak(window: Window) -> Values:
    """The best week's views per like over the median week's."""
    return _weekly_peak(window.views, window.likes)


def views_spike(window: Window) -> Values:
    """Robust z of the day with most organic views."""
    return peak(window.views)


def likes_view_correlation(window: Window) -> Values:
    """Whether likes come on the days on which views come."""
    return correlation(window.likes, window.views)


def comments_view_correlation(window: Window) -> Values:
    """Whether comments come on the days on which views come."""
    return correlation(window.comments, window.views)


def views_per_follower(window: Window) -> Values:
    """Median organic views a day per follower."""
    return share(median(window.views), median(window.followers))


def video_views_peak(window: Window) -> Values:
    """Organic views of the best video over the median video's."""
    best, middle = (window.by_creator(window.videos["organic"], how, window.videos["row"]) for how in ("max", "median"))
    return share(best, middle)


def completion_rate(window: Window) -> Values:
    """Median share of a video that is watched."""
    return window.by_creator(window.videos[c.VIDEO_COMPLETION_RATE], "median", window.videos["row"])


def hollow_videos(window: Window) -> Values:
    """Share of videos with less than a fifth of the creator's median likes per view."""
    videos = window.videos
    rate = videos[c.LIKES] / videos["organic"].where(videos["organic"] > 0)
    usual = rate.groupby(videos["row"]).transform("median")
    return window.by_creator((rate < FEW_REACTIONS * usual).astype(float), "mean", videos["row"])


def _weekly_peak(part: Values, whole: Values) -> Values:
    starts = range(part.shape[1] % WEEK, part.shape[1], WEEK)
    rates = [share(total(part[:, i : i + WEEK]), total(whole[:, i : i + WEEK])) for i in starts]
    frame = pd.DataFrame(np.stack(rates))
    return share(frame.max().to_numpy(np.float64), frame.median().to_numpy(np.float64))


FEATURES = (
    likes_per_view, comments_per_view, shares_per_view, comments_per_like, shares_per_like, paid_share, likes_peak,
    comments_peak, views_peak, views_spike, likes_view_correlation, comments_view_correlation, views_per_follower,
    video_views_peak, completion_rate, hollow_videos,
)  # fmt: skip
