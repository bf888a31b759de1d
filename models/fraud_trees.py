"""The trees of the fraud model: their settings, in which direction each feature may speak, training."""

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold

from features.fraud import FRAUD_FEATURES
from models import gbm

Values = npt.NDArray[np.float64]
FOLDS = 5
ROUNDS = 300
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
    "busiest_hour", "shared_engagers", "lockstep", "fake_engagers", "fake_surge", "comment_duplicates",
    "comment_short", "comment_links",
)  # fmt: skip
# and more of that never for guilt.
INNOCENT = (
    "spike_views", "gain_view_correlation", "likes_view_correlation", "comments_view_correlation", "completion_rate",
    "comment_length", "paid_share",
)  # fmt: skip
MONOTONE = [(name in SUSPICIOUS) - (name in INNOCENT) for name in FRAUD_FEATURES]


def matrix(features: pd.DataFrame) -> Values:
    """(n, p) FRAUD_FEATURES in order."""
    return features[list(FRAUD_FEATURES)].to_numpy(np.float64)


def train(x: Values, target: Values, seed: int) -> lgb.Booster:
    """On x (n, p) and targets (n,) between 0 and 1."""
    return gbm.train_booster(
        PARAMETERS, x, target, feature_names=FRAUD_FEATURES, rounds=ROUNDS, monotone=MONOTONE, seed=seed
    )


def out_of_fold(x: Values, target: Values, creators: pd.Index, seed: int) -> Values:
    """(n,) log-odds of each row by trees that learned from other creators."""
    raw = np.zeros(len(target))
    for fold, test in GroupKFold(FOLDS).split(raw, groups=creators):
        raw[test] = gbm.predict(train(x[fold], target[fold], seed), x[test])
    return raw
