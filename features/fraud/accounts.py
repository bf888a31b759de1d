"""Who engages: what the accounts look like, when they act, and whether they act together."""

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.window import Values, Window

YOUNG = pd.Timedelta(days=60)
HOME_SHARE = 0.05
SAME_TIME = "h"  # accounts that act within the same hour act together


def engagers_without_avatar(window: Window) -> Values:
    """Share of engagements by accounts without an avatar."""
    return _mean(window, 1 - window.engagements[c.HAS_AVATAR])


def engagers_without_bio(window: Window) -> Values:
    """Share of engagements by accounts with an empty bio."""
    return _mean(window, _flag(window.engagements[c.BIO_LENGTH], window.engagements[c.BIO_LENGTH] == 0))


def engagers_without_videos(window: Window) -> Values:
    """Share of engagements by accounts that never published."""
    return _mean(window, _flag(window.engagements[c.VIDEOS_COUNT], window.engagements[c.VIDEOS_COUNT] == 0))


def engager_following_ratio(window: Window) -> Values:
    """Median of log(following / followers) of the engaging accounts: mass followers follow thousands."""
    rows = window.engagements
    ratio = np.log((rows[c.FOLLOWING_COUNT] + 1) / (rows[c.FOLLOWERS_COUNT] + 1))
    return window.by_creator(ratio, "median", rows["row"])


def engager_handle_digits(window: Window) -> Values:
    """Mean share of digits in the engaging accounts' handles."""
    rows = window.engagements
    return _mean(window, rows[c.HANDLE_DIGITS] / rows[c.HANDLE_LENGTH].clip(lower=1))


def young_engagers(window: Window) -> Values:
    """Share of engagements by accounts younger than 60 days at the time."""
    rows = window.engagements
    return _mean(window, _flag(rows[c.CREATED_AT], rows[c.EVENT_TIME] - rows[c.CREATED_AT] < YOUNG))


def engagers_abroad(window: Window) -> Values:
    """Share of engagements from countries that hold less than a twentieth of the creator's stated audience."""
    rows, audience = window.engagements, window.tables["audience"]
    stated = audience[(audience[c.DIMENSION] == "country") & (audience[c.SHARE] >= HOME_SHARE)]
    told = rows[c.CREATOR_ID].isin(stated[c.CREATOR_ID]) & rows[c.COUNTRY_CODE].notna()
    home = pd.MultiIndex.from_frame(stated[[c.CREATOR_ID, c.BUCKET]])
    abroad = ~pd.MultiIndex.from_frame(rows[[c.CREATOR_ID, c.COUNTRY_CODE]]).isin(home)
    return _mean(window, pd.Series(abroad, index=rows.index, dtype="float64").where(told))


def repeat_engagers(window: Window) -> Values:
    """Engagements per distinct account."""
    rows = window.engagements
    accounts = window.by_creator(rows[c.ACCOUNT_ID], "nunique", rows["row"])
    return window.by_creator(rows[c.ACCOUNT_ID], "count", rows["row"]) / accounts


def busiest_hour(window: Window) -> Values:
    """Share of engagements in the busiest single hour."""
    rows = window.engagements
    counts = rows.groupby(["row", rows[c.EVENT_TIME].dt.floor(SAME_TIME)]).size().groupby("row").max()
    return counts.reindex(range(len(window.ids))).to_numpy(np.float64) / _count(window)


def hour_spread(window: Window) -> Values:
    """Length of the mean vector of the hours of day: 0 round the clock, 1 all at the same hour (Mardia, 1972)."""
    rows = window.engagements
    angle = 2 * np.pi * (rows[c.EVENT_TIME].dt.hour + rows[c.EVENT_TIME].dt.minute / 60) / 24
    return np.hypot(_mean(window, np.cos(angle)), _mean(window, np.sin(angle)))


def shared_engagers(window: Window) -> Values:
    """How many other creators the accounts behind the engagements engaged with in the window, on average."""
    rows = window.engagements
    reach = window.tables["engagements"]
    reach = (
        reach[reach[c.EVENT_TIME] > window.as_of - pd.Timedelta(days=90)].groupby(c.ACCOUNT_ID)[c.CREATOR_ID].nunique()
    )
    return _mean(window, rows[c.ACCOUNT_ID].map(reach).astype("float64") - 1)


def lockstep(window: Window) -> Values:
    """Share of engagements whose account acted on another creator within the same hour (CopyCatch, Beutel et al., 2013,
    with single hours as windows)."""
    every = window.tables["engagements"]
    every = every[every[c.EVENT_TIME] > window.as_of - pd.Timedelta(days=90)]
    together = every.groupby([every[c.ACCOUNT_ID], every[c.EVENT_TIME].dt.floor(SAME_TIME)])[c.CREATOR_ID].nunique()
    rows = window.engagements
    keys = pd.MultiIndex.from_arrays([rows[c.ACCOUNT_ID], rows[c.EVENT_TIME].dt.floor(SAME_TIME)])
    return _mean(window, pd.Series(together.reindex(keys).to_numpy() > 1, index=rows.index, dtype="float64"))


def engagements_known(window: Window) -> Values:
    """How many engagements these shares rest on."""
    return np.nan_to_num(_count(window))


def _count(window: Window) -> Values:
    return window.by_creator(window.engagements[c.ACCOUNT_ID], "count", window.engagements["row"])


def _mean(window: Window, values: pd.Series) -> Values:
    return window.by_creator(values, "mean", window.engagements["row"])


def _flag(known: pd.Series, flag: pd.Series) -> pd.Series:
    return flag.astype("float64").where(known.notna())


FEATURES = (
    engagers_without_avatar, engagers_without_bio, engagers_without_videos, engager_following_ratio, engager_handle_digits,
    young_engagers, engagers_abroad, repeat_engagers, busiest_hour, hour_spread, shared_engagers, lockstep,
    engagements_known,
)  # fmt: skip
