"""The probability that a creator's engagement is fake, calibrated, with the evidence that moved it.

LightGBM on the 90 days before a date, trained on reviews. Most reviews come from a queue of suspects; calibration uses the random
audits where there are enough of them, because only those say how common fraud is.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from features import columns as c
from features.asof import data_as_of, known
from features.fraud import FRAUD_FEATURES, fraud_features
from features.fraud_labels import fraud_target
from features.schema import Tables
from models.calibration import PlattCalibrator
from models.fraud_reasons import reason_codes
from models.gbm import contributions, load_booster, save_booster, train_booster
from models.measures import average_precision, brier, expected_calibration_error

Values = npt.NDArray[np.float64]
POLICY_FILE = Path(__file__).with_name("fraud_policy.json")
STEP = pd.Timedelta(days=15)  # between the dates of training rows: the 90 days move on, the label stays
FOLDS = 5
ROUNDS = 300
QUANTILES = 200
MINIMUM_LABELS, MINIMUM_FAKE = 60, 10
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 4,
    "min_data_in_leaf": 5,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "extra_trees": True,
}
# A few dozen confirmed cases cannot teach directions that are known anyway: more of these is never a sign of innocence ...
SUSPICIOUS = frozenset(
    "follower_spike spike_share gain_per_view loss_share likes_peak comments_peak views_peak video_views_peak hollow_videos "
    "engagers_without_avatar engagers_without_bio engagers_without_videos engager_following_ratio engager_handle_digits "
    "young_engagers engagers_abroad repeat_engagers busiest_hour hour_spread shared_engagers lockstep comment_duplicates "
    "comment_short comment_links".split()
)
# ... and more of these never a sign of guilt.
INNOCENT = frozenset(
    "gain_view_correlation likes_view_correlation comments_view_correlation completion_rate comment_length paid_share "
    "spike_views".split()
)
MONOTONE = [1 if name in SUSPICIOUS else -1 if name in INNOCENT else 0 for name in FRAUD_FEATURES]


@dataclass(frozen=True)
class FraudModel:
    """``innocent`` are quantiles (QUANTILES + 1) of the probabilities given to innocent creators out of fold: the table that
    ties a risk score to a false-positive rate."""

    booster: lgb.Booster
    calibrator: PlattCalibrator
    innocent: Values
    policy: dict[str, Any]
    metrics: dict[str, float]

    def predict(self, features: pd.DataFrame) -> pd.Series:
        """Probabilities indexed like ``features``; NaN where too little is known to say."""
        raw = np.asarray(self.booster.predict(_matrix(features)), dtype=np.float64).reshape(len(features))
        return pd.Series(self.calibrator.predict(raw), index=features.index).where(~self.insufficient(features))

    def insufficient(self, features: pd.DataFrame) -> pd.Series:
        """True where neither statistics nor engagements reach the policy's minimum."""
        few_days = features["days_known"] < self.policy["minimum_days_known"]
        return few_days & (features["engagements_known"] < self.policy["minimum_engagements_known"])

    def risk_score(self, probability: float) -> int:
        """1000 × (1 − false-positive rate) if this probability were the threshold."""
        return round(1000 * int(np.searchsorted(self.innocent, probability)) / len(self.innocent))

    def risk_level(self, probability: float) -> str | None:
        """The policy's level; None for an unknown probability."""
        return None if np.isnan(probability) else str(self._level(probability)["risk_level"])

    def answers(self, features: pd.DataFrame, model_version: str, as_of: pd.Timestamp) -> list[dict[str, Any]]:
        """The fraud answer for each row of ``features``."""
        if features.empty:
            return []
        margins = contributions(self.booster, _matrix(features))[:, :-1]
        codes = reason_codes(features, margins, as_of)
        fixed = {
            "model_version": model_version,
            "policy_version": self.policy["version"],
            "data_as_of": as_of.isoformat(),
        }
        return [
            {"creator_id": creator_id} | self._answer(probability, row, codes[i]) | fixed
            for i, ((creator_id, row), probability) in enumerate(
                zip(features.iterrows(), self.predict(features), strict=True)
            )
        ]

    def save(self, folder: Path) -> None:
        """Writes the booster as text and the rest as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        save_booster(self.booster, folder / "booster.txt")
        rest = {
            "calibrator": self.calibrator.to_json(),
            "innocent": list(self.innocent),
            "policy": self.policy,
            "metrics": self.metrics,
        }
        (folder / "fraud.json").write_text(json.dumps(rest, indent=1))

    @classmethod
    def load(cls, folder: Path) -> "FraudModel":
        """Reads what :meth:`save` wrote."""
        rest = json.loads((folder / "fraud.json").read_text())
        calibrator = PlattCalibrator.from_json(rest["calibrator"])
        innocent = np.array(rest["innocent"])
        return cls(load_booster(folder / "booster.txt"), calibrator, innocent, rest["policy"], rest["metrics"])

    def _level(self, probability: float) -> dict[str, Any]:
        score = self.risk_score(probability)
        return next(level for level in self._levels if score >= level["min_risk_score"])

    @cached_property
    def _levels(self) -> list[dict[str, Any]]:
        return sorted(self.policy["levels"], key=lambda level: -level["min_risk_score"])

    def _answer(self, probability: float, row: pd.Series, codes: list[dict[str, Any]]) -> dict[str, Any]:
        """Without enough data no number, no level, no reasons: rather nothing than a guess."""
        known = not np.isnan(probability)
        level = self._level(probability) if known else {"risk_level": None, "recommended_action": "ALLOW"}
        return {
            "fraud_probability": float(probability) if known else None,
            "risk_score": self.risk_score(probability) if known else None,
            "risk_level": level["risk_level"],
            "recommended_action": level["recommended_action"],
            "confidence": round(float(_confidence(row)), 3),
            "insufficient_data": not known,
            "reason_codes": codes if known else [],
        }


def fit_fraud(tables: Tables, *, label_known_by: pd.Timestamp, rng: np.random.Generator) -> FraudModel:
    """Trains on all labels known by then. Raises ValueError when they are too few, saying how many are needed."""
    _enough(tables["fraud_labels"], label_known_by)
    dates = _dates(tables, label_known_by)
    frames = _frames(tables, dates)
    return _fit(_rows(tables["fraud_labels"], frames, label_known_by), int(rng.integers(2**31)))


def walk_forward(tables: Tables, dates: pd.DatetimeIndex, rng: np.random.Generator) -> pd.DataFrame:
    """as_of, creator_id, fraud_probability: for each date what a model that saw only labels known by then said of everyone.

    Dates with too few labels are left out. One seed serves all, so that a date does not depend on how many follow it.
    """
    seed, labels = int(rng.integers(2**31)), tables["fraud_labels"]
    frames: dict[pd.Timestamp, pd.DataFrame] = {}
    scored = [pd.DataFrame({"as_of": pd.Series(dtype=dates.dtype), c.CREATOR_ID: [], "fraud_probability": []})]
    for date in (date for date in dates if _is_enough(labels, date) and _dates(tables, date)):
        frames |= _frames(tables, [day for day in _dates(tables, date) if day not in frames])
        features = fraud_features(known(tables, date), date)
        rows = _rows(labels, {day: frame for day, frame in frames.items() if day <= date}, date)
        if not _both(rows.target):
            continue
        probability = _fit(rows, seed).predict(features)
        scored.append(pd.DataFrame({"as_of": date, c.CREATOR_ID: features.index, "fraud_probability": probability.array}))
    return pd.concat(scored[1:] or scored, ignore_index=True)


@dataclass(frozen=True)
class _Rows:
    """Training rows: features (r, p), targets (r,), the creator of each and whether a random audit labelled it."""

    features: pd.DataFrame
    target: Values
    creators: npt.NDArray[np.object_]
    audited: npt.NDArray[np.bool_]


def _fit(rows: _Rows, seed: int) -> FraudModel:
    raw = np.zeros(len(rows.target))
    for train, test in GroupKFold(FOLDS).split(raw, groups=rows.creators):
        booster = _train(rows.features.iloc[train], rows.target[train], seed)
        raw[test] = booster.predict(_matrix(rows.features.iloc[test]))
    chosen = rows.audited if _both(rows.target[rows.audited]) else np.ones(len(raw), bool)
    calibrator = PlattCalibrator.fit(raw[chosen], rows.target[chosen])
    probability, target = calibrator.predict(raw[chosen]), rows.target[chosen]
    innocent = np.quantile(probability[target == 0], np.linspace(0, 1, QUANTILES + 1))
    policy = json.loads(POLICY_FILE.read_text(encoding="utf-8"))
    metrics = _metrics(probability, target)
    return FraudModel(_train(rows.features, rows.target, seed), calibrator, innocent, policy, metrics)


def _train(features: pd.DataFrame, target: Values, seed: int) -> lgb.Booster:
    return train_booster(
        PARAMETERS, _matrix(features), target, feature_names=FRAUD_FEATURES, rounds=ROUNDS, monotone=MONOTONE, seed=seed
    )


def _metrics(probability: Values, target: Values) -> dict[str, float]:
    """Out of fold by creator."""
    return {
        "pr_auc": average_precision(probability, target),
        "auroc": float(roc_auc_score(target, probability)),
        "brier": brier(probability, target),
        "ece": expected_calibration_error(probability, target),
        "prevalence": float(target.mean()),
    }


def _rows(labels: pd.DataFrame, frames: dict[pd.Timestamp, pd.DataFrame], known_by: pd.Timestamp) -> _Rows:
    audited = set(labels.loc[(labels[c.SAMPLED] == "RANDOM") & (labels[c.KNOWN_AT] <= known_by), c.CREATOR_ID])
    features, targets = [], []
    for date, frame in frames.items():
        target = fraud_target(labels, date, known_by)
        target = target[target.index.isin(frame.index)]
        features.append(frame.loc[target.index])
        targets.append(target)
    stacked, target = pd.concat(features), pd.concat(targets)
    creators = stacked.index.to_numpy(dtype=object)
    return _Rows(stacked, target.to_numpy(np.float64), creators, np.array([creator in audited for creator in creators]))


def _frames(tables: Tables, dates: Sequence[pd.Timestamp]) -> dict[pd.Timestamp, pd.DataFrame]:
    end = data_as_of(tables)
    return {date: fraud_features(known(tables, date, end), date) for date in dates}


def _dates(tables: Tables, until: pd.Timestamp) -> list[pd.Timestamp]:
    """Every 15 days from a month after the first statistics (or the first label, without any) to ``until``."""
    first = tables["daily_stats"][c.DATE].min() + 2 * STEP
    if pd.isna(first):
        first = tables["fraud_labels"][c.KNOWN_AT].min()
    return list(pd.date_range(first.floor("D"), until, freq=STEP))


def _is_enough(labels: pd.DataFrame, known_by: pd.Timestamp) -> bool:
    usable = labels[labels[c.CREATOR_ID].notna() & (labels[c.KNOWN_AT] <= known_by)]
    return len(usable) >= MINIMUM_LABELS and MINIMUM_FAKE <= usable[c.IS_FAKE].sum() <= len(usable) - MINIMUM_FAKE


def _enough(labels: pd.DataFrame, known_by: pd.Timestamp) -> None:
    if not _is_enough(labels, known_by):
        count = int(labels[c.CREATOR_ID].notna().sum())
        raise ValueError(
            f"{count} labels of creators; at least {MINIMUM_LABELS}, {MINIMUM_FAKE} of each kind, are needed"
        )


def _both(target: Values) -> bool:
    return min(target.sum(), len(target) - target.sum()) >= MINIMUM_FAKE


def _confidence(row: pd.Series) -> float:
    """How much was seen: two months of statistics and thirty engagements are all that one could ask for."""
    return 0.5 * min(1.0, row["days_known"] / 60) + 0.5 * min(1.0, row["engagements_known"] / 30)


def _matrix(features: pd.DataFrame) -> Values:
    return features[list(FRAUD_FEATURES)].to_numpy(np.float64)
