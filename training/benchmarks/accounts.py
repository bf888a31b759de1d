"""Account authenticity, learned on one population and judged on another, by any two folders with the tables accounts
and fraud_labels."""

from pathlib import Path

import numpy as np
import pandas as pd

from features.accounts import account_features
from features.asof import data_as_of
from features.errors import bad
from features.schema import Tables, complete
from features.tables import read_some
from models.accounts import AccountModel, Values, fit_labelled, labelled_accounts
from models.measures import binary_metrics

SEED = 0
TABLES = ("accounts", "fraud_labels")


def run(train: Path, test: Path, base_rate: float | None) -> dict[str, object]:
    """Learns on ``train``, measures on ``test``. Raises InputError for a folder without labelled accounts of both
    kinds."""
    model = fit_on(read(train, "--train"), np.random.default_rng(SEED))
    return judged(model, read(test, "--test"), base_rate)


def read(folder: Path, option: str) -> dict[str, pd.DataFrame]:
    """The two tables, complete with the others, empty."""
    tables = complete(read_some(folder, TABLES))
    labels = labelled_accounts(tables, data_as_of(tables))[1]
    if not np.isin([0, 1], labels).all() or not np.isin(labels, [0, 1]).all():
        problem = "needs accounts with the label 0 and accounts with the label 1 in fraud_labels, and no other"
        raise bad(option, problem, str(folder))
    return tables


def fit_on(tables: Tables, rng: np.random.Generator) -> AccountModel:
    """The model of all labelled accounts."""
    end = data_as_of(tables)
    return fit_labelled(*labelled_accounts(tables, end), end, rng)


def judged(model: AccountModel, tables: Tables, base_rate: float | None = None) -> dict[str, object]:
    """Metrics of the probabilities as trained; at the share of fakes that EM finds; at ``base_rate`` if there is one.

    ``answered`` names the one that the service gives: with a correction refused it is the first.
    """
    end = data_as_of(tables)
    accounts, labels = labelled_accounts(tables, end)
    return judged_rows(model, account_features(accounts, end), labels, base_rate)


def judged_rows(
    model: AccountModel, features: pd.DataFrame, labels: Values, base_rate: float | None = None
) -> dict[str, object]:
    """:func:`judged` of rows; an account of which nothing is known counts with the share of fakes of training."""
    probabilities = model.predict(features).fillna(model.shift.base_rate).to_numpy()
    verdict = model.verdict(features)
    rates = {"at_estimated_rate": model.shift.estimate(probabilities)}
    rates |= {} if base_rate is None else {"at_base_rate": base_rate}
    found = {"as_trained": binary_metrics(probabilities, labels)} | {
        name: {"base_rate": rate} | binary_metrics(model.shift.at(probabilities, rate), labels)
        for name, rate in rates.items()
    }
    return {
        **found,
        "trained_rate": model.shift.base_rate,
        "answered": "as_trained" if verdict.shifted or base_rate is None else "at_base_rate",
        "correction": "REFUSED" if verdict.shifted else "ALLOWED",
        "statement": verdict.statement,
        "shifted": verdict.shifted,
    }
