"""Who engages: what the accounts look like, when they act, and whether they act together."""

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.window import Values, Window

YOUNG = pd.Timedelta(days=60)
FARM = pd.Timedelta(days=7)  # accounts made within the same week may be made by the same hands
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
    return window.of_events(np.log((rows[c.FOLLOWING_COUNT] + 1) / (rows[c.FOLLOWERS_COUNT] + 1)), "median")


def engager_handle_digits(window: Window) -> Values:
    """Mean share of digits in the engaging accounts' handles."""
    rows = window.engagements
    return _mean(window, rows[c.HANDLE_DIGITS] / rows[c.HANDLE_LENGTH].clip(lower=1))


def young_engagers(window: Window) -> Values:
    """Share of engagements by accounts younger than 60 days at the time."""
    rows = window.engagements
    return _mean(window, _flag(rows[c.CREATED_AT], rows[c.EVENT_TIME] - rows[c.CREATED_AT] < YOUNG))


def engagers_born_together(window: Window) -> Values:
    """Share of engagements whose accounts were created in the commonest single week."""
    return _mode_share(window, window.engagements[c.CREATED_AT].dt.floor(FARM))


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
    account = window.engagements[c.ACCOUNT_ID]
    return window.of_events(account, "count") / window.of_events(account, "nunique")


def busiest_hour(window: Window) -> Values:
    """Share of engagements in the busiest single hour."""
    return _mode_share(window, window.engagements["hour"])


def hour_spread(window: Window) -> Values:
    """Length of the mean vector of the hours of day: 0 round the clock, 1 all at the same hour (Mardia, 1972)."""
    time = window.engagements[c.EVENT_TIME]
    angle = 2 * np.pi * (time.dt.hour + time.dt.minute / 60) / 24
    return np.hypot(_mean(window, np.cos(angle)), _mean(window, np.sin(angle)))


def shared_engagers(window: Window) -> Values:
    """How many other creators the accounts behind the engagements engaged with in the window, on average."""
    reach = window.everyone.groupby(c.ACCOUNT_ID)[c.CREATOR_ID].nunique()
    return _mean(window, window.engagements[c.ACCOUNT_ID].map(reach).astype("float64") - 1)


def lockstep(window: Window) -> Values:
    """Share of engagements whose account acted on another creator within the same hour (CopyCatch, Beutel et al., 2013,
    with single hours as windows)."""
    together = window.everyone.groupby([c.ACCOUNT_ID, "hour"])[c.CREATOR_ID].nunique()
    rows = window.engagements
    count = together.reindex(pd.MultiIndex.from_frame(rows[[c.ACCOUNT_ID, "hour"]]))
    return _mean(window, pd.Series(count.to_numpy() > 1, index=rows.index, dtype="float64"))


def _mean(window: Window, values: pd.Series) -> Values:
    return window.of_events(values, "mean")


def _mode_share(window: Window, values: pd.Series) -> Values:
    """Share of the commonest of ``values`` among those known."""
    counts = values.groupby([window.engagements["row"], values]).size().groupby("row").max()
    return counts.reindex(range(len(window.ids))).to_numpy(np.float64) / window.of_events(values, "count")


def _flag(known: pd.Series, flag: pd.Series) -> pd.Series:
    return flag.astype("float64").where(known.notna())


FEATURES = (
    engagers_without_avatar, engagers_without_bio, engagers_without_videos, engager_following_ratio,
    engager_handle_digits, young_engagers, engagers_born_together, engagers_abroad, repeat_engagers, busiest_hour,
    hour_spread, shared_engagers, lockstep,
)  # fmt: skip
