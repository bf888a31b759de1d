"""What a person who checks a score wants beside it; no model reads it."""

import numpy as np

from features.fraud.series import best_day, share
from features.fraud.window import DAYS, Values, Window


def days_known(window: Window) -> Values:
    """How many of the 90 days have statistics."""
    return (~np.isnan(window.all_views)).sum(axis=1).astype(np.float64)


def engagements_known(window: Window) -> Values:
    """How many engagements are known."""
    rows = window.engagements["row"]
    return window.by_creator(rows, "count", rows, absent=0.0)


def gain_peak_age(window: Window) -> Values:
    """Days from the best day's followers to ``as_of``; yesterday is 1."""
    return DAYS - best_day(window.gain)


def likes_peak_age(window: Window) -> Values:
    """Days since the day with most likes per view."""
    return DAYS - best_day(share(window.likes, window.reach))


def views_peak_age(window: Window) -> Values:
    """Days since the day with most organic views."""
    return DAYS - best_day(window.views)


COLUMNS = (days_known, engagements_known, gain_peak_age, likes_peak_age, views_peak_age)
