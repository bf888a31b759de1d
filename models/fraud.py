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

from features import columns as c
from features.asof import data_as_of, known
from features.fraud import FRAUD_FEATURES, fraud_features
from features.fraud.history import Dossier
from features.fraud_labels import creator_labels
from features.schema import Tables
from models import gbm
from models.accounts import AccountModel, account_models, judge_of
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
from models.fraud_trees import matrix, out_of_fold, train
from models.label_noise import calibrated_to_guilt
from models.measures import average_precision, brier, expected_calibration_error
from models.risk_scale import RiskScale

Values = npt.NDArray[np.float64]
MONTHS = 6
DOUBTS = 2
FLATTENING = 0.5  # power of the weights in calibration, between what is unbiased and what is steady (Shimodaira, 2000)


@dataclass(frozen=True)
class FraudModel:
    """``peers`` say what is usual for a creator's size, country and format: the trees read how far it is from that.
    ``scale`` ties a risk score to a false-positive rate; ``usual`` are quantiles of the features of those whom reviews
    cleared, to hold evidence against. ``policy`` is that of the time of training. ``accounts`` is
    the level below, whose scores are among the features; None where too few accounts had a label."""

    booster: lgb.Booster
    calibrator: PlattCalibrator
    peers: Peers
    scale: RiskScale
    policy: FraudPolicy
    metrics: dict[str, float]
    usual: Usual
    accounts: AccountModel | None

    def features(self, tables: Tables, as_of: pd.Timestamp, ids: pd.Index | None = None) -> pd.DataFrame:
        """What the model reads: :func:`features.fraud.fraud_features` with the scores of its ``accounts``."""
        return fraud_features(tables, as_of, ids, judge_of(self.accounts))

    def predict(self, features: pd.DataFrame) -> pd.Series:
        """Probabilities indexed like ``features``; NaN where too little is known to say."""
        return self._predicted(features, self._inputs(features))

    def _predicted(self, features: pd.DataFrame, inputs: Values) -> pd.Series:
        probabilities = self.calibrator.predict(gbm.predict(self.booster, inputs))
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

    def risk_scores(self, probability: "pd.Series[float]", features: pd.DataFrame) -> Values:
        """(n,) 1000 × (1 − false-positive rate among creators alike if this probability were the threshold); NaN where
        there is none. ``features`` are those of the same creators."""
        return self.scale.scores(probability.to_numpy(np.float64), self.kinds(features))

    def kinds(self, features: pd.DataFrame) -> npt.NDArray[np.str_]:
        """(n,) among creators of which kind a risk score holds (:mod:`models.risk_scale`)."""
        return self.scale.surges.kinds(features)

    def risk_levels(self, probability: "pd.Series[float]", features: pd.DataFrame) -> list[str | None]:
        """The policy's level of each; None for an unknown probability."""
        return self.policy.levels_of(self.risk_scores(probability, features))

    def explain(
        self, features: pd.DataFrame, inputs: Values, dossier: Dossier
    ) -> list[dict[str, list[dict[str, Any]]]]:
        """Per row, of which the trees read ``inputs``, reason codes from the model's own contributions and what speaks
        for innocence, see :mod:`models.fraud_reasons`."""
        if features.empty:
            return []
        margins = gbm.contributions(self.booster, inputs)[:, :-1]
        peers = self.peers.usual(features)
        return explain(features, pd.DataFrame(margins, columns=list(FRAUD_FEATURES)), self.usual, peers, dossier)

    def answers(self, features: pd.DataFrame, model_version: str, dossier: Dossier) -> list[dict[str, Any]]:
        """The fraud answer for each row of ``features``. BLOCK is a recommendation that a person has to confirm."""
        fixed = {
            "model_version": model_version,
            "policy_version": self.policy.version,
            "data_as_of": dossier.as_of.isoformat(),
        }
        told, inputs = ~self.insufficient(features).to_numpy(bool), self._inputs(features)
        reasons = self.explain(features[told], inputs[told], dossier)
        explained = dict(zip(features.index[told], reasons, strict=True))
        probability = self._predicted(features, inputs)
        kinds = self.kinds(features)
        scores = self.scale.scores(probability.to_numpy(np.float64), kinds)
        columns = (features.index, probability, scores, kinds, self.confidence(features))
        return [
            {"creator_id": creator_id, **self._verdict(probability, score, str(kind))}
            | {"confidence": round(float(confidence), 3)}
            | {"insufficient_data": bool(np.isnan(probability))}
            | explained.get(creator_id, {"reason_codes": [], "innocent_explanations": []})
            | fixed
            for creator_id, probability, score, kind, confidence in zip(*columns, strict=True)
        ]

    def save(self, folder: Path) -> None:
        """Writes the booster as text and the rest as JSON, without ``accounts``: a release has that model beside."""
        folder.mkdir(parents=True, exist_ok=True)
        gbm.save_booster(self.booster, folder / "booster.txt")
        rest = {
            "calibrator": self.calibrator.to_json(),
            "peers": self.peers.to_json(),
            "scale": self.scale.to_json(),
            "policy": self.policy.to_json(),
            "metrics": self.metrics,
            "usual": self.usual,
        }
        (folder / "fraud.json").write_text(json.dumps(rest, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, accounts: AccountModel | None) -> "FraudModel":
        """Reads what :meth:`save` wrote; ``accounts`` must be those it was trained with.

        Raises InputError (CONFLICT) for a model of other features.
        """
        booster = gbm.load_booster_for(folder / "booster.txt", FRAUD_FEATURES, "fraud")
        rest = json.loads((folder / "fraud.json").read_text(encoding="utf-8"))
        calibrator, peers = PlattCalibrator.from_json(rest["calibrator"]), Peers.from_json(rest["peers"])
        scale, policy = RiskScale.from_json(rest["scale"]), FraudPolicy.from_json(rest["policy"])
        return cls(booster, calibrator, peers, scale, policy, rest["metrics"], rest["usual"], accounts)

    def _inputs(self, features: pd.DataFrame) -> Values:
        return matrix(self.peers.compared(features))

    def _verdict(self, probability: float, score: float, kind: str) -> dict[str, Any]:
        """Without enough data no number and no level: rather nothing than a guess."""
        if np.isnan(probability):
            unknown = dict.fromkeys(("fraud_probability", "risk_score", "compared_with", "risk_level"))
            return unknown | {"recommended_action": self.policy.insufficient_data_action}
        level = self.policy.level(score)
        return {
            "fraud_probability": float(probability),
            "risk_score": int(score),
            "compared_with": kind,
            "risk_level": level.risk_level,
            "recommended_action": level.recommended_action,
        }


def fit_fraud(tables: Tables, *, label_known_by: pd.Timestamp, rng: np.random.Generator) -> FraudModel:
    """Trains on all labels of creators known by then. Scores of accounts among the features of a date are of a model
    that saw only labels known at that date.

    Raises ValueError when they are too few, saying how many are needed.
    """
    seed, end = int(rng.integers(2**31)), data_as_of(tables)
    labels, accounts = dated_labels(tables, end), account_models(tables, seed)
    dates = training_dates(tables, labels, label_known_by)
    frames = {date: feature_frame(tables, labels, date, end, judge_of(accounts(date))) for date in dates}
    seen = known(tables, label_known_by, end)
    rows = training_rows(labels, frames, label_known_by, seen["creators"][c.CREATOR_ID].nunique())
    if not rows.enough:
        count = int((creator_labels(tables, end)[c.KNOWN_AT] <= label_known_by).sum())
        needed = f"{MINIMUM_LABELS} are needed, {MINIMUM_EACH} of each kind that speak for a date with data"
        raise ValueError(f"{count} labels of creators; {needed}")
    judges = accounts(label_known_by)
    return _fit(rows, fraud_features(seen, label_known_by, judge=judge_of(judges)), judges, seed)


def walk_forward(tables: Tables, dates: Iterable[pd.Timestamp], rng: np.random.Generator) -> pd.DataFrame:
    """as_of, creator_id, fraud_probability, risk_score: for each date what a model that saw only labels known by then
    said of all.

    Dates with too few labels are left out. One seed serves all, so that a date does not depend on how many follow it.
    """
    seed, end = int(rng.integers(2**31)), data_as_of(tables)
    labels, accounts = dated_labels(tables, end), account_models(tables, seed)
    frames: dict[pd.Timestamp, pd.DataFrame] = {}
    scored = []
    for date in sorted(dates):
        new = [day for day in training_dates(tables, labels, date) if day not in frames]
        frames |= {day: feature_frame(tables, labels, day, end, judge_of(accounts(day))) for day in new}
        seen = known(tables, date, end)
        rows = training_rows(labels, frames, date, seen["creators"][c.CREATOR_ID].nunique())
        if rows.enough:
            everyone = fraud_features(seen, date, judge=judge_of(accounts(date)))
            model = _fit(rows, everyone, accounts(date), seed)
            probability = model.predict(everyone).rename("fraud_probability")
            risk = model.risk_scores(probability, everyone)
            scored.append(probability.reset_index().assign(as_of=date, risk_score=risk))
    columns = ["as_of", c.CREATOR_ID, "fraud_probability", "risk_score"]
    return pd.concat(scored, ignore_index=True)[columns] if scored else pd.DataFrame(columns=columns)


def past_probabilities(
    model: FraudModel, tables: Tables, creator_id: str, as_of: pd.Timestamp, end: pd.Timestamp | None = None
) -> "pd.Series[float]":
    """What ``model`` says of the creator at ``as_of`` and at the last MONTHS beginnings of a month, by date, each from
    what was known then; NaN where that is too little. It may have learned from labels that came later."""
    dates = pd.date_range(end=as_of, periods=MONTHS, freq="MS", normalize=True).union([as_of])
    ids = pd.Index([creator_id], name=c.CREATOR_ID)
    said = [model.predict(model.features(known(tables, date, end), date, ids)).iloc[0] for date in dates]
    return pd.Series(said, index=dates, dtype="float64")


def _fit(rows: Rows, everyone: pd.DataFrame, accounts: AccountModel | None, seed: int) -> FraudModel:
    """The model on all rows, calibrated on what models of four fifths of the creators said of the other fifth;
    ``everyone`` are the features of all creators at the end, where they read ``accounts``.

    Labels are doubted DOUBTS times: what the scores and the label noise make of each becomes the next target (Raykar et
    al., JMLR 2010), in between where they disagree.
    """
    peers, judged, believed = Peers.fit(everyone), rows.judged, rows.target
    x = matrix(peers.compared(rows.features))
    for _ in range(DOUBTS + 1):
        target, raw = believed, out_of_fold(x, believed, rows.features.index, seed)
        flat = rows.weight[judged] ** FLATTENING
        calibrator, noise = calibrated_to_guilt(raw[judged], rows.target[judged], flat)
        believed = noise.guilt(calibrator.predict(raw), rows.target)
    metrics = _metrics(calibrator.predict(raw[judged]), rows.target[judged], rows.audited[judged])
    metrics |= {"label_false_alarms": noise.false_alarm, "label_misses": noise.miss}
    booster = train(x, target, seed)
    scale = RiskScale.fit(calibrator.predict(gbm.predict(booster, matrix(peers.compared(everyone)))), everyone)
    return FraudModel(booster, calibrator, peers, scale, load_fraud_policy(), metrics, _usual(rows), accounts)


def _usual(rows: Rows) -> Usual:
    """What is usual among those whom reviews cleared."""
    cleared = rows.judged & (rows.target == 0)
    return usual_values(rows.features.loc[cleared, list(FRAUD_FEATURES)], rows.weight[cleared])


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
