"""Why a creator's engagement looks bought: features grouped into codes, given only where the model's contributions say
so, each with evidence, and beside them what speaks for innocence."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.fraud.history import Dossier, History
from features.fraud.window import SPAN
from models.evidence import raised
from models.fraud_evidence import ABOUT_ACTS, METRICS, Evidence, day_of, evidence
from models.fraud_innocence import explanations, model_says, on_days

REASONS = {
    "FOLLOWER_SPIKE": (
        "Followers came in jumps that stand out against other days or that day's views",
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
        "Views stand out: in jumps, or with fewer reactions or less watching than usual",
        (
            "views_peak", "views_spike", "views_unexplained", "views_per_follower", "video_views_peak",
            "completion_rate", "hollow_videos", "paid_share",
        ),
    ),
    "LOW_AUDIENCE_CREDIBILITY": (
        "Many of the accounts that engage look fake: empty profiles, new, or made in the same week",
        (
            "engagers_without_avatar", "engagers_without_bio", "engagers_without_videos", "engager_handle_digits",
            "young_engagers", "engagers_born_together", "fake_engagers", "fake_surge",
        ),
    ),
    "MASS_FOLLOWER_SHARE": (
        "Many of the accounts that engage follow far more accounts than follow them",
        ("engager_following_ratio",),
    ),
    "AUDIENCE_COUNTRY_MISMATCH": (
        "Engagement comes from other countries than those of the stated audience",
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
WORTH = 0.2  # of a code's largest excess: what happened on lesser days explains nothing
USUAL = {"low": 0.05, "median": 0.5, "high": 0.95}  # quantiles of features
Usual = Mapping[str, Mapping[str, float]]
"""Feature → its USUAL quantiles among creators whom reviews cleared."""
UsualOf = Callable[[Iterable[str]], Usual]


def explain(
    features: pd.DataFrame, margins: pd.DataFrame, usual: Usual, peers: pd.DataFrame, dossier: Dossier
) -> list[dict[str, list[dict[str, Any]]]]:
    """Per row of ``features`` (k, ·) ``reason_codes``, at most four (:func:`models.evidence.raised`), and
    ``innocent_explanations`` (:mod:`models.fraud_innocence`).

    A reason's evidence holds the values that pushed most beside what is ``usual`` and, in a column of ``peers`` (k, ·),
    expected of this creator's peers; the days they speak of, where one day stands out ``peak_date``, and what
    :mod:`models.fraud_evidence` finds in the tables.
    """
    found = raised(features, margins, REASONS)
    told = [place for place, codes in enumerate(found) if codes]
    some, those = features.iloc[told], margins.iloc[told]
    codes = [found[place] for place in told]
    columns = (
        _histories(some.index, codes, dossier),
        codes,
        model_says(some, those),
        some.reindex(columns=[*PEAK_DAYS.values()]).to_dict("records"),
        (partial(_usual, usual, row) for row in peers.iloc[told].to_dict("records")),
    )
    explained = dict(zip(told, (_explained(*row) for row in zip(*columns, strict=True)), strict=True))
    return [explained.get(place, {"reason_codes": [], "innocent_explanations": []}) for place in range(len(features))]


def _histories(ids: pd.Index, codes: list[dict[str, Evidence]], dossier: Dossier) -> Iterator[History]:
    """The history of each of ``ids``; those of whose engagements a code speaks are read apart, and theirs alone."""
    acting = np.array([not ABOUT_ACTS.isdisjoint(one) for one in codes], bool)
    apart = {chosen: iter(dossier.histories(ids[acting == chosen])) for chosen in (True, False)}
    return (next(apart[bool(chosen)]) for chosen in acting)


def _usual(usual: Usual, expected: Mapping[Any, float], names: Iterable[str]) -> Usual:
    """What is ``usual``, and expected of the peers, of those of ``names`` of which it is known."""
    return {
        name: {**usual[name], "peers": round(expected[name], 4)} if name in expected else usual[name]
        for name in names
        if name in usual
    }


def usual_values(features: pd.DataFrame, weight: npt.NDArray[np.float64]) -> Usual:
    """The USUAL quantiles of each feature over the rows, weighted, where it is known."""
    return {str(name): _quantiles(values.to_numpy(), weight) for name, values in features.items() if values.count()}


def _quantiles(values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]) -> dict[str, float]:
    known = ~np.isnan(values)
    found = np.quantile(values[known], [*USUAL.values()], weights=weight[known], method="inverted_cdf")
    return dict(zip(USUAL, found.round(4).tolist(), strict=True))


def _explained(
    history: History, codes: dict[str, Evidence], said: dict[str, Evidence], row: dict[Any, float], usual: UsualOf
) -> dict[str, list[dict[str, Any]]]:
    seen = on_days(history, _days_of([*codes], history, row))
    return {
        "reason_codes": [_reason(code, values, history, row, usual) for code, values in codes.items()],
        "innocent_explanations": explanations(said, seen),
    }


def _reason(code: str, values: Evidence, history: History, row: dict[Any, float], usual: UsualOf) -> dict[str, Any]:
    as_of, peak = history.window.as_of, _peak_day(code, history, row)
    found = values | {"usual": usual(values)}
    found |= {"from": day_of(as_of - SPAN), "to": day_of(as_of)}
    found |= {} if peak is None else {"peak_date": day_of(history.window.dates[peak])}
    return {"code": code, "text": REASONS[code][0], "evidence": found | evidence(code, history)}


def _days_of(codes: list[str], history: History, row: dict[Any, float]) -> dict[int, list[str]]:
    """Place of a day → the codes that speak of it before all."""
    days: dict[int, list[str]] = {}
    for code in codes:
        found = [one for one in history.anomalies if one["metric"] in METRICS.get(code, ())]
        least = WORTH * max((one["excess"] for one in found), default=0)
        spoken = {int(one["day"]) for one in found if one["excess"] >= least}
        peak = _peak_day(code, history, row)
        for day in spoken if peak is None else spoken | {peak}:
            days.setdefault(day, []).append(code)
    return days


def _peak_day(code: str, history: History, row: dict[Any, float]) -> int | None:
    age = row.get(PEAK_DAYS.get(code, ""), np.nan)
    return None if np.isnan(age) else len(history.window.dates) - int(age)
