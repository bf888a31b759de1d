"""tolokers: banned crowd workers in a graph of who worked on the same tasks, by neighbour aggregation and trees.

Ten fixed masks split the workers into training, validation and test. For each mask every setting of GRID learns from
the training part, the validation part of the same mask chooses, and the test part is scored once, by the mean of models
with SEEDS seeds. Features know the whole graph and no label.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from features.errors import bad
from features.graph.neighbours import diffusion_map, neighbour_features
from models import gbm
from models.measures import average_precision, bootstrap

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
SEED = 0
SEEDS = range(3)
HOPS = 3
COORDINATES = 16
PARAMETERS = {
    "objective": "binary", "learning_rate": 0.03, "min_data_in_leaf": 20, "bagging_fraction": 0.8, "bagging_freq": 1,
    "lambda_l2": 1.0,
}  # fmt: skip
GRID = {"num_leaves": (8, 16), "feature_fraction": (0.3, 0.6)}
ROUNDS = (200, 300, 400)


@dataclass(frozen=True)
class Workers:
    """``x`` (n, p) own features, ``y`` (n,) 1 for the banned, ``adjacency`` (n, n) and for each mask its three parts
    (masks, n)."""

    x: pd.DataFrame
    y: Values
    adjacency: sparse.csr_matrix
    train: Flags
    validation: Flags
    test: Flags


def run(data: Path, _: Path) -> dict[str, object]:
    """ROC-AUC and PR-AUC on the test parts: mean over the masks with bootstrap intervals over them, and each mask's;
    beside the workers' own features alone. Raises InputError where ``data`` holds no tolokers.npz.
    """
    workers = read(data / "tolokers.npz")
    own, all_of_it = workers.x, graph_features(workers)
    masks = tqdm(range(len(workers.test)), "masks")
    found = pd.DataFrame([measured(workers, all_of_it, own, mask) for mask in masks])
    rng = np.random.default_rng(SEED)
    means = {str(name): bootstrap(found[name].tolist(), rng) for name in found.select_dtypes("number")}
    return {"workers": len(own), "features": all_of_it.shape[1]} | means | {"by_mask": found.to_dict("records")}


def read(path: Path) -> Workers:
    """The data as its authors published them."""
    if not path.is_file():
        raise bad("--data", "needs the tolokers folder, which holds tolokers.npz", str(path.parent))
    with np.load(path) as held:
        edges, features = held["edges"], held["node_features"].astype(np.float64)
        half = sparse.coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (len(features),) * 2)
        return Workers(
            x=pd.DataFrame(features).add_prefix("f"),
            y=held["node_labels"].astype(np.float64),
            adjacency=sparse.csr_matrix(half + half.T),
            train=held["train_masks"],
            validation=held["val_masks"],
            test=held["test_masks"],
        )


def graph_features(workers: Workers) -> pd.DataFrame:
    """Own features, what the neighbours look like, and where in the graph a worker stands."""
    places = diffusion_map(workers.adjacency, COORDINATES, np.random.default_rng(SEED))
    around = neighbour_features(workers.adjacency, workers.x, HOPS)
    return workers.x.join(around).join(pd.DataFrame(places).add_prefix("place_"))


def measured(workers: Workers, x: pd.DataFrame, own: pd.DataFrame, mask: int) -> dict[str, object]:
    """Measures of one mask's test part."""
    parameters, rounds, validated = choose(workers, x, mask)
    test = workers.test[mask]
    scores = {
        "": _scores(workers, x, mask, parameters, rounds),
        "own_": _scores(workers, own, mask, parameters, rounds),
    }
    found: dict[str, object] = {name: parameters[name] for name in GRID}
    found = {"setting": found | {"rounds": rounds}, "validation_roc_auc": validated}
    for name, score in scores.items():
        found[f"{name}roc_auc"] = float(roc_auc_score(workers.y[test], score[test]))
        found[f"{name}pr_auc"] = average_precision(score[test], workers.y[test])
    return found


def choose(workers: Workers, x: pd.DataFrame, mask: int) -> tuple[Mapping[str, object], int, float]:
    """The setting of GRID and the rounds with the best ROC-AUC on the mask's validation part, and that; ties go to the
    first."""
    held = workers.validation[mask]
    part, y = x[held].to_numpy(np.float64), workers.y[held]
    found = []
    for values in product(*GRID.values()):
        parameters = PARAMETERS | dict(zip(GRID, values, strict=True))
        booster = _fit(workers, x, mask, parameters, max(ROUNDS), SEED)
        for rounds in ROUNDS:
            score = np.asarray(booster.predict(part, num_iteration=rounds, num_threads=1))
            found.append((parameters, rounds, float(roc_auc_score(y, score))))
    return max(found, key=lambda one: one[2])


def _scores(workers: Workers, x: pd.DataFrame, mask: int, parameters: Mapping[str, object], rounds: int) -> Values:
    """(n,) mean over SEEDS of everyone's probability."""
    boosters = [_fit(workers, x, mask, parameters, rounds, seed) for seed in SEEDS]
    return np.mean([gbm.predict(booster, x.to_numpy(np.float64)) for booster in boosters], axis=0)


def _fit(
    workers: Workers, x: pd.DataFrame, mask: int, parameters: Mapping[str, object], rounds: int, seed: int
) -> lgb.Booster:
    seen = workers.train[mask]
    return gbm.train_booster(
        parameters,
        x[seen].to_numpy(np.float64),
        workers.y[seen],
        feature_names=list(x.columns),
        rounds=rounds,
        seed=seed,
    )
