"""The probability that a creator's engagement is fake, calibrated, with the evidence that moved it.

LightGBM on the 90 days before a date, trained on reviews. Reviewers err, so the model learns what is probably true of
each label (:mod:`models.label_noise`). Most reviews come from a queue of suspects, so calibration weighs them: the
queue stands for itself, the audits drawn by lot for everyone else.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
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
from features.fraud.history import Dossier
from features.fraud_labels import creator_labels
from features.schema import Tables
from models import gbm
from models.calibration import PlattCalibrator
from models.fraud_peers import Peers
from models.fraud_policy import FraudPolicy, load_fraud_policy
from models.fraud_reasons import Usual, explain, usual_values
from models.fraud_rows import (
    MINIMUM_EACH,
    MINIMUM_LABELS,
    Rows,
    dated_labels,
    feature_frame,
    has_both,
    training_dates,
    training_rows,
)
from models.label_noise import calibrated_to_guilt
from models.measures import average_precision, brier, expected_calibration_error

Values = npt.NDArray[np.float64]
FOLDS = 5
ROUNDS = 300
QUANTILES = 200
MONTHS = 6
DOUBTS = 2
FLATTENING = 0.5  # power of the weights in calibration, between what is unbiased and what is steady (Shimodaira, 2000)
PARAMETERS = {
    "objective": "cross_entropy",  # targets may lie between 0 and 1
    "learning_rate": 0.03,
    "num_leaves": 4,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "extra_trees": True,
}
# A few dozen confirmed cases cannot teach directions that are known anyway: more of this never speaks for innocence,
SUSPICIOUS = (
    "follower_spike", "spike_share", "gain_per_view", "gain_unexplained", "gain_shift", "loss_share", "likes_peak",
    "comments_peak", "views_peak", "likes_unexplained", "comments_unexplained", "shares_unexplained",
    "views_unexplained", "likes_shift", "comments_shift", "shares_shift", "video_views_peak", "hollow_videos",
    "engagers_without_avatar", "engagers_without_bio", "engagers_without_videos", "engager_following_ratio",
    "engager_handle_digits", "young_engagers", "engagers_born_together", "engagers_abroad", "repeat_engagers",
    "busiest_hour", "shared_engagers", "lockstep", "comment_duplicates", "comment_short",
    "comment_links",
)  # fmt: skip
# and more of that never for guilt.
INNOCENT = (
    "spike_views", "gain_view_correlation", "likes_view_correlation", "comments_view_correlation", "completion_rate",
    "comment_length", "paid_share",
)  # fmt: skip
MONOTONE = [(name in SUSPICIOUS) - (name in INNOCENT) for name in FRAUD_FEATURES]


@dataclass(frozen=True)
class FraudModel:
    """``peers`` say what is usual for a creator's size, country and format: the trees read how far it is from that.
    ``innocent`` (QUANTILES + 1,) are quantiles of the probabilities of the innocent among all creators at the end of
    training: the table that ties a risk score to a false-positive rate; ``usual`` are quantiles of the features of
    those whom reviews cleared, to hold evidence against. ``policy`` is that of the time of training."""

    booster: lgb.Booster
    calibrator: PlattCalibrator
    peers: Peers
    innocent: Values
    policy: FraudPolicy
    metrics: dict[str, float]
    usual: Usual

    def predict(self, features: pd.DataFrame) -> pd.Series:
        """Probabilities indexed like ``features``; NaN where too little is known to say."""
        probabilities = self.calibrator.predict(gbm.predict(self.booster, self._inputs(features)))
        return pd.Series(probabilities, index=features.index).where(~self.insufficient(features))

    def insufficient(self, features: pd.DataFrame) -> pd.Series:
        """True where neither statistics nor engagements reach the policy's minimum."""
        few_days = features["days_known"] < self.policy.minimum_days_known
        return few_days & (features["engagements_known"] < self.policy.minimum_engagements_known)

    def confidence(self, features: pd.DataFrame) -> pd.Series:
        """In [0, 1]: how much was seen of what the policy calls enough, half statistics and half engagements."""
        days = features["days_known"] / self.policy.full_confidence_days
        engagements = features["engagements_known"] / self.policy.full_confidence_engagements
        return (days.clip(upper=1) + engagements.clip(upper=1)) / 2

    def risk_score(self, probability: float) -> int:
        """1000 × (1 − false-positive rate) if this probability were the threshold."""
        return int(self.risk_scores(np.array([probability]))[0])

    def risk_scores(self, probabilities: Values) -> Values:
        """The risk score of each of n probabilities; NaN where there is none."""
        scores = np.round(1000 * np.searchsorted(self.innocent, probabilities) / len(self.innocent))
        return np.where(np.isnan(probabilities), np.nan, scores)

    def risk_level(self, probability: float) -> str | None:
        """The policy's level; None for an unknown probability."""
        return None if np.isnan(probability) else self.policy.level(self.risk_score(probability)).risk_level

    def explain(self, features: pd.DataFrame, dossier: Dossier) -> list[dict[str, list[dict[str, Any]]]]:
        """Per row reason codes from the model's own contributions and what speaks for innocence, see
        :mod:`models.fraud_reasons`."""
        if features.empty:
            return []
        margins = gbm.contributions(self.booster, self._inputs(features))[:, :-1]
        peers = self.peers.usual(features)
        return explain(features, pd.DataFrame(margins, columns=list(FRAUD_FEATURES)), self.usual, peers, dossier)

    def answers(self, features: pd.DataFrame, model_version: str, dossier: Dossier) -> list[dict[str, Any]]:
        """The fraud answer for each row of ``features``. BLOCK is a recommendation that a person has to confirm."""
        fixed = {
            "model_version": model_version,
            "policy_version": self.policy.version,
            "data_as_of": dossier.as_of.isoformat(),
        }
        told = ~self.insufficient(features)
        explained = dict(zip(features.index[told], self.explain(features[told], dossier), strict=True))
        columns = (features.index, self.predict(features), self.confidence(features))
        return [
            {"creator_id": creator_id, **self._verdict(probability), "confidence": round(float(confidence), 3)}
            | {"insufficient_data": bool(np.isnan(probability))}
            | explained.get(creator_id, {"reason_codes": [], "innocent_explanations": []})
            | fixed
            for creator_id, probability, confidence in zip(*columns, strict=True)
        ]

    def save(self, folder: Path) -> None:
        """Writes the booster as text and the rest as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        gbm.save_booster(self.booster, folder / "booster.txt")
        rest = {
            "calibrator": self.calibrator.to_json(),
            "peers": self.peers.to_json(),
            "innocent": list(self.innocent),
            "policy": self.policy.to_json(),
            "metrics": self.metrics,
            "usual": self.usual,
        }
        (folder / "fraud.json").write_text(json.dumps(rest, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "FraudModel":
        """Reads what :meth:`save` wrote. Raises InputError (CONFLICT) for a model of other features."""
        booster = gbm.load_booster_for(folder / "booster.txt", FRAUD_FEATURES, "fraud")
        rest = json.loads((folder / "fraud.json").read_text(encoding="utf-8"))
        calibrator, peers = PlattCalibrator.from_json(rest["calibrator"]), Peers.from_json(rest["peers"])
        innocent, policy = np.array(rest["innocent"]), FraudPolicy.from_json(rest["policy"])
        return cls(booster, calibrator, peers, innocent, policy, rest["metrics"], rest["usual"])

    def _inputs(self, features: pd.DataFrame) -> Values:
        return _matrix(self.peers.compared(features))

    def _verdict(self, probability: float) -> dict[str, Any]:
        """Without enough data no number and no level: rather nothing than a guess."""
        if np.isnan(probability):
            unknown = dict.fromkeys(("fraud_probability", "risk_score", "risk_level"))
            return unknown | {"recommended_action": self.policy.insufficient_data_action}
        score = self.risk_score(probability)
        level = self.policy.level(score)
        return {
            "fraud_probability": float(probability),
            "risk_score": score,
            "risk_level": level.risk_level,
            "recommended_action": level.recommended_action,
        }


def fit_fraud(tables: Tables, *, label_known_by: pd.Timestamp, rng: np.random.Generator) -> FraudModel:
    """Trains on all labels of creators known by then.

    Raises ValueError when they are too few, saying how many are needed.
    """
    end = data_as_of(tables)
    labels = dated_labels(tables, end)
    dates = training_dates(tables, labels, label_known_by)
    frames = {date: feature_frame(tables, labels, date, end) for date in dates}
    seen = known(tables, label_known_by, end)
    rows = training_rows(labels, frames, label_known_by, seen["creators"][c.CREATOR_ID].nunique())
    if not rows.enough:
        count = int((creator_labels(tables, end)[c.KNOWN_AT] <= label_known_by).sum())
        needed = f"{MINIMUM_LABELS} are needed, {MINIMUM_EACH} of each kind that speak for a date with data"
        raise ValueError(f"{count} labels of creators; {needed}")
    return _fit(rows, fraud_features(seen, label_known_by), int(rng.integers(2**31)))


def walk_forward(tables: Tables, dates: Iterable[pd.Timestamp], rng: np.random.Generator) -> pd.DataFrame:
    """as_of, creator_id, fraud_probability, risk_score: for each date what a model that saw only labels known by then
    said of all.

    Dates with too few labels are left out. One seed serves all, so that a date does not depend on how many follow it.
    """
    seed, end = int(rng.integers(2**31)), data_as_of(tables)
    labels = dated_labels(tables, end)
    frames: dict[pd.Timestamp, pd.DataFrame] = {}
    scored = []
    for date in sorted(dates):
        new = [day for day in training_dates(tables, labels, date) if day not in frames]
        frames |= {day: feature_frame(tables, labels, day, end) for day in new}
        seen = known(tables, date, end)
        rows = training_rows(labels, frames, date, seen["creators"][c.CREATOR_ID].nunique())
        if rows.enough:
            everyone = fraud_features(seen, date)
            model = _fit(rows, everyone, seed)
            scores = model.predict(everyone).rename("fraud_probability").reset_index()
            risk = model.risk_scores(scores["fraud_probability"].to_numpy())
            scored.append(scores.assign(as_of=date, risk_score=risk))
    columns = ["as_of", c.CREATOR_ID, "fraud_probability", "risk_score"]
    return pd.concat(scored, ignore_index=True)[columns] if scored else pd.DataFrame(columns=columns)


def past_probabilities(model: FraudModel, tables: Tables, creator_id: str, as_of: pd.Timestamp) -> "pd.Series[float]":
    """What ``model`` says of the creator at ``as_of`` and at the last MONTHS beginnings of a month, by date, each from
    what was known then; NaN where that is too little. It may have learned from labels that came later."""
    dates = pd.date_range(end=as_of, periods=MONTHS, freq="MS", normalize=True).union([as_of])
    ids = pd.Index([creator_id], name=c.CREATOR_ID)
    said = [model.predict(fraud_features(known(tables, date), date, ids)).iloc[0] for date in dates]
    return pd.Series(said, index=dates, dtype="float64")


def _fit(rows: Rows, everyone: pd.DataFrame, seed: int) -> FraudModel:
    """The model on all rows, calibrated on what models of four fifths of the creators said of the other fifth;
    ``everyone`` are the features of all creators at the end.

    Labels are doubted DOUBTS times: what the scores and the label noise make of each becomes the next target (Raykar et
    al., JMLR 2010), in between where they disagree.
    """
    peers, judged, believed = Peers.fit(everyone), rows.judged, rows.target
    x = _matrix(peers.compared(rows.features))
    for _ in range(DOUBTS + 1):
        target, raw = believed, _out_of_fold(x, believed, rows.features.index, seed)
        flat = rows.weight[judged] ** FLATTENING
        calibrator, noise = calibrated_to_guilt(raw[judged], rows.target[judged], flat)
        believed = noise.guilt(calibrator.predict(raw), rows.target)
    metrics = _metrics(calibrator.predict(raw[judged]), rows.target[judged], rows.audited[judged])
    metrics |= {"label_false_alarms": noise.false_alarm, "label_misses": noise.miss}
    booster = _train(x, target, seed)
    innocent = _innocent(calibrator.predict(gbm.predict(booster, _matrix(peers.compared(everyone)))))
    return FraudModel(booster, calibrator, peers, innocent, load_fraud_policy(), metrics, _usual(rows))


def _innocent(probability: Values) -> Values:
    """Quantiles among the innocent of a population in which each is innocent with 1 − ``probability``."""
    levels = np.linspace(0, 1, QUANTILES + 1)
    return np.quantile(probability, levels, weights=1 - probability, method="inverted_cdf")


def _usual(rows: Rows) -> Usual:
    """What is usual among those whom reviews cleared."""
    cleared = rows.judged & (rows.target == 0)
    return usual_values(rows.features.loc[cleared, list(FRAUD_FEATURES)], rows.weight[cleared])


def _out_of_fold(x: Values, target: Values, creators: pd.Index, seed: int) -> Values:
    raw = np.zeros(len(target))
    for train, test in GroupKFold(FOLDS).split(raw, groups=creators):
        raw[test] = gbm.predict(_train(x[train], target[train], seed), x[test])
    return raw


def _train(x: Values, target: Values, seed: int) -> lgb.Booster:
    return gbm.train_booster(
        PARAMETERS, x, target, feature_names=FRAUD_FEATURES, rounds=ROUNDS, monotone=MONOTONE, seed=seed
    )


def _metrics(probability: Values, target: Values, audited: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Out of fold by creator, against labels as reviewers gave them: since these err, a probability calibrated to the
    truth looks worse here than it is. On the audits alone where they hold enough of both kinds: they are unbiased."""
    if has_both(target[audited]):
        probability, target = probability[audited], target[audited]
    return {
        "pr_auc": average_precision(probability, target),
        "auroc": float(roc_auc_score(target, probability)),
        "brier": brier(probability, target),
        "ece": expected_calibration_error(probability, target),
        "prevalence": float(target.mean()),
        "labels": float(len(target)),
    }


def _matrix(features: pd.DataFrame) -> Values:
    return features[list(FRAUD_FEATURES)].to_numpy(np.float64)
