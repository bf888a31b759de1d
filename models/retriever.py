"""First stage: the creators worth the ranker's closer look, where the catalogue is too large to rank whole.

The two towers (meaning and tags, by FAISS) choose most of them. A share of the places is kept for what the towers
cannot see: whom brands of like taste have hired, and exact words.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from features.pairs import Pairs, Rows, lexical_cosine, lookalike_tastes
from features.queries import Query
from features.state import State
from models.bitmaps import Subset, has
from models.index import VectorIndex

# The ranker scores so many in a tenth of a second. Cutting deeper costs more than time: a ranker trained on what a
# narrow cut lets through unlearns the signals that cut.
DEPTH = 25_000
# Chosen on two development markets and inside the past of insta-brands, see docs/results.md.
TASTES, WORDS = 0.3, 0.05
FEW = 10_000  # allowed creators: all of them are scored for tastes and words, of more only the favourites
MOST = 100_000  # creators, of a brief that may be asked about again: less than a megabyte


@dataclass(frozen=True)
class Favourites:
    """Whom a ``query`` speaks for, whoever is allowed, best first; found when it is first asked."""

    query: Query
    state: State

    @cached_property
    def tastes(self) -> Rows:
        """MOST of those who have worked for brands of like taste (:func:`features.pairs.lookalike_tastes`)."""
        return _liked(self.query, self.state, self.state.workers)[:MOST]

    @cached_property
    def words(self) -> Rows:
        """MOST of the words' champions by how much they have of them (:func:`features.pairs.lexical_cosine`)."""
        return _worded(self.query, self.state, self.state.champions.among(self.query.words))[:MOST]


def retrieve(
    query: Query, state: State, index: VectorIndex | None, allowed: Subset, k: int = DEPTH,
    favourites: Favourites | None = None,
) -> Rows:  # fmt: skip
    """At most ``k`` rows of ``state`` (n creators) among the ``allowed`` ones; all of them when they are few. Who asks
    the same query again gives its ``favourites``."""
    if allowed.count <= k:
        return allowed.rows
    nearest = index.search(query.vector, k, allowed)[0] if index and query.vector.any() else np.zeros(0, np.int64)
    if allowed.count <= FEW:
        tastes = _liked(query, state, state.workers[has(allowed.bits, state.workers)])[:k]
        words = _worded(query, state, allowed.rows)[:k]
    else:
        favourites = favourites or Favourites(query, state)
        tastes, words = (allowed.first(rows, k) for rows in (favourites.tastes, favourites.words))
    kept = [tastes[: int(np.ceil(TASTES * k))], words[: int(np.ceil(WORDS * k))]]
    found = _first(np.concatenate([*kept, nearest]), k)
    # A brief that says little still deserves its k: who is left comes in the order of the catalogue.
    return found if len(found) == k else _first(np.concatenate([found, tastes, words, allowed.rows]), k)


def _liked(query: Query, state: State, rows: Rows) -> Rows:
    return _best(rows, lookalike_tastes(Pairs(query, state, rows)))


def _worded(query: Query, state: State, rows: Rows) -> Rows:
    return _best(rows, lexical_cosine(Pairs(query, state, rows)))


def _best(rows: Rows, scores: npt.NDArray[np.float64]) -> Rows:
    """The rows with positive scores, best first, ties by row."""
    useful = np.flatnonzero(scores > 0)
    return rows[useful[np.lexsort((rows[useful], -scores[useful]))]]


def _first(rows: Rows, k: int) -> Rows:
    """The first ``k`` distinct rows."""
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)[:k]]
