"""The ranker's settings by Optuna's TPE (Bergstra et al., 2011) under a stated budget, reproducible by seed.

A setting is judged inside the past alone: a ranker learns from the first half of the briefs and ranks the next quarter,
another learns from three quarters and ranks the last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import optuna

from models.ranker import PARAMETERS, ROUNDS, Ranker, fit_ranker
from training.fit import mean_ndcg
from training.matching import RankingRows

Settings = Mapping[str, object]
TRIALS = 30
CUTS = (0.5, 0.75, 1.0)  # shares of the briefs, by time; from each to the next they validate
# What a grade is worth to LambdaMART. The first is 2^grade − 1, LightGBM's default and the measure's own gain.
GAINS = {"exponential": [0, 1, 3, 7, 15], "linear": [0, 1, 2, 3, 4], "wanted": [0, 1, 4, 5, 6]}
SERVED = {
    name: PARAMETERS[name]
    for name in (
        "num_leaves", "min_data_in_leaf", "learning_rate", "lambdarank_truncation_level", "lambda_l2",
        "feature_fraction",
    )
} | {"rounds": ROUNDS, "gains": "exponential"}  # fmt: skip


@dataclass(frozen=True)
class Tuned:
    """The best of ``trials`` (each with its settings and mean NDCG@10 when validated, in the order tried); the first
    trial are the served settings."""

    settings: Settings
    validated: float
    served: float
    trials: list[dict[str, object]]


def tune(rows: RankingRows, *, seed: int, trials: int = TRIALS) -> Tuned:
    """The settings that validate best in ``trials``; same arguments, same answer."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial(SERVED)
    study.optimize(lambda trial: validated(rows, drawn(trial), seed), n_trials=trials)
    tried = [{**trial.params, "ndcg10": trial.value} for trial in study.trials]
    return Tuned(study.best_params, study.best_value, float(study.trials[0].value or 0), tried)


def drawn(trial: optuna.Trial) -> Settings:
    """The next settings to try."""
    return {
        "num_leaves": trial.suggest_int("num_leaves", 4, 64, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 20, 500, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        "lambdarank_truncation_level": trial.suggest_int("lambdarank_truncation_level", 10, 50),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 100, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 1),
        "rounds": trial.suggest_int("rounds", 100, 500, step=50),
        "gains": trial.suggest_categorical("gains", list(GAINS)),
    }


def validated(rows: RankingRows, settings: Settings, seed: int) -> float:
    """Mean NDCG@10 over the briefs after each cut, of a ranker that learned from those before it."""
    cuts = [int(share * len(rows.groups)) for share in CUTS]
    return float(np.mean([_between(rows, settings, cut, end, seed) for cut, end in pairwise(cuts)]))


def _between(rows: RankingRows, settings: Settings, cut: int, end: int, seed: int) -> float:
    later = rows.briefs(cut, end)
    return mean_ndcg(fitted(rows.briefs(0, cut), settings, seed).score(later.pairs), later)


def fitted(rows: RankingRows, settings: Settings, seed: int) -> Ranker:
    """A ranker with ``settings``, named like those of :data:`SERVED`, over the served ones."""
    own = {**SERVED, **settings}
    rounds, gains = int(str(own.pop("rounds"))), GAINS[str(own.pop("gains"))]
    parameters = {**PARAMETERS, **own, "label_gain": gains}
    return fit_ranker(
        rows.pairs, rows.grades, rows.positions, rows.groups, seed=seed, rounds=rounds, parameters=parameters
    )
