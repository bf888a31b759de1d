"""How good the fraud model is on months it has not seen: beside rules, by scenario, by group."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.asof import data_as_of, known
from features.fraud_labels import creator_labels, fraud_target
from features.schema import Tables
from models.fraud import FraudModel, fit_fraud
from models.fraud_rows import MINIMUM_EACH, has_both
from models.measures import Interval, average_precision, bootstrap_of, brier, expected_calibration_error
from training.evaluation.fraud_groups import GUILTY, WINDOW, campaigns_before, false_positives, scenarios
from training.simulate import fraud_target as true_target

Values = npt.NDArray[np.float64]
Truth = Mapping[str, pd.DataFrame]
MONTH = pd.Timedelta(days=30)
EVERY = pd.Timedelta(days=6)  # alerts go by scores at most so old; a month end is one of these days
TEST_MONTHS, MOST_MONTHS = 2, 12
DRAWS = 200
ALERTS_A_DAY = 0.002  # of all creators
LEVEL_FPR = 0.01
SIZES = (0, 10_000, 100_000, np.inf)
SIZE_NAMES = ("nano", "micro", "macro")
# What a risk analyst would sort by; the sign says which end is suspicious.
RULES = {
    "follower_spike": 1, "spike_share": 1, "gain_view_correlation": -1, "gain_per_view": 1, "likes_peak": 1,
    "comments_peak": 1, "views_peak": 1, "likes_per_view": 1, "engagers_without_avatar": 1, "comment_duplicates": 1,
}  # fmt: skip
COMBINED_RULE = ("spike_share", "likes_peak", "views_peak")


def evaluate_fraud(tables: Tables, truth: Truth, seed: int) -> dict[str, Any]:
    """:func:`fraud_figures` of a model that saw labels known two months before the end, on the two month ends after;
    ``truth`` is :func:`training.simulate.simulate`'s."""
    cutoff = data_as_of(tables) - TEST_MONTHS * MONTH
    model = fit_fraud(tables, label_known_by=cutoff, rng=np.random.default_rng(seed))
    return {"seed": seed} | fraud_figures(model, tables, truth, cutoff, np.random.default_rng(seed), TEST_MONTHS)


def fraud_figures(
    model: FraudModel,
    tables: Tables,
    truth: Truth | None,
    cutoff: pd.Timestamp,
    rng: np.random.Generator,
    months: int = MOST_MONTHS,
) -> dict[str, Any]:
    """JSON-able figures of ``model``, which saw labels known by ``cutoff``, on at most ``months`` month ends after.

    Against the ``truth`` where there is one, else among creators whom a review after ``cutoff`` speaks of. Each creator
    counts once a month. One whom the model declines to score ranks last and is left out of calibration; ``unscored``
    says how many those are. Raises ValueError where no month has passed, or not both kinds of creators are known.
    """
    scored = score_after(model, tables, truth, cutoff, months)
    known_from = "truth" if truth is not None else "reviews"
    found = figures_of(scored, tables["fraud_labels"], cutoff, rng)
    return found | {"known_from": known_from, "validation": model.metrics}


