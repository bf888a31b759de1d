"""Second stage: LightGBM LambdaMART (Burges, 2010) over brief × creator features, with its own contributions as
reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.trace import stage
from models.gbm import contributions, load_booster, margins, save_booster, train_booster
from models.reasons import Reason, top_reasons

POSITION = "position"
SERVED_POSITION = 1.0  # a learned position effect is read at the top for everyone, so it cancels out
ROUNDS = 300
# The world is monotone there, whatever a few hundred briefs say: likeness to the brief, an audience it asks for and a
# good record never hurt; a higher price, another size than the brand hires and fraud never help.
MONOTONE = dict.fromkeys(
    "text_cosine reference_cosine lexical_cosine tower_score label_overlap style_overlap format_overlap "
    "brand_label_share brand_similarity brand_lexical brand_interest all_interest lookalike_brands lookalike_tastes "
    "lookalike_partners audience_age audience_gender audience_country audience_language audience_interest "
    "language_match country_match followers_in_range acceptance_rate completion_rate mean_rating credit_score".split(),
    1,
) | dict.fromkeys("price_to_budget price_usd cost_per_mille brand_size_gap fraud_probability".split(), -1)
PARAMETERS = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 30,
    "learning_rate": 0.05,
    "num_leaves": 7,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "extra_trees": True,
}
# Where no list was shown, a group is one hire among creators drawn by lot: orders within it say little, and the odds of
# a hire say more. On insta-brands' past that was worth .02 of NDCG@10 (docs/results.md).
# A hire in 600 rows weighs little: a strong penalty, or thresholds drawn by lot, hide the few creators who are new to
# brands and fit. Sharper trees were worth .015 of recall@100 there.
HIRES = {name: value for name, value in PARAMETERS.items() if "lambdarank" not in name} | {
    "objective": "cross_entropy", "learning_rate": 0.03, "lambda_l2": 0.1, "extra_trees": False,
}  # fmt: skip
BEST_GRADE = 4


@dataclass(frozen=True)
class Ranker:
    """A trained booster over ``features`` and the position shown."""

    booster: lgb.Booster
    features: tuple[str, ...]

    def score(self, pairs: pd.DataFrame) -> npt.NDArray[np.float64]:
        """(k,) scores, higher is better; comparable within one brief only."""
        return margins(self.booster, self._matrix(pairs))

    def reasons(self, pairs: pd.DataFrame) -> list[list[Reason]]:
        """Per row the features that raised its score most, from TreeSHAP (LightGBM's pred_contrib)."""
        if pairs.empty:
            return []
        with stage("explain"):
            return top_reasons(pairs, contributions(self.booster, self._matrix(pairs))[:, : len(self.features)])

    def save(self, folder: Path) -> None:
        """Writes ``booster.txt``; the feature names stand in it."""
        folder.mkdir(parents=True, exist_ok=True)
        save_booster(self.booster, folder / "booster.txt")

    @classmethod
    def load(cls, folder: Path) -> "Ranker":
        """Reads what :meth:`save` wrote."""
        booster = load_booster(folder / "booster.txt")
        return cls(booster, tuple(booster.feature_name()[:-1]))

    def _matrix(self, pairs: pd.DataFrame) -> npt.NDArray[np.float64]:
        served = np.full((len(pairs), len(self.features) + 1), SERVED_POSITION)
        read = pairs if tuple(pairs.columns) == self.features else pairs[list(self.features)]
        served[:, :-1] = read.to_numpy(np.float64)
        return served


def fit_ranker(
    pairs: pd.DataFrame, grades: npt.NDArray[np.int64], positions: npt.NDArray[np.float64], groups: Sequence[int], *,
    seed: int, rounds: int = ROUNDS, parameters: Mapping[str, object] | None = None,
) -> Ranker:  # fmt: skip
    """Fits on rows (r, p) in groups of consecutive rows, one group a brief; ``grades`` 0–4, ``positions`` NaN without.

    The position is a feature while training (so that a click owed to the place is not credited to the creator) and
    fixed when serving. By default lists that were shown are learned as lists (LambdaMART), and where there is none the
    odds of each row by itself (cross-entropy with the grade's share of the best).
    """
    names = [*pairs.columns, POSITION]
    parameters = parameters or (HIRES if np.isnan(positions).all() else PARAMETERS)
    target = grades / BEST_GRADE if parameters is HIRES else grades
    booster = train_booster(
        parameters,
        np.column_stack([pairs.to_numpy(), positions.astype(pairs.to_numpy().dtype)]),
        target.astype(np.float64),
        feature_names=names,
        group=list(groups),
        rounds=rounds,
        monotone=[MONOTONE.get(name, 0) for name in names],
        seed=seed,
    )
    return Ranker(booster, tuple(pairs.columns))
