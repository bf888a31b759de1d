"""What a ranking was made from, kept so that it can be audited and learned from: its candidates, what the models read
and said of them, and how likely each was to stand where it stood."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
LEAST = 50  # candidates kept of a ranking; more where more are shown
DRAWS = 100


def candidates(shown: Rows, order: Rows) -> Rows:
    """Those ``shown`` and then the first others in ``order``, LEAST in all or more."""
    others = order[:LEAST][~np.isin(order[:LEAST], shown)]
    return np.concatenate([shown, others[: max(LEAST - len(shown), 0)]])


@dataclass(frozen=True)
class Considered:
    """Candidates of a ranking: ``features`` (k, p) as the ranker read them, by creator_id, and ``scores`` (k,). The
    first ones were shown, in that order, with ``success`` (s,), ``explored`` and ``diverse``; the others follow by
    score.

    ``redrawn`` says whether another draw shows the same creator at each place (s,); None where nothing is drawn.
    """

    features: pd.DataFrame
    scores: Values
    success: Values
    explored: Flags
    diverse: Flags
    redrawn: Callable[[np.random.Generator], Flags] | None = None

    @property
    def by_creator(self) -> "pd.Series[float]":
        """The scores, indexed by creator_id."""
        return pd.Series(self.scores, self.features.index)

    def frame(self, rng: np.random.Generator, facts: Mapping[str, Any]) -> pd.DataFrame:
        """A row each: ``facts`` of the whole ranking, creator_id, position (1 is the top; null for who was not shown),
        propensity, score, success_probability, explored, diverse, and the features."""
        shown = {
            c.POSITION: np.arange(1.0, len(self.success) + 1),
            c.PROPENSITY: self.propensities(rng),
            "success_probability": self.success,
            "explored": self.explored,
            "diverse": self.diverse,
        }
        told = {name: self._and_nothing(values) for name, values in shown.items()}
        head = pd.DataFrame({**facts, c.CREATOR_ID: self.features.index, "score": self.scores, **told})
        return pd.concat([head, self.features.set_axis(head.index)], axis=1)

    def _and_nothing(self, shown: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(k,) the values (s,) of those shown, and NaN or False for the others."""
        nothing = np.full(len(self.scores) - len(shown), False if shown.dtype == bool else np.nan)
        return np.concatenate([shown, nothing])

    def propensities(self, rng: np.random.Generator) -> Values:
        """(s,) how likely each creator that was shown was to stand there: 1 where nothing is drawn.

        Else over all the seeds that a request may have, estimated as the share of DRAWS other draws with the same
        creator at the place, the one that was shown counted among them, so that none is 0.
        """
        if self.redrawn is None:
            return np.ones(len(self.success))
        same = np.sum([self.redrawn(rng) for _ in range(DRAWS)], axis=0)
        return np.asarray((1 + same) / (1 + DRAWS), np.float64)
