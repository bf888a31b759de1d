"""How far two rankings of one request agree."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

FIRST = 10


def overlap(ours: Sequence[str], theirs: Sequence[str], k: int = FIRST) -> float:
    """The share of the first ``k`` of one list that are among the first ``k`` of the other; NaN for an empty list."""
    longest = max(len(ours[:k]), len(theirs[:k]))
    return len({*ours[:k]} & {*theirs[:k]}) / longest if longest else float("nan")


def rank_correlation(ours: "pd.Series[float]", theirs: "pd.Series[float]") -> float:
    """Spearman's rho (1904) of two scores by creator_id over the creators that have both; NaN for fewer than three."""
    common = ours.index.intersection(theirs.index)
    if len(common) < 3:
        return float("nan")
    first, second = ours[common].rank().to_numpy(), theirs[common].rank().to_numpy()
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])