def score_after(
    model: FraudModel, tables: Tables, truth: Truth | None, cutoff: pd.Timestamp, months: int
) -> pd.DataFrame:
    """:func:`observed` and :func:`judged` at ``cutoff`` and every six days after it, for at most ``months`` months."""
    end = data_as_of(tables)
    passed = min(months, (end - cutoff) // MONTH)
    if passed < 1:
        raise ValueError(f"no month has passed between {cutoff:%Y-%m-%d} and the end of the data, {end:%Y-%m-%d}")
    dates = pd.date_range(cutoff, cutoff + passed * MONTH, freq=EVERY)
    return judged(model, observed(model, tables, truth, cutoff, dates))


def figures_of(
    scored: pd.DataFrame, reviews: pd.DataFrame, cutoff: pd.Timestamp, rng: np.random.Generator
) -> dict[str, Any]:
    """What :func:`fraud_figures` says of the rows of :func:`score_after`; ``reviews`` are ``fraud_labels``."""
    rows = month_ends(scored)
    if not has_both(rows["target"].to_numpy(np.float64)):
        raise ValueError(f"{int(rows['target'].sum())} guilty of {len(rows)} known; {MINIMUM_EACH} of each are needed")
    fresh = scored[~scored[c.CREATOR_ID].isin(reviews.loc[reviews[c.KNOWN_AT] <= cutoff, c.CREATOR_ID])]
    ceiling = {"most_precision_in_alert_budget": precision_in_budget(scored.assign(score=scored["target"]))}
    interval = {"pr_auc_interval": _pr_auc_interval(rows, rng)}
    return {
        "model": figures(scored) | ceiling | interval | calibration(rows),
        "never_reviewed": figures(fresh) if month_ends(fresh)["target"].nunique() == 2 else {},
        "rules": {name: figures(scored.assign(score=rule)) for name, rule in _rules(scored).items()},
        "measured_on": [f"{date:%Y-%m-%d}" for date in rows["as_of"].unique()],
        "scenarios": scenarios(rows, fpr_threshold(rows)) if set(GUILTY) <= set(rows) else {},
        "false_positives": false_positives(rows),
    }


def tiers(followers: pd.Series) -> "pd.Series[str]":
    """The size of each creator: nano below 10,000 followers, micro below 100,000, else macro; or unknown."""
    return pd.cut(followers, SIZES, labels=SIZE_NAMES, right=False).astype(object).fillna("unknown")


def observed(
    model: FraudModel, tables: Tables, truth: Truth | None, cutoff: pd.Timestamp, dates: Iterable[pd.Timestamp]
) -> pd.DataFrame:
    """A row for each creator and date whose ``target`` is known: features as ``model`` reads them, traits, the
    campaigns in ``truth``, and whether whole months have passed since ``cutoff`` (``month_end``)."""
    return pd.concat([_observed(model, tables, truth, date, cutoff) for date in dates], ignore_index=True)


def _observed(
    model: FraudModel, tables: Tables, truth: Truth | None, date: pd.Timestamp, cutoff: pd.Timestamp
) -> pd.DataFrame:
    seen = known(tables, date)
    features = model.features(seen, date)
    traits = seen["creators"].set_index(c.CREATOR_ID).reindex(features.index)
    rows = features.assign(
        as_of=date,
        month_end=date > cutoff and (date - cutoff) % MONTH == pd.Timedelta(0),
        target=_target(tables, truth, date, cutoff).reindex(features.index).astype(float),
        size=tiers(traits[c.FOLLOWERS_COUNT]),
        country=traits[c.COUNTRY_CODE],
        language=traits[c.LANGUAGE],
    )
    if truth is not None:
        rows = rows.join(campaigns_before(truth["campaigns"], tables["daily_stats"], date, rows.index))
    return rows.dropna(subset="target").reset_index(names=c.CREATOR_ID)


def month_ends(scored: pd.DataFrame) -> pd.DataFrame:
    """The rows that measure; the others only give alerts."""
    return scored[scored["month_end"]]


def _target(tables: Tables, truth: Truth | None, date: pd.Timestamp, cutoff: pd.Timestamp) -> pd.Series:
    if truth is not None:
        return true_target(truth, date)
    end = data_as_of(tables)
    labels = creator_labels(tables, end)
    return fraud_target(labels[labels[c.KNOWN_AT] > cutoff], date, end)


def judged(model: FraudModel, rows: pd.DataFrame) -> pd.DataFrame:
    """``rows`` with the model's ``probability``, the ``score`` they are ranked by, and whether they are ``alerted`` at
    the working threshold."""
    probability = model.predict(rows)
    high = [level in ("HIGH", "CRITICAL") for level in model.risk_levels(probability, rows)]
    return rows.assign(probability=probability, score=probability.fillna(-1), alerted=high)


def figures(scored: pd.DataFrame) -> dict[str, float]:
    """How well ``score`` tells the guilty at the month ends, and of the alerts from day to day."""
    rows = month_ends(scored)
    score, target = rows["score"].to_numpy(np.float64), rows["target"].to_numpy(np.float64)
    return {
        "pr_auc": average_precision(score, target),
        "recall_at_1_percent_fpr": float((score > fpr_threshold(rows))[target == 1].mean()),
        "precision_in_alert_budget": precision_in_budget(scored),
        "prevalence": float(target.mean()),
        "rows": len(rows),
    }


def _pr_auc_interval(rows: pd.DataFrame, rng: np.random.Generator) -> Interval:
    """Over creators, each with all its months."""
    score, target = rows["score"].to_numpy(np.float64), rows["target"].to_numpy(np.float64)
    creators = rows[c.CREATOR_ID].to_numpy(str)
    return bootstrap_of(lambda some: average_precision(score[some], target[some]), creators, rng, DRAWS)


def fpr_threshold(rows: pd.DataFrame) -> float:
    """The score above which one in a hundred of the innocent lies."""
    return float(np.quantile(rows.loc[rows["target"] == 0, "score"], 1 - LEVEL_FPR))


def precision_in_budget(scored: pd.DataFrame) -> float:
    """Share of the :func:`alerts` that were right (card precision top-k of Le Borgne et al., Reproducible Machine
    Learning for Credit Card Fraud Detection, 2022, over days that all have the same k)."""
    return float(alerts(scored)["target"].mean())


def alerts(scored: pd.DataFrame) -> pd.DataFrame:
    """The rows of the alerts: every day the ALERTS_A_DAY highest scores of the creators, by the last scoring, each
    creator once in 90 days, reviewed or not: a second alert would speak of the same days. The last scoring ends the
    test and gives none."""
    dates, creators = np.sort(scored["as_of"].unique()), scored[c.CREATOR_ID].nunique()
    spent = np.round(ALERTS_A_DAY * creators * (dates - dates[0]) / np.timedelta64(1, "D"))
    given = scored.iloc[:0]
    for date, budget in zip(dates[:-1], np.diff(spent).astype(int), strict=True):
        lately = given.loc[given["as_of"] > date - WINDOW, c.CREATOR_ID]
        free = scored[(scored["as_of"] == date) & ~scored[c.CREATOR_ID].isin(lately)]
        given = pd.concat([given, free.sort_values("score", ascending=False, kind="stable").head(budget)])
    return given


def calibration(rows: pd.DataFrame) -> dict[str, float]:
    """Of the probabilities there are; Brier skill is over the share of guilty as everyone's probability."""
    sure = rows[rows["probability"].notna()]
    probability, target = sure["probability"].to_numpy(np.float64), sure["target"].to_numpy(np.float64)
    base = brier(np.full(len(sure), target.mean()), target)
    return {
        "ece": expected_calibration_error(probability, target),
        "mean_probability": float(probability.mean()),
        "brier": brier(probability, target),
        "brier_skill": 1 - brier(probability, target) / base,
        "unscored": float(rows["probability"].isna().mean()),
    }


def _rules(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Each rule's score; ``combined`` is the highest of three percentiles (engagement, view inflation, growth)."""
    single = {name: (sign * rows[name]).fillna(-np.inf) for name, sign in RULES.items()}
    ranks = pd.DataFrame({name: rows.groupby("as_of")[name].rank(pct=True) for name in COMBINED_RULE})
    return single | {"combined": ranks.max(axis=1).fillna(0)}
