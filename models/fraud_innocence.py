"""What speaks for innocence, said beside the reasons: what happened on the very days, or what the model itself held in
the creator's favour. It never changes a probability.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.history import History, Row
from models.evidence import raised
from models.fraud_evidence import Evidence, day_of

VIRAL = 3.0  # times the views of the creator's median video
LIKED = 0.5  # times its likes per view: bought views bring none
AROUND = pd.Timedelta(days=4)  # that day and three before it: a video is watched most in its first days
PAID = 0.2  # of the day's views
LIFTED = 1.5  # times the median day's views: what brought no views explains no day
ROSE = 3.0  # times the median day
TOGETHER = 3.0  # the most that one of three rose, over the least: what is bought rises alone
Found = tuple[float, Evidence] | None  # how strong it is, and the evidence
INNOCENCE = {
    "GROWTH_FOLLOWS_VIEWS": (
        "Followers come on the days on which views come", ("spike_views", "gain_view_correlation"),
    ),
    "REACTIONS_FOLLOW_VIEWS": (
        "Likes and comments come on the days on which views come",
        ("likes_view_correlation", "comments_view_correlation"),
    ),
    "VIDEOS_ARE_WATCHED": ("Videos are watched for as long as people watch", ("completion_rate",)),
    "COMMENTS_SAY_SOMETHING": ("Comments are as long as people write", ("comment_length",)),
    "PAID_PROMOTION": ("Part of the views were paid for openly", ("paid_share",)),
}  # fmt: skip
"""Columns of :data:`models.fraud.INNOCENT` as a person would say them."""


def model_says(features: pd.DataFrame, margins: pd.DataFrame) -> list[dict[str, Evidence]]:
    """Per row the codes of INNOCENCE whose features lowered the margins, with the values that did."""
    return [dict(found) for found in raised(features, -margins, INNOCENCE)]


def viral_video(history: History, day: int) -> Found:
    """A video of that day or the three before with VIRAL times the organic views of the creator's median video, and
    LIKED of its likes per view or more, on a day of many views."""
    end, (usual, rate) = history.window.dates[day] + pd.Timedelta(days=1), history.usual_video
    for video in history.videos if history.times_usual("reach", day) >= LIFTED else []:
        views, near = video["organic"], end - AROUND <= video[c.CREATE_TIME] < end
        if near and views >= VIRAL * usual > 0 and video[c.LIKES] >= LIKED * rate * views:
            shown = {"likes": int(video[c.LIKES]), "usual_views": round(usual), "ratio": round(views / usual, 1)}
            return views, _video(video) | shown
    return None


def paid_promotion(history: History, day: int) -> Found:
    """At least PAID of the views of a day of many views were paid for openly."""
    paid, reach = history.of("paid")[day], history.of("reach")[day]
    if not (paid >= PAID * reach and history.times_usual("reach", day) >= LIFTED):
        return None
    return paid, {"paid_video_views": int(paid), "video_views": int(reach), "share": round(paid / reach, 4)}


def wide_attention(history: History, day: int) -> Found:
    """Views, followers won and likes were each ROSE times those of the median day and rose in about the same
    proportion, as after a mention in the press."""
    series = {"video_views": "reach", "followers_won": "gain", "likes": "likes"}
    times = {metric: round(history.times_usual(name, day), 1) for metric, name in series.items()}
    least, most = np.min([*times.values()]), np.max([*times.values()])
    return (float(least), {"times_the_usual": times}) if least >= ROSE and most <= TOGETHER * least else None


def collaboration(history: History, day: int) -> Found:
    """A video made for a brand was published that day or the day before."""
    date = history.window.dates[day]
    for video in history.videos:
        age = date - video[c.CREATE_TIME].floor("D")
        if isinstance(video[c.COLLABORATION_ID], str) and pd.Timedelta(0) <= age <= pd.Timedelta(days=1):
            return video["organic"], {"collaboration_id": video[c.COLLABORATION_ID]} | _video(video)
    return None


def _video(video: Row) -> Evidence:
    views = None if np.isnan(video["organic"]) else int(video["organic"])
    return {"video_id": video[c.VIDEO_ID], "published": day_of(video[c.CREATE_TIME]), "views": views}


ON_THE_DAY: Mapping[str, tuple[str, Callable[[History, int], Found]]] = {
    "VIRAL_VIDEO": (
        "A video of these days was seen far more often than this creator's videos usually are",
        viral_video,
    ),
    "PAID_PROMOTION": ("Many of that day's views were paid for openly", paid_promotion),
    "WIDE_ATTENTION": (
        "Views, followers and likes rose together and in proportion, as after a mention elsewhere",
        wide_attention,
    ),
    "COLLABORATION": ("A video made for a brand was published", collaboration),
}
"""Code → sentence and what finds it on a day."""


def on_days(history: History, days: Mapping[int, list[str]]) -> dict[str, Evidence]:
    """By code of ON_THE_DAY the strongest evidence on any of ``days`` (place → the reason codes that speak of it), its
    date, and which reasons it stands beside."""
    found: dict[str, Evidence] = {}
    for code, (_, find) in ON_THE_DAY.items():
        hits = {day: hit for day in sorted(days) if (hit := find(history, day))}
        if hits:
            best = max(hits, key=lambda day: hits[day][0])
            beside = list(dict.fromkeys(reason for day in hits for reason in days[day]))
            found[code] = hits[best][1] | {"date": day_of(history.window.dates[best]), "beside": beside}
    return found


def explanations(said: Mapping[str, Evidence], seen: Mapping[str, Evidence]) -> list[dict[str, Any]]:
    """What was ``seen`` on the days, then what the model ``said``; a code in both is told by what was seen."""
    texts = {code: text for code, (text, _) in ON_THE_DAY.items() if code in seen}
    texts |= {code: text for code, (text, _) in INNOCENCE.items() if code in said and code not in seen}
    return [{"code": code, "text": text, "evidence": seen.get(code, said.get(code))} for code, text in texts.items()]
