"""The probability that an account is fake, calibrated, robust to columns that are missing, honest about other
populations (:mod:`models.label_shift`)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from features import columns as c
from features.accounts import ACCOUNT_FEATURES, PROFILE, account_features
from features.asof import data_as_of, known
from features.fraud.window import Judge
from features.schema import ACCOUNTS, FRAUD_LABELS, Tables
from models import gbm
from models.calibration import PlattCalibrator
from models.evidence import reason_codes
from models.fraud_rows import MINIMUM_EACH, MINIMUM_LABELS, has_both
from models.label_shift import LabelShift, Verdict
from models.measures import binary_metrics

Values = npt.NDArray[np.float64]
FOLDS = 5
ROUNDS = 600
HIDDEN = 1 / 3  # of the cells in the second copy of every training row
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 4,
    "min_data_in_leaf": 10,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "extra_trees": True,
}
REASONS = {
    "FOLLOWS_MANY": (
        "Follows many accounts for how many follow it",
        (c.FOLLOWING_COUNT, "following_per_follower"),
    ),
    "FEW_CONNECTIONS": ("Hardly anyone follows it", (c.FOLLOWERS_COUNT, "connections")),
    "HARDLY_PUBLISHES": (
        "Has published little for its followers and for whom it follows",
        (c.VIDEOS_COUNT, "videos_per_follower", "videos_per_following"),
    ),
    "EMPTY_PROFILE": ("Has no picture, or says little of itself", (c.HAS_AVATAR, c.BIO_LENGTH)),
    "VISIBILITY": ("Is public or private where genuine accounts are not", (c.IS_PRIVATE,)),
    "MACHINE_MADE_HANDLE": (
        "The handle looks made by a machine",
        (c.HANDLE_DIGITS, c.HANDLE_LENGTH, "digit_share"),
    ),
    "YOUNG_ACCOUNT": ("Its age is that of accounts made to order", ("account_age",)),
}  # fmt: skip


@dataclass(frozen=True)
class AccountModel:
    """``shift`` is the population that it learned from."""

    booster: lgb.Booster
    calibrator: PlattCalibrator
    shift: LabelShift
    metrics: dict[str, float]

    def predict(self, features: pd.DataFrame) -> pd.Series:
        """Probabilities in the population of training, indexed like ``features``; NaN where nothing is known."""
        probabilities = self.calibrator.predict(gbm.predict(self.booster, _matrix(features)))
        return pd.Series(probabilities, index=features.index).where(features.notna().any(axis=1))

    def lift(self, accounts: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
        """How many times as likely as in the population of training each account (conformed) is to be fake: the
        likelihood of such a profile among fakes over that among all."""
        return self.predict(account_features(accounts, as_of)) / self.shift.base_rate

    def verdict(self, features: pd.DataFrame) -> Verdict:
        """Whether these accounts, taken together, differ from those of training in the share of fakes only."""
        probabilities = self.predict(features)
        told = probabilities.notna()
        return self.shift.verdict(features[told], probabilities[told].to_numpy())

    def explain(self, features: pd.DataFrame) -> list[list[dict[str, Any]]]:
        """Per row at most four reason codes, from the model's own contributions."""
        if features.empty:
            return []
        margins = gbm.contributions(self.booster, _matrix(features))[:, :-1]
        return reason_codes(features, pd.DataFrame(margins, columns=list(ACCOUNT_FEATURES)), REASONS)

    def save(self, folder: Path) -> None:
        """Writes the booster as text and the rest as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        gbm.save_booster(self.booster, folder / "booster.txt")
        rest = {"calibrator": self.calibrator.to_json(), "shift": self.shift.to_json(), "metrics": self.metrics}
        (folder / "accounts.json").write_text(json.dumps(rest, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "AccountModel":
        """Reads what :meth:`save` wrote. Raises InputError (CONFLICT) for a model of other features."""
        booster = gbm.load_booster_for(folder / "booster.txt", ACCOUNT_FEATURES, "accounts")
        rest = json.loads((folder / "accounts.json").read_text(encoding="utf-8"))
        calibrator = PlattCalibrator.from_json(rest["calibrator"])
        return cls(booster, calibrator, LabelShift.from_json(rest["shift"]), rest["metrics"])


def judge_of(model: AccountModel | None) -> Judge | None:
    """The model as features of creators read it."""
    return None if model is None else model.lift


def labelled_accounts(tables: Tables, by: pd.Timestamp) -> tuple[pd.DataFrame, Values]:
    """The accounts known by then whose label is known by then, a row each, and the label known last (0 or 1)."""
    read = {name: frame for name, frame in tables.items() if name in (ACCOUNTS.name, FRAUD_LABELS.name)}
    seen = known(read, by, data_as_of(tables))
    labels = seen["fraud_labels"].dropna(subset=[c.ACCOUNT_ID]).sort_values(c.KNOWN_AT, kind="stable")
    labels = labels.drop_duplicates(c.ACCOUNT_ID, keep="last").set_index(c.ACCOUNT_ID)[c.IS_FAKE]
    accounts = seen["accounts"].drop_duplicates(c.ACCOUNT_ID, keep="last")
    accounts = accounts[accounts[c.ACCOUNT_ID].isin(labels.index)].reset_index(drop=True)
    return accounts, labels.reindex(accounts[c.ACCOUNT_ID]).to_numpy(np.float64)


def fit_accounts(tables: Tables, *, label_known_by: pd.Timestamp, rng: np.random.Generator) -> AccountModel:
    """Trains on every account of ``tables`` whose label was known by then, whatever the order of rows.

    Raises ValueError when they are too few, saying how many are needed.
    """
    accounts, labels = labelled_accounts(tables, label_known_by)
    if len(labels) < MINIMUM_LABELS or not has_both(labels):
        needed = f"{MINIMUM_LABELS} are needed, {MINIMUM_EACH} of each kind"
        raise ValueError(f"{len(labels)} labels of accounts; {needed}")
    order = np.argsort(accounts[c.ACCOUNT_ID].to_numpy(str), kind="stable")
    return fit_labelled(accounts.iloc[order].reset_index(drop=True), labels[order], label_known_by, rng)


def account_models(tables: Tables, seed: int) -> Callable[[pd.Timestamp], AccountModel | None]:
    """For a date the model of the labels known by then, fitted when it is first asked for; None while they are too
    few."""

    @cache
    def at(date: pd.Timestamp) -> AccountModel | None:
        try:
            return fit_accounts(tables, label_known_by=date, rng=np.random.default_rng(seed))
        except ValueError:
            return None

    return at


def fit_labelled(accounts: pd.DataFrame, labels: Values, as_of: pd.Timestamp, rng: np.random.Generator) -> AccountModel:
    """The model of ``accounts`` (n rows, conformed) and their ``labels`` (n,), calibrated on what models of four fifths
    of the accounts said of the other fifth."""
    features = account_features(accounts, as_of)
    shown = pd.concat([features, account_features(_partly_hidden(accounts, rng), as_of)], ignore_index=True)
    seed = int(rng.integers(2**31))
    raw = np.zeros(len(labels))
    for train, test in folds(features, labels, seed):
        both = np.concatenate([train, train + len(labels)])
        raw[test] = gbm.predict(_train(shown.iloc[both], np.tile(labels[train], 2), seed), _matrix(features.iloc[test]))
    calibrator = PlattCalibrator.fit(raw, labels)
    probabilities = calibrator.predict(raw)
    shift = LabelShift.of(features, probabilities, labels)
    return AccountModel(
        _train(shown, np.tile(labels, 2), seed), calibrator, shift, binary_metrics(probabilities, labels)
    )


def folds(features: pd.DataFrame, labels: Values, seed: int) -> Iterator[tuple[npt.NDArray[np.int64], ...]]:
    """FOLDS pairs of rows to learn from and to judge by, with the same share of fakes; equal profiles stay together,
    since one that is judged must not have been learned."""
    profiles = features.groupby(list(features), dropna=False).ngroup()
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    yield from splitter.split(features, labels, profiles)


def _partly_hidden(accounts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The accounts with cells hidden at random: a model that never met a gap reads it as a zero, and an account of
    which the followers are not known as one without any."""
    columns = (*PROFILE, c.CREATED_AT)
    return accounts.assign(**{name: accounts[name].mask(rng.random(len(accounts)) < HIDDEN) for name in columns})


def _train(features: pd.DataFrame, labels: Values, seed: int) -> lgb.Booster:
    return gbm.train_booster(
        PARAMETERS, _matrix(features), labels, feature_names=ACCOUNT_FEATURES, rounds=ROUNDS, seed=seed
    )


def _matrix(features: pd.DataFrame) -> Values:
    return features[list(ACCOUNT_FEATURES)].to_numpy(np.float64)
