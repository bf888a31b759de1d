"""What a person checks a reason code by: days, videos, accounts, comments and groups, from the tables of one creator.

Made for creators who are explained, and only for the codes that were raised. Lists hold at most MOST entries, and
``…_total`` says how many there are.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.accounts import FARM, HOME_SHARE, YOUNG
from features.fraud.comments import SHORT, is_link, letters, plain
from features.fraud.engagement import FEW_REACTIONS
from features.fraud.history import History, Row
from features.fraud.series import WEEK, weekly_rates
from features.graph.evidence import Group
from models.audience_types import MASS

MOST = 10
EXAMPLES = 3  # comments
Evidence = dict[str, Any]
# Code → the metrics of features.fraud.history.anomalies whose days it speaks of.
METRICS = {
    "FOLLOWER_SPIKE": ("followers",), "LIKE_COMMENT_RATIO": ("likes", "comments", "shares"),
    "VIEW_INFLATION": ("views",),
}  # fmt: skip

GROUPED = frozenset(["LOCKSTEP_ACTIVITY", "ENGAGEMENT_POD"])
"""Codes whose evidence tells of groups in everyone's engagements."""


def evidence(code: str, history: History) -> Evidence:
    """What the tables hold of this creator for the reason ``code``; JSON-able."""
    return MAKERS[code](history)


def follower_spike(history: History) -> Evidence:
    """The days on which followers came in numbers that stand out."""
    return unusual_days("FOLLOWER_SPIKE", history)


def follower_drip(history: History) -> Evidence:
    """The week with most followers per view beside the one with fewest."""
    won, reach = np.clip(history.of("gain"), 0, None), history.of("reach")
    rates = weekly_rates(won[None], reach[None])[0]
    if np.isnan(rates).all():
        return {}
    first = len(won) - WEEK * len(rates)
    weeks = {"best_week": np.nanargmax(rates), "poorest_week": np.nanargmin(rates)}
    days = {name: slice(first + WEEK * int(week), first + WEEK * (int(week) + 1)) for name, week in weeks.items()}
    return {
        name: {
            "from": day_of(history.window.dates[span.start]),
            "followers_won": int(np.nansum(won[span])),
            "video_views": int(np.nansum(reach[span])),
        }
        for name, span in days.items()
    }


def like_comment_ratio(history: History) -> Evidence:
    """The days with more likes, comments or shares than their views explain."""
    return unusual_days("LIKE_COMMENT_RATIO", history)


def view_inflation(history: History) -> Evidence:
    """The days with more organic views than their likes explain, and the videos with few likes for their views."""
    _, usual = history.usual_video
    hollow = [
        {"video_id": video[c.VIDEO_ID], "published": day_of(video[c.CREATE_TIME]), "views": int(video["organic"])}
        | {"likes": int(video[c.LIKES]), "usual_likes": round(usual * video["organic"])}
        for video in history.videos
        if video[c.LIKES] < FEW_REACTIONS * usual * video["organic"]
    ]
    return unusual_days("VIEW_INFLATION", history) | listed("videos", hollow)


def low_audience_credibility(history: History) -> Evidence:
    """Of how many engagements the accounts have an empty profile, are young, or were made in the same week."""
    dated = [act for act in history.acts if not pd.isna(act[c.CREATED_AT])]
    weeks = [act[c.CREATED_AT].floor(FARM) for act in dated]
    ages = [act[c.EVENT_TIME] - act[c.CREATED_AT] for act in dated]
    week, most = _commonest(weeks)[0] if weeks else (None, 0)
    return {
        "without_avatar": _zeros(history.acts, c.HAS_AVATAR),
        "without_bio": _zeros(history.acts, c.BIO_LENGTH),
        "without_videos": _zeros(history.acts, c.VIDEOS_COUNT),
        "younger_than_60_days": counted(sum(age < YOUNG for age in ages), len(ages)),
        "made_in_the_same_week": counted(most, len(weeks)) | {"week_from": week and day_of(week)},
    }


def mass_follower_share(history: History) -> Evidence:
    """How many of the engaging accounts follow more accounts than anyone reads."""
    following = {act[c.ACCOUNT_ID]: act[c.FOLLOWING_COUNT] for act in history.acts}
    followed = [count for count in following.values() if not np.isnan(count)]
    mass = counted(sum(count >= MASS for count in followed), len(followed))
    return {"mass_followers": mass | {"following_at_least": MASS}}


def audience_country_mismatch(history: History) -> Evidence:
    """The stated audience's countries beside those of the engaging accounts."""
    told = [{"country_code": one[c.BUCKET], "share": round(one[c.SHARE], 4)} for one in history.stated]
    home = {one[c.BUCKET] for one in history.stated if one[c.SHARE] >= HOME_SHARE}
    known = [act[c.COUNTRY_CODE] for act in history.acts if isinstance(act[c.COUNTRY_CODE], str)]
    engaging = [
        {"country_code": country, "engagements": count, "share": round(count / len(known), 4)}
        | {"abroad": country not in home}
        for country, count in _commonest(known)
    ]
    return listed("stated", told) | listed("engaging", engaging)


