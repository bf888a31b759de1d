"""How followers came: at once, drop by drop, or with the views that earn them."""

import numpy as np
import pandas as pd

from features.fraud.series import best_day, correlation, level_shift, median, peak, share, total, unexplained
from features.fraud.window import Values, Window

BEST_DAYS = 3
RECENT = 28


def follower_spike(window: Window) -> Values:
    """Robust z of the best day's gain."""
    return peak(window.gain)


def spike_share(window: Window) -> Values:
    """Share of the followers won in 90 days that came on the best three days."""
    won = np.clip(np.nan_to_num(window.gain), 0, None)
    return share(np.sort(won, axis=1)[:, -BEST_DAYS:].sum(axis=1), won.sum(axis=1))


def spike_views(window: Window) -> Values:
    """Views of the best day over the median day's: an earned spike has an audience."""
    best = best_day(window.gain)
    views = window.reach[np.arange(len(window.ids)), np.nan_to_num(best).astype(int)]
    return share(np.where(np.isnan(best), np.nan, views), median(window.reach))


def gain_per_view(window: Window) -> Values:
    """Followers won per thousand views."""
    return share(1000 * total(np.clip(window.gain, 0, None)), total(window.reach))


def gain_view_correlation(window: Window) -> Values:
    """Whether followers come on the days on which views come."""
    return correlation(window.gain, window.reach)


def gain_unexplained(window: Window) -> Values:
    """Share of the followers won on days on which their number, per view, was far above the creator's usual."""
    return unexplained(np.clip(window.gain, 0, None), window.reach)


def gain_shift(window: Window) -> Values:
    """Followers won per view in a good week over a poor week: a drip lifts many weeks."""
    return level_shift(np.clip(window.gain, 0, None), window.reach)


def gain_evenness(window: Window) -> Values:
    """Coefficient of variation of daily gains: drip buying is more even than people are."""
    frame = pd.DataFrame(window.gain.T)
    return share(frame.std().to_numpy(np.float64), np.abs(frame.mean().to_numpy(np.float64)) + 1)


def loss_share(window: Window) -> Values:
    """Followers lost on losing days over followers won: bought accounts are purged."""
    return share(total(np.clip(-window.gain, 0, None)), total(np.clip(window.gain, 0, None)))


def growth_change(window: Window) -> Values:
    """Daily gain of the last 28 days over that of the days before, as a logarithm."""
    recent, before = window.gain[:, -RECENT:], window.gain[:, :-RECENT]
    means = [np.clip(pd.DataFrame(part.T).mean().to_numpy(np.float64), 0, None) for part in (recent, before)]
    return np.log((means[0] + 1) / (means[1] + 1))


def relative_growth(window: Window) -> Values:
    """Followers won in 90 days per follower at the end."""
    return share(total(np.clip(window.gain, 0, None)), pd.DataFrame(window.followers.T).max().to_numpy(np.float64))


FEATURES = (
    follower_spike, spike_share, spike_views, gain_per_view, gain_view_correlation, gain_unexplained,
    gain_shift, gain_evenness, loss_share, growth_change, relative_growth,
)  # fmt: skip
