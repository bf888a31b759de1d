"""First stage: the creators worth the ranker's closer look, where the catalogue is too large to rank whole.

Several cheap rankings, each blind where another sees: the two towers (meaning and tags, by FAISS), exact words, and
whom look-alike brands hired. A creator's place is its best place in any of them.
"""

import numpy as np
import numpy.typing as npt

from features.pairs import Query, Rows, Values, brand_lexical, lexical_cosine, lookalike_brands
from features.state import State
from models.index import VectorIndex

# The ranker scores so many in a tenth of a second. Cutting deeper costs more than time: on insta-brands the best 1,000
# of 19,500 held a quarter of the later partners, and a ranker trained on what such a cut lets through unlearns the
# signals that cut.
DEPTH = 25_000
CHANNELS = (lexical_cosine, brand_lexical, lookalike_brands)


def retrieve(
    query: Query, state: State, index: VectorIndex | None, allowed: npt.NDArray[np.bool_], k: int = DEPTH
) -> Rows:
    """At most ``k`` rows of ``state`` among the ``allowed`` (n,) ones, best place first; all of them when they are
    few."""
    rows = np.flatnonzero(allowed)
    if len(rows) <= k:
        return rows
    rankings = [index.search(query.vector, k, allowed)[0]] if index and query.vector.any() else []
    rankings += [_best(rows, channel(query, state, rows), k) for channel in CHANNELS]
    found = _merge(rankings, k)
    # A brief that says little still deserves its k; who is left comes in the order of the catalogue.
    return np.concatenate([found, np.setdiff1d(rows, found)[: k - len(found)]])


def _best(rows: Rows, scores: Values, k: int) -> Rows:
    """The ``k`` rows with the highest positive scores, best first, ties by row."""
    useful = np.flatnonzero(scores > 0)
    return rows[useful[np.lexsort((rows[useful], -scores[useful]))[:k]]]


def _merge(rankings: list[Rows], k: int) -> Rows:
    """Rows by their best place in any ranking, ties to the earlier ranking."""
    places = np.concatenate([np.arange(len(ranking)) for ranking in rankings])
    rows = np.concatenate(rankings)[np.argsort(places, kind="stable")]
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)][:k]
