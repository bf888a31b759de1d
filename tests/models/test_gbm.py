from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pytest

from models import gbm

NAMES = ("a", "b")
PARAMETERS = {"objective": "regression", "min_data_in_leaf": 5}


def data() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    x = np.random.default_rng(0).normal(size=(200, 2))
    return x, x[:, 0] - 2 * x[:, 1] ** 2


def test_same_arguments_give_the_same_bits_and_another_seed_does_not() -> None:
    x, y = data()
    sampled = PARAMETERS | {"bagging_fraction": 0.5, "bagging_freq": 1}
    texts = [
        gbm.train_booster(sampled, x, y, feature_names=NAMES, rounds=5, seed=seed).model_to_string()
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_contributions_add_up_to_the_score() -> None:
    x, y = data()
    booster = gbm.train_booster(PARAMETERS, x, y, feature_names=NAMES, rounds=20, seed=0)
    parts = gbm.contributions(booster, x)
    assert parts.shape == (200, 3)
    assert parts.sum(axis=1) == pytest.approx(gbm.predict(booster, x))


@pytest.mark.parametrize("objective", ["regression", "binary", "lambdarank", "cross_entropy"])
def test_scores_are_lightgbms_own_to_the_bit(objective: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 2))
    x[rng.random(x.shape) < 0.2], x[rng.random(x.shape) < 0.2] = np.nan, 0
    y = (np.nan_to_num(x[:, 0]) > 0).astype(float)
    params = {"objective": objective, "min_data_in_leaf": 5, "use_missing": True}
    group = [100] * 5 if objective == "lambdarank" else None
    booster = gbm.train_booster(params, x, y, feature_names=NAMES, rounds=40, group=group, seed=0)
    thresholds = np.array([tree["threshold"] for tree in _splits(booster)])
    at = np.vstack([x, np.stack([thresholds, np.nextafter(thresholds, np.inf)], axis=1), [[np.inf, -np.inf]]])
    for matrix in (at, at.astype(np.float32), at[:1], at[:0]):
        expected = booster.predict(matrix, num_threads=1) if len(matrix) else np.zeros(0)
        assert gbm.predict(booster, matrix).tobytes() == np.asarray(expected).tobytes()
        raw = booster.predict(matrix, raw_score=True, num_threads=1) if len(matrix) else np.zeros(0)
        assert gbm.margins(booster, matrix).tobytes() == np.asarray(raw).tobytes()


def _splits(booster: lgb.Booster) -> list[dict[str, float]]:
    roots = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    return [root for root in roots if "threshold" in root]


def test_a_monotone_feature_never_lowers_the_score() -> None:
    x, y = data()
    booster = gbm.train_booster(PARAMETERS, x, y, feature_names=NAMES, rounds=20, monotone=[0, 1], seed=0)
    line = np.stack([np.zeros(50), np.linspace(-3, 3, 50)], axis=1)
    assert (np.diff(gbm.predict(booster, line)) >= 0).all()


def test_a_kept_booster_predicts_the_same(tmp_path: Path) -> None:
    x, y = data()
    booster = gbm.train_booster(PARAMETERS, x, y, feature_names=NAMES, rounds=5, seed=0)
    gbm.save_booster(booster, tmp_path / "booster.txt")
    kept = gbm.load_booster(tmp_path / "booster.txt")
    assert (gbm.predict(kept, x) == gbm.predict(booster, x)).all()
    assert kept.feature_name() == list(NAMES)


def test_groups_and_weights_reach_the_learner() -> None:
    x, y = data()
    grades = (y > np.median(y)).astype(float)
    ranking = {"objective": "lambdarank", "min_data_in_leaf": 5}
    ranker = gbm.train_booster(ranking, x, grades, feature_names=NAMES, rounds=10, group=[100, 100], seed=0)
    scores = gbm.predict(ranker, x)
    assert scores[grades == 1].mean() > scores[grades == 0].mean()
    weight = np.where(np.arange(200) < 100, 1.0, 0.0)
    heavy = gbm.train_booster(PARAMETERS, x, y, feature_names=NAMES, rounds=1, weight=weight, seed=0)
    plain = gbm.train_booster(PARAMETERS, x, y, feature_names=NAMES, rounds=1, seed=0)
    assert heavy.model_to_string() != plain.model_to_string()
