"""instafake: fake accounts in-domain, and where the population is another one.

In-domain: FOLDS × REPEATS, with equal profiles in one fold. Label shift: a model of one half, and the other half
resampled to another share of fakes. Covariate shift: the simulated marketplace's accounts, of which little is told by a
profile (see docs/results.md).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from features.accounts import account_features
from features.asof import data_as_of
from features.schema import Tables
from models.accounts import AccountModel, Values, fit_labelled, folds, labelled_accounts
from models.measures import Interval, binary_metrics, bootstrap
from training.benchmarks.accounts import fit_on, judged, judged_rows, read
from training.simulate import simulate
from training.world import WORLD_1, random_world

SEED = 0
REPEATS = 4
METRICS = ("auroc", "pr_auc", "log_loss", "ece")
RATES = (0.05, 0.1, 0.3, 0.5)
DRAWS = 20
CORRECTED = ("as_trained", "at_estimated_rate", "at_base_rate")
CREATORS, BRIEFS, DAYS = 1000, 10, 60


def run(data: Path, _: Path) -> dict[str, object]:
    """In-domain and shifted figures. Raises InputError when the folder does not hold the data."""
    tables, rng = read(data, "--data"), np.random.default_rng(SEED)
    world_1, other = _simulated(False), _simulated(True)
    model = fit_on(tables, rng)
    return {
        "in_domain": in_domain(tables, rng),
        "label_shift": label_shift(tables, rng),
        "covariate_shift": {
            "instafake_to_world_1": judged(model, world_1),
            "world_1_to_instafake": judged(fit_on(world_1, rng), tables),
            "world_1_to_random_world": judged(fit_on(world_1, rng), other),
        },
    }


def in_domain(tables: Tables, rng: np.random.Generator) -> dict[str, Interval]:
    """Means over the folds, each model having seen four fifths, with intervals over folds; ECE of a whole repeat."""
    accounts, labels, features, end = _rows(tables)
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    for seed in tqdm(rng.integers(2**31, size=REPEATS), "repeats"):
        scores = np.zeros(len(labels))
        for train, test in folds(features, labels, int(seed)):
            scores[test] = _fit(accounts, labels, train, end, rng).predict(features.iloc[test])
            figures = binary_metrics(scores[test], labels[test])
            for name in METRICS[:-1]:
                found[name].append(figures[name])
        found["ece"].append(binary_metrics(scores, labels)["ece"])
    return {name: bootstrap(values, rng) for name, values in found.items()}


def label_shift(tables: Tables, rng: np.random.Generator) -> dict[str, object]:
    """By share of fakes: means over DRAWS of what corrections do to the probabilities, and how often one is refused."""
    draws = [draw for _ in tqdm(range(DRAWS), "draws") for draw in resampled(tables, rng)]
    return {str(rate): _means([found for drawn, found in draws if drawn == rate], rng) for rate in RATES}


def resampled(tables: Tables, rng: np.random.Generator) -> Iterator[tuple[float, dict[str, object]]]:
    """A model of half of the profiles, and the other half at each of RATES, as many rows as it has."""
    accounts, labels, features, end = _rows(tables)
    profile = features.groupby(list(features), dropna=False).ngroup().to_numpy()
    held = np.isin(profile, rng.permutation(profile.max() + 1)[: profile.max() // 2])
    model = _fit(accounts, labels, np.flatnonzero(~held), end, rng)
    fake, genuine = np.flatnonzero(held & (labels == 1)), np.flatnonzero(held & (labels == 0))
    for rate in RATES:
        size = min(len(genuine) / (1 - rate), len(fake) / rate)
        rows = np.concatenate(
            [
                rng.choice(part, round(size * share), replace=False)
                for part, share in ((fake, rate), (genuine, 1 - rate))
            ]
        )
        yield rate, judged_rows(model, features.iloc[rows], labels[rows], rate)


def _means(found: list[dict[str, object]], rng: np.random.Generator) -> dict[str, object]:
    frames = {name: pd.DataFrame([one[name] for one in found]) for name in CORRECTED}
    means = {
        name: {column: bootstrap(frame[column].tolist(), rng) for column in ("log_loss", "ece", "mean_score")}
        for name, frame in frames.items()
    }
    refused = float(np.mean([one["correction"] == "REFUSED" for one in found]))
    return means | {"rows": float(frames["as_trained"]["rows"].mean()), "refused": refused}


def _simulated(random: bool) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(SEED)
    world = random_world(rng) if random else WORLD_1
    return simulate(world, creators=CREATORS, briefs=BRIEFS, days=DAYS, rng=rng).tables


def _rows(tables: Tables) -> tuple[pd.DataFrame, Values, pd.DataFrame, pd.Timestamp]:
    end = data_as_of(tables)
    accounts, labels = labelled_accounts(tables, end)
    return accounts, labels, account_features(accounts, end), end


def _fit(
    accounts: pd.DataFrame, labels: Values, rows: "np.typing.NDArray[np.int64]", end: pd.Timestamp,
    rng: np.random.Generator,
) -> AccountModel:  # fmt: skip
    return fit_labelled(accounts.iloc[rows].reset_index(drop=True), labels[rows], end, rng)
