"""What a ranking was made from, kept so that it can be audited and learned from: its candidates, what the models read
and said of them, and how likely each was to stand where it stood."""

from collections.abc import Callable, Mapping, Sequence
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
    taken = set(shown.tolist())  # of so few, np.isin takes ten times as long
    others = [one for one in order[:LEAST].tolist() if one not in taken]
    return np.concatenate([shown, np.array(others[: max(LEAST - len(shown), 0)], np.int64)])


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

    def logged(self, rng: np.random.Generator, facts: Mapping[str, Any]) -> "Logged":
        """The ranking for the log, with ``facts`` of all its rows; what is drawn is drawn now."""
        shown = {
            c.POSITION: np.arange(1.0, len(self.success) + 1),
            c.PROPENSITY: self.propensities(rng),
            "success_probability": self.success,
            "explored": self.explored,
            "diverse": self.diverse,
        }
        told = {name: self._and_nothing(values) for name, values in shown.items()}
        return Logged(facts, {"score": self.scores, **told}, self.features)

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


@dataclass(frozen=True)
class Logged:
    """A ranking as the log keeps it: ``facts`` that its rows share, ``columns`` (k,) and ``features`` (k, p)."""

    facts: Mapping[str, Any]
    columns: Mapping[str, npt.NDArray[Any]]
    features: pd.DataFrame


def log_table(rankings: Sequence[Logged]) -> pd.DataFrame:
    """A row for each candidate of the ``rankings``, one at least: its ranking's facts, creator_id, score, position (1
    is the top; null for who was not shown), propensity, success_probability, explored, diverse, and the features."""
    of = np.repeat(np.arange(len(rankings)), [len(one.features) for one in rankings])
    facts = pd.DataFrame([one.facts for one in rankings]).take(of)
    features = pd.concat([one.features for one in rankings])
    names = rankings[0].columns
    told = {name: np.concatenate([one.columns[name] for one in rankings]) for name in names}
    parts = (facts, pd.DataFrame({c.CREATOR_ID: features.index, **told}), features)
    return pd.concat([part.reset_index(drop=True) for part in parts], axis=1)
