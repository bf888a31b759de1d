"""How views, likes, comments and shares go together, day by day and video by video."""

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.series import correlation, level_shift, median, peak, share, total, unexplained, weekly_rates
from features.fraud.window import Values, Window

FEW_REACTIONS = 0.2  # of a creator's own median likes per view


def likes_per_view(window: Window) -> Values:
    """Likes per view."""
    return share(total(window.likes), total(window.reach))


def comments_per_view(window: Window) -> Values:
    """Comments per view."""
    return share(total(window.comments), total(window.reach))


def shares_per_view(window: Window) -> Values:
    """Shares per view."""
    return share(total(window.shares), total(window.reach))


def comments_per_like(window: Window) -> Values:
    """Comments per like."""
    return share(total(window.comments), total(window.likes))


def shares_per_like(window: Window) -> Values:
    """Shares per like."""
    return share(total(window.shares), total(window.likes))


def paid_share(window: Window) -> Values:
    """Share of all views that were paid for openly: an innocent explanation."""
    return share(total(window.paid), total(window.all_views))


def likes_peak(window: Window) -> Values:
    """The best week's likes per view over the median week's."""
    return _weekly_peak(window.likes, window.reach)


def comments_peak(window: Window) -> Values:
    """The best week's comments per view over the median week's."""
    return _weekly_peak(window.comments, window.reach)


def views_peak(window: Window) -> Values:
    """The best week's views per like over the median week's."""
    return _weekly_peak(window.views, window.likes)


def likes_unexplained(window: Window) -> Values:
    """Share of the likes beyond twice the creator's usual number for such a day's views."""
    return unexplained(window.likes, window.reach)


def comments_unexplained(window: Window) -> Values:
    """Share of the comments beyond twice the creator's usual number for such a day's views."""
    return unexplained(window.comments, window.reach)


def shares_unexplained(window: Window) -> Values:
    """Share of the shares beyond twice the creator's usual number for such a day's views."""
    return unexplained(window.shares, window.reach)


def views_unexplained(window: Window) -> Values:
    """Share of the organic views beyond twice the creator's usual number for such a day's likes."""
    return unexplained(window.views, window.likes)


def likes_shift(window: Window) -> Values:
    """Likes per view in a good week over a poor week: a pod lifts many weeks."""
    return level_shift(window.likes, window.reach)


def comments_shift(window: Window) -> Values:
    """Comments per view in a good week over a poor week: a pod lifts many weeks."""
    return level_shift(window.comments, window.reach)


def shares_shift(window: Window) -> Values:
    """Shares per view in a good week over a poor week: a pod lifts many weeks."""
    return level_shift(window.shares, window.reach)


def views_spike(window: Window) -> Values:
    """Robust z of the day with most organic views."""
    return peak(window.views)


def likes_view_correlation(window: Window) -> Values:
    """Whether likes come on the days on which views come."""
    return correlation(window.likes, window.reach)


def comments_view_correlation(window: Window) -> Values:
    """Whether comments come on the days on which views come."""
    return correlation(window.comments, window.reach)


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
    hollow = (rate < FEW_REACTIONS * usual).astype(float).where(rate.notna())
    return window.by_creator(hollow, "mean", videos["row"])


def _weekly_peak(part: Values, whole: Values) -> Values:
    rates = pd.DataFrame(weekly_rates(part, whole).T)
    return share(rates.max().to_numpy(np.float64), rates.median().to_numpy(np.float64))


FEATURES = (
    likes_per_view, comments_per_view, shares_per_view, comments_per_like, shares_per_like, paid_share, likes_peak,
    comments_peak, views_peak, likes_unexplained, comments_unexplained, shares_unexplained, views_unexplained,
    likes_shift, comments_shift, shares_shift, views_spike, likes_view_correlation, comments_view_correlation,
    views_per_follower, video_views_peak, completion_rate, hollow_videos,
)  # fmt: skip
