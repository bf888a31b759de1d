"""lightgbm-rank: the ranker as a learner, on LightGBM's own ranking example, beside the settings of its authors.

Settings are chosen on the training file alone, by cross-validation over whole queries; the test file is scored once,
with the setting that was best there. Grades are 0–4, gains 2^grade − 1; a query without any gain counts as zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.datasets import load_svmlight_file
from tqdm import tqdm

from features.errors import bad
from models.measures import Interval, bootstrap, ndcg
from models.ranker import PARAMETERS, Ranker, fit_ranker
from models.ranker import ROUNDS as SERVED_ROUNDS

Values = npt.NDArray[np.float64]
Settings = Mapping[str, object]
SEED = 0
SEEDS = range(5)
FOLDS = 5
DEPTH = 10
FEATURES = 300
ROUNDS = (50, 100, 200)
GRID = {"num_leaves": (7, 15, 31), "min_data_in_leaf": (20, 100), "extra_trees": (True, False)}
# What LGBMRanker(n_estimators=100, min_child_samples=50) is; it draws nothing, so its seeds agree.
REFERENCE: Settings = {"objective": "lambdarank", "min_data_in_leaf": 50}
REFERENCE_ROUNDS = 100


@dataclass(frozen=True)
class Queries:
    """Rows of features and their grades, by query: ``groups`` are the sizes of consecutive queries."""

    rows: pd.DataFrame
    grades: npt.NDArray[np.int64]
    groups: tuple[int, ...]

    def part(self, chosen: npt.NDArray[np.bool_]) -> "Queries":
        """The queries that are ``chosen`` (queries,)."""
        groups = np.array(self.groups)
        rows = np.repeat(chosen, groups)
        return Queries(self.rows[rows], self.grades[rows], tuple(groups[chosen].tolist()))


def run(data: Path, _: Path) -> dict[str, object]:
    """Chooses settings on ``rank.train``, learns with SEEDS and measures NDCG@10 on ``rank.test``.

    Raises InputError when the folder does not hold both files.
    """
    train, test = read(data / "rank.train"), read(data / "rank.test")
    parameters, rounds, validated = choose(train)
    own = per_query(train, test, parameters, rounds)
    reference = per_query(train, test, REFERENCE, REFERENCE_ROUNDS)
    default = per_query(train, test, PARAMETERS, SERVED_ROUNDS)
    return {
        "chosen": {**{name: parameters[name] for name in GRID}, "rounds": rounds, "cross_validated": validated},
        "queries": len(test.groups),
        "ranker": _mean(own),
        "marketplace_settings": _mean(default),
        "reference": _mean(reference),
        "ranker_by_seed": own.mean(axis=1).tolist(),
        "ranker_minus_reference": _mean(own - reference),
    }


def read(path: Path) -> Queries:
    """A LibSVM file, features from 1, with the queries' sizes line by line in the file beside it. Raises InputError
    where there is none."""
    sizes = path.with_name(f"{path.name}.query")
    if not (path.is_file() and sizes.is_file()):
        raise bad(
            "--data", f"needs the lightgbm-rank folder, which holds {path.name} and {sizes.name}", str(path.parent)
        )
    values, grades = load_svmlight_file(str(path), n_features=FEATURES, zero_based=False)
    rows = pd.DataFrame(values.toarray()).add_prefix("f")
    return Queries(rows, grades.astype(np.int64), tuple(int(size) for size in sizes.read_text().split()))


def choose(train: Queries) -> tuple[Settings, int, float]:
    """The setting of GRID, over the marketplace's PARAMETERS, and the rounds with the best mean NDCG@10 in FOLDS folds
    of queries; and that mean. Ties go to the first."""
    folds = np.random.default_rng(SEED).permutation(len(train.groups)) % FOLDS
    grid = [PARAMETERS | dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    found = [(settings, _validated(train, folds, settings)) for settings in tqdm(grid, "settings")]
    settings, means = max(found, key=lambda one: one[1].max())
    best = int(means.argmax())
    return settings, ROUNDS[best], float(means[best])


def per_query(train: Queries, test: Queries, parameters: Settings, rounds: int) -> Values:
    """(SEEDS, queries) NDCG@10 on ``test`` of rankers fitted on ``train``."""
    return np.array([scores_of(_fit(train, parameters, rounds, seed), test) for seed in SEEDS])


def scores_of(ranker: Ranker, queries: Queries) -> Values:
    """(queries,) NDCG@10; ties by row."""
    ends = np.cumsum(queries.groups)
    gains, scores = np.asarray(2.0**queries.grades - 1, np.float64), ranker.score(queries.rows)
    parts = [slice(end - size, end) for end, size in zip(ends, queries.groups, strict=True)]
    orders = [np.argsort(-scores[part], kind="stable") for part in parts]
    found = [ndcg(gains[part][order], gains[part], DEPTH) for part, order in zip(parts, orders, strict=True)]
    return np.array(found)


def _validated(train: Queries, folds: npt.NDArray[np.int64], settings: Settings) -> Values:
    """(ROUNDS,) means over all queries, each scored by a ranker that has not seen it."""
    scores = np.zeros((len(ROUNDS), len(folds)))
    for fold in range(FOLDS):
        ranker = _fit(train.part(folds != fold), settings, max(ROUNDS), SEED)
        held = train.part(folds == fold)
        scores[:, folds == fold] = [scores_of(_until(ranker, rounds), held) for rounds in ROUNDS]
    return np.asarray(scores.mean(axis=1))


def _fit(train: Queries, parameters: Settings, rounds: int, seed: int) -> Ranker:
    """No positions are known here."""
    unknown = np.full(len(train.rows), np.nan)
    fitted = partial(fit_ranker, train.rows, train.grades, unknown, train.groups)
    return fitted(seed=seed, rounds=rounds, parameters=parameters)


def _until(ranker: Ranker, rounds: int) -> Ranker:
    """The ranker as it was after so many rounds."""
    return replace(ranker, booster=lgb.Booster(model_str=ranker.booster.model_to_string(num_iteration=rounds)))


def _mean(by_seed: Values | Sequence[Sequence[float]]) -> Interval:
    """Mean over seeds and queries; the bootstrap is over queries, each with its mean over seeds."""
    return bootstrap(np.asarray(by_seed).mean(axis=0).tolist(), np.random.default_rng(SEED))
