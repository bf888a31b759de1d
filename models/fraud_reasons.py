"""Why a creator looks suspicious: features grouped into codes, given only where the model's contributions say so."""

from typing import Any

import numpy as np
import pandas as pd

from features.fraud.window import SPAN
from models.evidence import raised

REASONS = {
    "FOLLOWER_SPIKE": (
        "Followers came in jumps that views do not explain",
        ("follower_spike", "spike_share", "spike_views", "gain_view_correlation", "gain_unexplained", "loss_share"),
    ),
    "FOLLOWER_DRIP": (
        "Followers grow more evenly, or more per view, than an audience does",
        ("gain_shift", "gain_evenness", "gain_per_view", "growth_change", "relative_growth"),
    ),
    "LIKE_COMMENT_RATIO": (
        "Likes, comments and shares do not go together with views as usual",
        (
            "likes_per_view", "comments_per_view", "shares_per_view", "comments_per_like", "shares_per_like",
            "likes_peak", "comments_peak", "likes_unexplained", "comments_unexplained", "shares_unexplained",
            "likes_shift", "comments_shift", "shares_shift", "likes_view_correlation", "comments_view_correlation",
        ),
    ),
    "VIEW_INFLATION": (
        "Views come without the reactions or the watching that belong to them",
        (
            "views_peak", "views_spike", "views_unexplained", "views_per_follower", "video_views_peak",
            "completion_rate", "hollow_videos", "paid_share",
        ),
    ),
    "LOW_AUDIENCE_CREDIBILITY": (
        "Many of the accounts that engage look empty, new or like mass followers",
        (
            "engagers_without_avatar", "engagers_without_bio", "engagers_without_videos", "engager_following_ratio",
            "engager_handle_digits", "young_engagers", "engagers_born_together",
        ),
    ),
    "AUDIENCE_COUNTRY_MISMATCH": (
        "Engagement comes from other countries than the stated audience",
        ("engagers_abroad",),
    ),
    "LOCKSTEP_ACTIVITY": (
        "Accounts act together, at the same times or on the same creators",
        ("busiest_hour", "hour_spread", "shared_engagers", "lockstep"),
    ),
    "ENGAGEMENT_POD": ("The same accounts come back again and again", ("repeat_engagers",)),
    "COMMENT_DUPLICATION": (
        "Comments repeat one another or say nothing",
        ("comment_duplicates", "comment_short", "comment_links", "comment_length"),
    ),
}  # fmt: skip
# The day that a person should look at first, from a column of features.fraud.EVIDENCE.
PEAK_DAYS = {
    "FOLLOWER_SPIKE": "gain_peak_age",
    "LIKE_COMMENT_RATIO": "likes_peak_age",
    "VIEW_INFLATION": "views_peak_age",
}


def reason_codes(features: pd.DataFrame, margins: pd.DataFrame, as_of: pd.Timestamp) -> list[list[dict[str, Any]]]:
    """Per row of ``features`` (k, ·) at most four codes (:func:`models.evidence.raised`).

    The evidence holds the values that pushed most, the days they speak of and, where one day stands out, ``peak_date``.
    """
    found = raised(features, margins, REASONS)
    return [
        [_reason(code, values, row, as_of) for code, values in codes.items()]
        for codes, row in zip(found, features.to_dict("records"), strict=True)
    ]


def _reason(code: str, values: dict[str, float], row: dict[Any, float], as_of: pd.Timestamp) -> dict[str, Any]:
    evidence: dict[str, Any] = values | {"from": _day(as_of - SPAN), "to": _day(as_of)}
    age = row.get(PEAK_DAYS.get(code, ""), np.nan)
    if not np.isnan(age):
        evidence["peak_date"] = _day(as_of - pd.Timedelta(days=age))
    return {"code": code, "text": REASONS[code][0], "evidence": evidence}


def _day(moment: pd.Timestamp) -> str:
    return moment.date().isoformat()
