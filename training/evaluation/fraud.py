"""How good the fraud model is on months it has not seen: beside rules, by scenario, by group."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.asof import data_as_of, known
from features.fraud import fraud_features
from features.fraud_labels import fraud_target
from features.schema import Tables
from models.fraud import FraudModel, fit_fraud
from models.fraud_rows import MINIMUM_EACH, has_both
from models.measures import Interval, average_precision, bootstrap_of, brier, expected_calibration_error
from training.simulate import fraud_target as true_target

Values = npt.NDArray[np.float64]
Truth = Mapping[str, pd.DataFrame]
MONTH = pd.Timedelta(days=30)
WINDOW = pd.Timedelta(days=90)
TEST_MONTHS, MOST_MONTHS = 2, 12
DRAWS = 200
ALERTS_A_DAY = 0.002  # of all creators
LEVEL_FPR = 0.01
UNFAIR = 1.5
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
    end = data_as_of(tables)
    dates = [cutoff + month * MONTH for month in range(1, months + 1) if cutoff + month * MONTH <= end]
    if not dates:
        raise ValueError(f"no month has passed between {cutoff:%Y-%m-%d} and the end of the data, {end:%Y-%m-%d}")
    rows = pd.concat([_scored(model, tables, truth, date, cutoff) for date in dates], ignore_index=True)
    if not has_both(rows["target"].to_numpy(np.float64)):
        raise ValueError(f"{int(rows['target'].sum())} guilty of {len(rows)} known; {MINIMUM_EACH} of each are needed")
    reviewed = tables["fraud_labels"].loc[tables["fraud_labels"][c.KNOWN_AT] <= cutoff, c.CREATOR_ID]
    fresh = rows[~rows[c.CREATOR_ID].isin(reviewed)]
    return {
        "model": _figures(rows) | {"pr_auc_interval": _pr_auc_interval(rows, rng)} | _calibration(rows),
        "never_reviewed": _figures(fresh) if fresh["target"].nunique() == 2 else {},
        "rules": {name: _figures(rows.assign(score=rule)) for name, rule in _rules(rows).items()},
        "measured_on": [f"{date:%Y-%m-%d}" for date in dates],
        "known_from": "truth" if truth is not None else "reviews",
        "scenarios": {} if truth is None else _scenarios(rows, truth["campaigns"]),
        "false_positives": false_positives(rows),
        "validation": model.metrics,
    }


def tiers(followers: pd.Series) -> "pd.Series[str]":
    """The size of each creator: nano below 10,000 followers, micro below 100,000, else macro; or unknown."""
    return pd.cut(followers, SIZES, labels=SIZE_NAMES, right=False).astype(object).fillna("unknown")


def _target(tables: Tables, truth: Truth | None, date: pd.Timestamp, cutoff: pd.Timestamp) -> pd.Series:
    if truth is not None:
        return true_target(truth, date)
    labels = tables["fraud_labels"]
    return fraud_target(labels[labels[c.KNOWN_AT] > cutoff], date, data_as_of(tables))


def _scored(
    model: FraudModel, tables: Tables, truth: Truth | None, date: pd.Timestamp, cutoff: pd.Timestamp
) -> pd.DataFrame:
    seen = known(tables, date)
    features = fraud_features(seen, date)
    probability = model.predict(features)
    traits = seen["creators"].set_index(c.CREATOR_ID).reindex(features.index)
    rows = features.assign(
        as_of=date,
        target=_target(tables, truth, date, cutoff).reindex(features.index).astype(float),
        probability=probability,
        score=probability.fillna(-1),
        alerted=probability.map(model.risk_level).isin(["HIGH", "CRITICAL"]),
        size=tiers(traits[c.FOLLOWERS_COUNT]),
        country=traits[c.COUNTRY_CODE],
        language=traits[c.LANGUAGE],
    )
    return rows.dropna(subset="target").reset_index(names=c.CREATOR_ID)


def _figures(rows: pd.DataFrame) -> dict[str, float]:
    score, target = rows["score"].to_numpy(np.float64), rows["target"].to_numpy(np.float64)
    return {
        "pr_auc": average_precision(score, target),
        "recall_at_1_percent_fpr": float((score > _threshold(rows))[target == 1].mean()),
        "precision_in_alert_budget": precision_in_budget(rows),
        "prevalence": float(target.mean()),
        "rows": len(rows),
    }


def _pr_auc_interval(rows: pd.DataFrame, rng: np.random.Generator) -> Interval:
    """Over creators, each with all its months."""
    score, target = rows["score"].to_numpy(np.float64), rows["target"].to_numpy(np.float64)
    creators = rows[c.CREATOR_ID].to_numpy(str)
    return bootstrap_of(lambda some: average_precision(score[some], target[some]), creators, rng, DRAWS)


def _threshold(rows: pd.DataFrame) -> float:
    return float(np.quantile(rows.loc[rows["target"] == 0, "score"], 1 - LEVEL_FPR))


def precision_in_budget(rows: pd.DataFrame) -> float:
    """Precision of each month's highest scores, as many as the daily budget adds up to, each creator alerted once."""
    budget = round(ALERTS_A_DAY * MONTH.days * rows[c.CREATOR_ID].nunique())
    alerted: list[pd.DataFrame] = []
    for _, month in rows.groupby("as_of"):
        before = {creator for part in alerted for creator in part[c.CREATOR_ID]}
        fresh = month[~month[c.CREATOR_ID].isin(before)]
        alerted.append(fresh.sort_values("score", ascending=False, kind="stable").head(budget))
    return float(pd.concat(alerted)["target"].mean())


