"""Lists whose creators differ from each other: maximal marginal relevance (Carbonell and Goldstein, 1998)."""

import numpy as np
import numpy.typing as npt

from features.bank import Floats

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
DEPTH, LEAST = 5, 100


def pool_size(limit: int) -> int:
    """How many of the best candidates may change places: enough to choose from, and nobody from far below."""
    return max(DEPTH * limit, LEAST)


def diversified(scores: Values, vectors: Floats, diversity: float, places: int, fixed: int = 0) -> Rows:
    """(k,) the order in which ``places`` candidates are chosen, then the others as they were.

    ``scores`` (k,) are best first but for the ``fixed`` first ones, which keep their places. Each place goes to the
    highest (1 - diversity) · score - diversity · cosine to the nearest one chosen, scores scaled to [0, 1] over who is
    not fixed, ties to who comes first. ``vectors`` (k, d) are of length 1, or zeros, which resemble nobody.
    """
    relevance = (1 - diversity) * scaled(scores[fixed:])
    nearest = np.full(len(scores), -1.0)
    chosen: list[int] = []
    left = np.ones(len(scores), bool)
    for place in range(min(places, len(scores))):
        worth = relevance - diversity * nearest[fixed:]
        pick = place if place < fixed else fixed + int(np.argmax(np.where(left[fixed:], worth, -np.inf)))
        chosen.append(pick)
        left[pick] = False
        nearest = np.maximum(nearest, np.einsum("ij,j->i", vectors, vectors[pick]))
    return np.concatenate([np.array(chosen, np.int64), np.flatnonzero(left)])


def scaled(scores: Values) -> Values:
    """The scores in [0, 1], the lowest 0 and the highest 1; zeros where all are equal."""
    spread = np.ptp(scores) if len(scores) else 0.0
    return (scores - scores.min()) / spread if spread > 0 else np.zeros(len(scores))
