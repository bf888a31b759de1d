"""Whether those who engage are real, by the model of accounts: an account of lift 2 is twice as likely to be fake as
usual."""

import numpy as np

from features import columns as c
from features.fraud.series import expected
from features.fraud.window import DAYS, Values, Window

SLACK = 2.0  # acts beyond the usual that are nothing yet, so that quiet days do not stand out


def fake_engagers(window: Window) -> Values:
    """Mean lift of the accounts behind the engagements."""
    return window.of_events(window.engagements["lift"], "mean")


def fake_surge(window: Window) -> Values:
    """Log-likelihood ratio of who engaged on days beyond the usual: had fake accounts done what goes beyond it, against
    the same accounts as ever.

    An account of lift r did an act of a day on which a share f goes beyond the usual with the probability (1 − f) + f r
    under the first, over that under the second. A crowd that the press or a promotion brings is below 0.
    """
    ratio = np.log1p(_beyond_usual(window) * (window.engagements["lift"] - 1))
    return window.of_events(ratio, "mean") * window.of_events(ratio, "count")


def _beyond_usual(window: Window) -> Values:
    """For each engagement, what share of the day's acts of its kind goes beyond the creator's usual rate per view; 0
    where the day is not known."""
    rows = window.engagements
    counts = {"FOLLOW": window.gain, "LIKE": window.likes, "COMMENT": window.comments, "SHARE": window.shares}
    shares = np.zeros(len(rows))
    for action, count in counts.items():
        usual = np.clip(expected(count, window.reach), 0, None)  # followers may be lost on most days
        beyond = np.clip(count - usual - SLACK, 0, None) / np.maximum(count, 1)
        these = (rows[c.ACTION] == action).to_numpy() & rows["day"].between(0, DAYS - 1).to_numpy()
        shares[these] = np.nan_to_num(beyond[rows["row"][these], rows["day"][these]])
    return shares


FEATURES = (fake_engagers, fake_surge)
