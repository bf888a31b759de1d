"""First stage: the creators worth the ranker's closer look, where the catalogue is too large to rank whole.

The two towers (meaning and tags, by FAISS) choose most of them. A share of the places is kept for what the towers
cannot see: whom brands of like taste have hired, and exact words.
"""

import numpy as np
import numpy.typing as npt

from features.pairs import Pairs, Rows, lexical_cosine, lookalike_tastes
from features.queries import Query
from features.state import State
from models.index import VectorIndex

# The ranker scores so many in a tenth of a second. Cutting deeper costs more than time: a ranker trained on what a
# narrow cut lets through unlearns the signals that cut.
DEPTH = 25_000
# Chosen on two development markets and inside the past of insta-brands, see docs/results.md.
TASTES, WORDS = 0.3, 0.05
FEW = 10_000  # allowed creators: all of them are scored for their words, of more only the words' champions

Flags = npt.NDArray[np.bool_]


def retrieve(
    query: Query, state: State, index: VectorIndex | None, allowed: Flags, k: int = DEPTH, spoken: Rows | None = None
) -> Rows:
    """At most ``k`` rows of ``state`` among the ``allowed`` (n,) ones; all of them when they are few. Who asks the same
    query again gives its :func:`champions`, ``spoken`` for by its words."""
    count = int(np.count_nonzero(allowed))
    if count <= k:
        return np.flatnonzero(allowed)
    nearest = index.search(query.vector, k, allowed)[0] if index and query.vector.any() else np.zeros(0, np.int64)
    tastes, words = liked(query, state, allowed, k), worded(query, state, allowed, k, spoken)
    kept = [tastes[: int(np.ceil(TASTES * k))], words[: int(np.ceil(WORDS * k))]]
    found = _first(np.concatenate([*kept, nearest, tastes, words]), k)
    # A brief that says little still deserves its k: who is left comes in the order of the catalogue.
    return found if len(found) == k else _first(np.concatenate([found, np.flatnonzero(allowed)]), k)


def liked(query: Query, state: State, allowed: Flags, k: int) -> Rows:
    """The ``k`` best by :func:`features.pairs.lookalike_tastes`: who has worked for brands of like taste."""
    rows = state.workers[allowed[state.workers]]
    return _best(rows, lookalike_tastes(Pairs(query, state, rows)), k)


def worded(query: Query, state: State, allowed: Flags, k: int, spoken: Rows | None = None) -> Rows:
    """The ``k`` best by :func:`features.pairs.lexical_cosine`, among the words' champions where many are allowed."""
    if np.count_nonzero(allowed) <= FEW:
        rows = np.flatnonzero(allowed)
        return _best(rows, lexical_cosine(Pairs(query, state, rows)), k)
    spoken = champions(query, state) if spoken is None else spoken
    return spoken[allowed[spoken]][:k]


def champions(query: Query, state: State) -> Rows:
    """Those who have most of the query's words, whoever is allowed, best first."""
    rows = state.champions.among(query.words)
    return _best(rows, lexical_cosine(Pairs(query, state, rows)))


def _best(rows: Rows, scores: npt.NDArray[np.float64], k: int | None = None) -> Rows:
    """The ``k`` rows with the highest positive scores, best first, ties by row."""
    useful = np.flatnonzero(scores > 0)
    return rows[useful[np.lexsort((rows[useful], -scores[useful]))[:k]]]


def _first(rows: Rows, k: int) -> Rows:
    """The first ``k`` distinct rows."""
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)[:k]]
