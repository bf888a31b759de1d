"""Why a creator looks suspicious: features grouped into codes, given only where the model's own contribution says so."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.fraud.window import SPAN

MOST = 4
LEAST = 0.05  # log-odds; less than that moved nothing
REASONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "FOLLOWER_SPIKE": (
        "Followers came in jumps that views do not explain",
        ("follower_spike", "spike_share", "spike_views", "gain_view_correlation", "loss_share"),
    ),
    "FOLLOWER_DRIP": (
        "Followers grow more evenly, or more per view, than an audience does",
        ("gain_evenness", "gain_per_view", "growth_change", "relative_growth"),
    ),
    "LIKE_COMMENT_RATIO": (
        "Likes, comments and shares do not go together with views as usual",
        (
            "likes_per_view", "comments_per_view", "shares_per_view", "comments_per_like", "shares_per_like", "likes_peak",
            "comments_peak", "likes_view_correlation", "comments_view_correlation",
        ),
    ),
    "VIEW_INFLATION": (
        "Views come without the reactions or the watching that belong to them",
        (
            "views_peak", "views_spike", "views_per_follower", "video_views_peak", "completion_rate", "hollow_videos",
            "paid_share",
        ),
    ),
    "LOW_AUDIENCE_CREDIBILITY": (
        "Many of the accounts that engage look empty, new or like mass followers",
        (
            "engagers_without_avatar", "engagers_without_bio", "engagers_without_videos", "engager_following_ratio",
            "engager_handle_digits", "young_engagers",
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
    "LITTLE_EVIDENCE": ("Little is known, which the model has learned to doubt", ("engagements_known", "days_known")),
}  # fmt: skip


def reason_codes(
    features: pd.DataFrame, margins: npt.NDArray[np.floating], as_of: pd.Timestamp
) -> list[list[dict[str, Any]]]:
    """Per row of ``features`` (k, p) at most four codes whose features raised the ``margins`` (k, p) most, with the values that
    did and the days they speak of."""
    names = list(features.columns)
    codes = list(REASONS)
    places = [[names.index(name) for name in REASONS[code][1]] for code in codes]
    raised = np.column_stack([margins[:, place].sum(axis=1) for place in places])
    order = np.argsort(-raised, axis=1, kind="stable")[:, :MOST]
    return [
        [_reason(codes[j], features.iloc[i], margins[i], as_of) for j in order[i] if raised[i, j] >= LEAST]
        for i in range(len(features))
    ]


def _reason(code: str, row: pd.Series, margins: npt.NDArray[np.floating], as_of: pd.Timestamp) -> dict[str, Any]:
    text, names = REASONS[code]
    pushing = [name for name in names if margins[row.index.get_loc(name)] > 0 and not np.isnan(row[name])]
    days = {"from": (as_of - SPAN).date().isoformat(), "to": as_of.date().isoformat()}
    return {"code": code, "text": text, "evidence": {name: round(float(row[name]), 4) for name in pushing} | days}
