"""LightGBM as every model here uses it: deterministic, on one thread, kept as text, and scored by lignum, which gives
the same bits in a half to a quarter of the time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from weakref import WeakKeyDictionary

import lightgbm as lgb
import lignum
import numpy as np
import numpy.typing as npt

from features.errors import bad

Values = npt.NDArray[np.float64]
# One thread: with one core busy, a second thread that spins made training a hundred times slower.
SHARED = {"deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1}
_SCORERS: WeakKeyDictionary[lgb.Booster, lignum.Model] = WeakKeyDictionary()


def train_booster(
    params: Mapping[str, object], x: npt.NDArray[np.floating], y: Values, *, feature_names: Sequence[str], rounds: int,
    seed: int, group: Sequence[int] | None = None, weight: Values | None = None, monotone: Sequence[int] | None = None,
) -> lgb.Booster:  # fmt: skip
    """Trains ``rounds`` trees on x (r, p) and y (r,); same arguments, same bits.

    ``group`` are the sizes of consecutive groups, ``monotone`` is -1, 0 or 1 for each feature.
    """
    settings = {**params, **SHARED, "seed": seed}
    if monotone is not None and any(monotone):
        settings["monotone_constraints"] = list(monotone)
    data = lgb.Dataset(x, label=y, weight=weight, group=group, feature_name=list(feature_names), params=settings)
    return lgb.train(settings, data, num_boost_round=rounds)


def predict(booster: lgb.Booster, x: npt.NDArray[np.floating]) -> Values:
    """(r,) predictions in the objective's own terms: probabilities for ``binary``, scores for ``lambdarank``."""
    return _scores(booster, x, raw_score=False)


def margins(booster: lgb.Booster, x: npt.NDArray[np.floating]) -> Values:
    """(r,) sums of the trees, whatever the objective makes of them."""
    return _scores(booster, x, raw_score=True)


def _scores(booster: lgb.Booster, x: npt.NDArray[np.floating], raw_score: bool) -> Values:
    scorer = _SCORERS.get(booster) or _SCORERS.setdefault(booster, _scorer(booster))
    return np.asarray(scorer.predict(x, raw_score=raw_score, n_jobs=1), dtype=np.float64).reshape(len(x))


def _scorer(booster: lgb.Booster) -> lignum.Model:
    with TemporaryDirectory() as folder:
        path = Path(folder, "booster.txt")
        save_booster(booster, path)
        return lignum.load(str(path), format="lightgbm")


def contributions(booster: lgb.Booster, x: npt.NDArray[np.floating]) -> Values:
    """(r, p + 1) TreeSHAP values and the base margin; each row sums to the raw score (Lundberg et al., 2020)."""
    return np.asarray(booster.predict(x, pred_contrib=True, num_threads=1), dtype=np.float64)


def save_booster(booster: lgb.Booster, path: Path) -> None:
    """Writes LightGBM's own text."""
    path.write_text(booster.model_to_string(), encoding="utf-8")


def load_booster(path: Path) -> lgb.Booster:
    """Reads LightGBM's own text."""
    return lgb.Booster(model_str=path.read_text(encoding="utf-8"))


def load_booster_for(path: Path, features: Sequence[str], model: str) -> lgb.Booster:
    """Reads LightGBM's own text. Raises InputError (CONFLICT) naming the ``model`` where it reads other features."""
    booster = load_booster(path)
    if booster.feature_name() != list(features):
        raise bad(model, "the model was made for other features; train again", path.parent.name, "CONFLICT")
    return booster