def _calibration(rows: pd.DataFrame) -> dict[str, float]:
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


def _scenarios(rows: pd.DataFrame, campaigns: pd.DataFrame) -> dict[str, dict[str, float]]:
    """By kind of campaign in the 90 days before: of the guilty the recall, of the innocent the false-positive rate, at
    1 % of false positives over all and at the working threshold."""
    near = rows.merge(campaigns, on=c.CREATOR_ID)
    near = near[(near[c.PERIOD_START] < near["as_of"]) & (near[c.PERIOD_END] >= near["as_of"] - WINDOW)]
    near = near[near["target"] == near["is_fraud"].astype(float)].assign(caught=near["score"] > _threshold(rows))
    groups = near.drop_duplicates([c.CREATOR_ID, "as_of", c.FRAUD_TYPE]).groupby(c.FRAUD_TYPE)
    table = groups.agg(
        at_1_percent_fpr=("caught", "mean"), at_working_threshold=("alerted", "mean"), rows=("caught", "size")
    )
    return table.to_dict("index")


def false_positives(rows: pd.DataFrame) -> dict[str, Any]:
    """Share of the innocent alerted at the working threshold, over all and by group; ``notable`` are groups above
    UNFAIR times the overall rate by more than chance (99 % binomial, normal approximation)."""
    innocent = rows[rows["target"] == 0]
    overall = float(innocent["alerted"].mean())
    groups = {name: _rates(innocent, name, overall) for name in ("size", "country", "language")}
    notable = [f"{name}={group}" for name, found in groups.items() for group, rate in found.items() if rate["notable"]]
    return {"overall": overall, "notable": notable} | groups


def _rates(innocent: pd.DataFrame, name: str, overall: float) -> dict[str, dict[str, Any]]:
    table = innocent.groupby(name)["alerted"].agg(["mean", "size"])
    bound = UNFAIR * overall + 2.58 * np.sqrt(overall * (1 - overall) / table["size"])
    return {
        str(group): {
            "rate": float(row["mean"]),
            "ratio": float(row["mean"]) / max(overall, 1e-9),
            "rows": int(row["size"]),
            "notable": bool(row["mean"] > bound[group]),
        }
        for group, row in table.iterrows()
    }
