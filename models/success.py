"""P(completed within 90 days and not rated below 3 | invited now for this brief), calibrated.

Two boosters, acceptance and completion once accepted, because they fail for different reasons and are reported
apart; their product is calibrated on rows whose brief neither booster saw.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold

from models.calibration import PlattCalibrator
from models.gbm import load_booster, predict, save_booster, train_booster
from models.measures import brier, expected_calibration_error, log_loss

Values = npt.NDArray[np.float64]
Model = Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame], Values]  # what :func:`boosted` is, but for the seed
WITHIN = pd.Timedelta(days=90)
FOLDS = 5
ROUNDS = 100
MINIMUM_ROWS = 100
TOLD = pd.Index(["acceptance", "completion", "success"])
# tower_score is left out: the towers have seen these very outcomes.
LEFT_OUT = ("tower_score",)
# Who keeps promises and fits does not fail for it; a dear, busy or suspect creator does not do better for that.
MONOTONE = dict.fromkeys(
    "text_cosine label_overlap brand_label_share brand_interest all_interest acceptance_rate completion_rate "
    "mean_rating credit_score".split(),
    1,
) | dict.fromkeys(
    "price_to_budget cost_per_mille open_orders recent_invitations brand_failures fraud_probability".split(), -1
)
# Some hundreds of outcomes, most of them luck, carry no deep trees: of 3, 4 and 7 leaves 3 had the best log-loss.
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.04,
    "num_leaves": 3,
    "min_data_in_leaf": 30,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 20.0,
}


@dataclass(frozen=True)
class SuccessModel:
    """Boosters for acceptance and for completion given acceptance, and the calibrator of their product."""

    acceptance: lgb.Booster
    completion: lgb.Booster
    calibrator: PlattCalibrator
    metrics: dict[str, float]

    def predict(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """Columns acceptance, completion (given acceptance) and success, each (k,) in [0, 1]."""
        return pd.DataFrame(np.column_stack(self.probabilities(pairs)), index=pairs.index, columns=TOLD)

    def probabilities(self, pairs: pd.DataFrame) -> tuple[Values, Values, Values]:
        """What :meth:`predict` gives, column by column."""
        matrix = _matrix(pairs)
        accepted, completed = predict(self.acceptance, matrix), predict(self.completion, matrix)
        return accepted, completed, self.calibrator.predict(accepted * completed)

    def save(self, folder: Path) -> None:
        """Writes two boosters as text and the calibrator as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        save_booster(self.acceptance, folder / "acceptance.txt")
        save_booster(self.completion, folder / "completion.txt")
        rest = {"calibrator": self.calibrator.to_json(), "metrics": self.metrics}
        (folder / "success.json").write_text(json.dumps(rest, indent=1))

    @classmethod
    def load(cls, folder: Path) -> "SuccessModel":
        """Reads what :meth:`save` wrote."""
        rest = json.loads((folder / "success.json").read_text())
        return cls(
            acceptance=load_booster(folder / "acceptance.txt"),
            completion=load_booster(folder / "completion.txt"),
            calibrator=PlattCalibrator.from_json(rest["calibrator"]),
            metrics=rest["metrics"],
        )


def success_targets(invited: pd.DataFrame) -> pd.DataFrame:
    """accepted and succeeded (0/1) of ``invited`` collaborations (features.collaborations), all at least 90 days
    old."""
    late = invited["invited_at"] + WITHIN
    accepted = invited["accepted_at"].notna() | invited["completed_at"].notna()
    succeeded = (invited["completed_at"] <= late) & invited["failed_at"].isna()
    return pd.DataFrame({"accepted": accepted.astype(float), "succeeded": succeeded.astype(float)})


def fit_success(pairs: pd.DataFrame, targets: pd.DataFrame, briefs: npt.NDArray[np.str_], *, seed: int) -> SuccessModel:
    """Fits on one row per invitation; ``briefs`` (r,) keeps a brief's rows in one fold while calibrating.

    Raises ValueError below MINIMUM_ROWS rows or when either outcome never varies.
    """
    if len(pairs) < MINIMUM_ROWS or targets["accepted"].nunique() < 2 or targets["succeeded"].nunique() < 2:
        raise ValueError(f"{len(pairs)} invitations at least 90 days old with both outcomes; {MINIMUM_ROWS} are needed")
    raw, told = out_of_fold(partial(boosted, seed=seed), pairs, targets, briefs)
    calibrator = PlattCalibrator.fit(raw, targets["succeeded"].to_numpy(np.float64))
    return SuccessModel(*_fit_two(pairs, targets, seed), calibrator, _metrics(told, targets))


def boosted(pairs: pd.DataFrame, targets: pd.DataFrame, unseen: pd.DataFrame, *, seed: int) -> Values:
    """(k,) P(accepted) × P(succeeded | accepted) of the rows ``unseen``, by boosters fitted on ``pairs``."""
    return np.prod([predict(booster, _matrix(unseen)) for booster in _fit_two(pairs, targets, seed)], axis=0)


def out_of_fold(
    told_by: Model, pairs: pd.DataFrame, targets: pd.DataFrame, briefs: npt.NDArray[np.str_]
) -> tuple[Values, Values]:
    """(r,) probabilities by a model like :func:`boosted` that saw no invitation of the row's brief, and these
    calibrated, each fold by a calibrator that was fitted on the others."""
    raw, told = np.zeros(len(pairs)), np.zeros(len(pairs))
    folds = list(GroupKFold(FOLDS).split(pairs, groups=briefs))
    for train, test in folds:
        raw[test] = told_by(pairs.iloc[train], targets.iloc[train], pairs.iloc[test])
    succeeded = targets["succeeded"].to_numpy(np.float64)
    for train, test in folds:
        told[test] = PlattCalibrator.fit(raw[train], succeeded[train]).predict(raw[test])
    return raw, told


def _metrics(probability: Values, targets: pd.DataFrame) -> dict[str, float]:
    """Out of fold by brief, beside the scores of always saying the base rate."""
    succeeded = targets["succeeded"].to_numpy(np.float64)
    base_rate = np.full(len(succeeded), succeeded.mean())
    return {
        "brier": brier(probability, succeeded),
        "brier_base_rate": brier(base_rate, succeeded),
        "log_loss": log_loss(probability, succeeded),
        "log_loss_base_rate": log_loss(base_rate, succeeded),
        "ece": expected_calibration_error(probability, succeeded),
        "acceptance_rate": float(targets["accepted"].mean()),
        "completion_rate": float(targets.loc[targets["accepted"] == 1, "succeeded"].mean()),
        "invitations": float(len(targets)),
    }


def _fit_two(pairs: pd.DataFrame, targets: pd.DataFrame, seed: int) -> tuple[lgb.Booster, lgb.Booster]:
    taken = targets["accepted"] == 1
    return (
        _fit(pairs, targets["accepted"], seed),
        _fit(pairs[taken.to_numpy()], targets.loc[taken.to_numpy(), "succeeded"], seed + 1),
    )


def _fit(pairs: pd.DataFrame, target: pd.Series, seed: int) -> lgb.Booster:
    names = [name for name in pairs.columns if name not in LEFT_OUT]
    return train_booster(
        PARAMETERS,
        _matrix(pairs),
        target.to_numpy(np.float64),
        feature_names=names,
        rounds=ROUNDS,
        monotone=[MONOTONE.get(name, 0) for name in names],
        seed=seed,
    )


def _matrix(pairs: pd.DataFrame) -> Values:
    return np.delete(pairs.to_numpy(np.float64), [pairs.columns.get_loc(name) for name in LEFT_OUT], axis=1)