def lockstep_activity(history: History) -> Evidence:
    """The groups that act together, the hour with most engagements, and who acted on others within the same hour."""
    hours = _commonest(act["hour"] for act in history.acts)
    fullest = None
    if hours:
        fullest = {"from": moment_of(hours[0][0]), "engagements": hours[0][1], "of": len(history.acts)}
    others = history.busy_hours()
    same = [
        {"account_id": account, "hour": moment_of(hour), "creators": int(others[account, hour])}
        for account, hour in dict.fromkeys((act[c.ACCOUNT_ID], act["hour"]) for act in history.acts)
        if (account, hour) in others
    ]
    groups = history.dossier.groups.together.get(history.creator_id, [])
    return grouped(groups) | {"fullest_hour": fullest} | listed("same_hour", same)


def engagement_pod(history: History) -> Evidence:
    """The circles and pods, and the accounts that came back most."""
    counts = _commonest(act[c.ACCOUNT_ID] for act in history.acts)
    back = [{"account_id": account, "engagements": count} for account, count in counts if count > 1]
    groups = history.dossier.groups.rings.get(history.creator_id, [])
    return grouped(groups) | listed("returning_accounts", back)


def comment_duplication(history: History) -> Evidence:
    """The comments that stand there most often, as somebody wrote them, and how many are short or hold a link."""
    texts = pd.Series([act[c.COMMENT_TEXT] for act in history.acts], dtype="str").dropna()
    words = plain(texts)
    counts = _commonest(words)
    written = dict(zip(reversed([*words]), reversed([*texts]), strict=True))
    return {
        "comments": len(texts),
        "repeated": sum(count for _, count in counts if count > 1),
        "at_most_four_letters": int((letters(texts) <= SHORT).sum()),
        "with_link": int(is_link(texts).sum()),
        "examples": [{"comment_text": written[one], "count": count} for one, count in counts[:EXAMPLES]],
    }


MAKERS: Mapping[str, Callable[[History], Evidence]] = {
    "FOLLOWER_SPIKE": follower_spike,
    "FOLLOWER_DRIP": follower_drip,
    "LIKE_COMMENT_RATIO": like_comment_ratio,
    "VIEW_INFLATION": view_inflation,
    "LOW_AUDIENCE_CREDIBILITY": low_audience_credibility,
    "MASS_FOLLOWER_SHARE": mass_follower_share,
    "AUDIENCE_COUNTRY_MISMATCH": audience_country_mismatch,
    "LOCKSTEP_ACTIVITY": lockstep_activity,
    "ENGAGEMENT_POD": engagement_pod,
    "COMMENT_DUPLICATION": comment_duplication,
}

ABOUT_ACTS = frozenset(MAKERS) - {"FOLLOWER_SPIKE", "FOLLOWER_DRIP", "LIKE_COMMENT_RATIO", "VIEW_INFLATION"}
"""Codes whose evidence is made from engagements."""


def unusual_days(code: str, history: History) -> Evidence:
    """The anomalies that ``code`` speaks of, the largest excess first."""
    found = [one for one in history.anomalies if one["metric"] in METRICS[code]]
    return listed("days", [{"date": day_of(one["date"]), "metric": one["metric"]} | _counts(one) for one in found])


def _counts(anomaly: Row) -> dict[str, int | None]:
    names = ("value", "expected", "usual")
    return {name: None if np.isnan(anomaly[name]) else round(anomaly[name]) for name in names}


def grouped(groups: list[Group]) -> Evidence:
    """The groups as a person can check them."""
    return listed("groups", [_group(group) for group in groups])


def _group(group: Group) -> Evidence:
    windows = [{"from": moment_of(first), "to": moment_of(last)} for first, last in group.windows]
    members = {"accounts": group.accounts, "creators": group.creators, "videos": group.videos, "windows": windows}
    found: Evidence = {"kind": group.kind, "engagements": group.acts, "strength": round(group.strength, 2)}
    for name, values in members.items():
        found |= listed(name, [*values])
    return found


def listed(name: str, rows: list[Any]) -> Evidence:
    """The first MOST of ``rows`` under ``name`` and how many there are."""
    return {name: rows[:MOST], f"{name}_total": len(rows)}


def counted(count: int, of: int) -> Evidence:
    """A count and the share that it is."""
    return {"count": int(count), "of": of, "share": round(count / of, 4) if of else None}


def _zeros(rows: list[Row], name: str) -> Evidence:
    known = [row[name] for row in rows if not np.isnan(row[name])]
    return counted(known.count(0), len(known))


def _commonest(values: Iterable[Any]) -> list[tuple[Any, int]]:
    """Each value and how often it comes, the commonest first, and among equals the smallest."""
    return sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))


def day_of(moment: pd.Timestamp) -> str:
    """ISO date."""
    return moment.date().isoformat()


def moment_of(moment: pd.Timestamp) -> str:
    """ISO date and time, UTC, to the second."""
    return moment.isoformat(timespec="seconds")
