"""Whether the success probability means what it says: on later invitations, else out of fold."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.schema import Tables
from features.vocabulary import OBJECTIVES
from models.measures import (
    bootstrap_of,
    calibration_error_by_chance,
    expected_calibration_error,
    log_loss,
    reliability,
)
from models.success import MINIMUM_ROWS, WITHIN, boosted, out_of_fold, success_targets
from training.evaluation.briefs import UNKNOWN, Record
from training.evaluation.fraud import tiers
from training.evaluation.subject import SEED
from training.fit import prepared, success_examples

DRAWS = 200
GROUPED = ("objective", "tier")
FEWEST = 30  # invitations of a group


def later_rows(invited: Sequence[Record], end: pd.Timestamp) -> pd.DataFrame:
    """The invitations for measured briefs (training.evaluation.briefs) that are 90 days old at ``end``, with what came
    of them in ``succeeded``. Raises ValueError below 100: the outcome of a younger one is not known yet."""
    rows = pd.DataFrame(invited, columns=None if invited else ["invited_at"])
    rows = rows[rows["invited_at"] <= end - WITHIN].reset_index(drop=True)
    if len(rows) < MINIMUM_ROWS:
        problem = f"invitations for the measured briefs are 90 days old when the data end; {MINIMUM_ROWS} are needed"
        raise ValueError(f"{len(rows)} {problem}")
    return rows.assign(succeeded=success_targets(rows)["succeeded"])


def out_of_fold_rows(tables: Tables, bank: TextBank) -> pd.DataFrame:
    """All invitations that are 90 days old when the data end, each told by a model that saw other briefs only.

    Not later in time, so kinder than later data would be. Raises ValueError where there are too few.
    """
    matching, *_ = prepared(tables, bank, np.random.default_rng(SEED), progress=True)
    pairs, targets, briefs = success_examples(matching)
    if len(pairs) < MINIMUM_ROWS:
        raise ValueError(f"{len(pairs)} invitations are 90 days old when the data end; {MINIMUM_ROWS} are needed")
    _, told = out_of_fold(partial(boosted, seed=SEED), pairs, targets, briefs)
    return pd.DataFrame(
        {
            c.BRIEF_ID: briefs,
            "probability": told,
            "succeeded": targets["succeeded"].to_numpy(),
            "objective": pairs["objective"].map(dict(enumerate(OBJECTIVES))).fillna(UNKNOWN).to_numpy(),
            "tier": tiers(pairs[c.FOLLOWERS_COUNT]).to_numpy(),
        }
    )


def success_figures(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    """Log-loss beside that of always saying the mean, with intervals over briefs, ECE beside that of a model that is
    right, and reliability of ``rows``; and the same by objective and by size of the creator."""
    found = _calibration(rows, rng)
    for name in GROUPED:
        groups = rows.groupby(name)
        found[name] = {str(group): _calibration(some, rng) for group, some in groups if len(some) >= FEWEST}
    return found


def _calibration(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    told, came = rows["probability"].to_numpy(np.float64), rows["succeeded"].to_numpy(np.float64)
    briefs = rows[c.BRIEF_ID].to_numpy(str)
    base = np.full(len(rows), came.mean())
    measures = {
        "told": lambda some: float(told[some].mean()),
        "came_true": lambda some: float(came[some].mean()),
        "log_loss": lambda some: log_loss(told[some], came[some]),
        "log_loss_lead": lambda some: log_loss(base[some], came[some]) - log_loss(told[some], came[some]),
    }
    return {
        "invitations": len(rows),
        "briefs": int(rows[c.BRIEF_ID].nunique()),
        "log_loss_of_the_mean": log_loss(base, came),
        "reliability": reliability(told, came),
        "ece": expected_calibration_error(told, came),
        "ece_by_chance": calibration_error_by_chance(told, rng, DRAWS),
        **{name: bootstrap_of(measure, briefs, rng, DRAWS) for name, measure in measures.items()},
    }
