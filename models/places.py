"""Which candidate gets which place: pins, then by score, as exploration and diversity move them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.bank import Floats
from models.diversity import diversified, pool_size
from models.exploration import with_floor

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Exploring:
    """Who of the k candidates is ``new`` (k,), what each one's score rises by (``bonus`` (k,), in the range of the best
    candidates' scores) and how many places the new ones get at least."""

    new: Flags
    bonus: Values
    floor: int


@dataclass(frozen=True)
class Places:
    """The candidates in the order shown, and which of them exploration and diversity moved up."""

    best: Rows
    explored: Flags
    diverse: Flags


def places(
    order: Rows, scores: Values, vectors: Floats, limit: int, fixed: int, diversity: float, exploring: Exploring | None
) -> Places:
    """The first ``limit`` of k candidates with ``scores`` (k,) and ``vectors`` (k, d); ``order`` (k,) is by score but
    for the ``fixed`` first ones, which stay first."""
    if not diversity and exploring is None:
        nobody = np.zeros(len(order[:limit]), bool)
        return Places(order[:limit], nobody, nobody)
    values, risen = _risen(order, scores, limit, fixed, exploring) if exploring else (scores, order)
    spread = _spread(risen, values, vectors, limit, fixed, diversity) if diversity else risen
    shown = spread[:limit]
    best = with_floor(spread, exploring.new, limit, exploring.floor, fixed) if exploring else shown
    explored = np.isin(best, _moved_up(order, risen)) | ~np.isin(best, shown)
    return Places(best, explored, np.isin(best, _moved_up(risen, shown)))


def _risen(order: Rows, scores: Values, limit: int, fixed: int, exploring: Exploring) -> tuple[Values, Rows]:
    """Scores scaled so that the best candidates lie in [0, 1], with their bonus, and the order by them."""
    free = order[fixed:]
    head = scores[free[: pool_size(limit)]]
    spread = np.ptp(head) if len(head) else 0.0
    values = (scores - (head.min() if len(head) else 0.0)) / (spread or 1.0) + exploring.bonus
    return values, np.concatenate([order[:fixed], free[np.argsort(-values[free], kind="stable")]])


def _spread(order: Rows, values: Values, vectors: Floats, limit: int, fixed: int, diversity: float) -> Rows:
    pool = order[: pool_size(limit)]
    chosen = pool[diversified(values[pool], vectors[pool], diversity, limit, min(fixed, len(pool)))]
    return np.concatenate([chosen, order[len(pool) :]])


def _moved_up(before: Rows, after: Rows) -> Rows:
    """Those of ``after``, some or all of ``before``, who stand further up there."""
    place = np.zeros(len(before), np.int64)
    place[before] = np.arange(len(before))
    return after[place[after] > np.arange(len(after))]
