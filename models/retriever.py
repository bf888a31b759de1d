"""First stage: the creators worth the ranker's closer look, where the catalogue is too large to rank whole.

The two towers (meaning and tags, by FAISS) choose most of them. A share of the places is kept for what the towers
cannot see: whom brands of like taste have hired, and exact words.
"""

import numpy as np
import numpy.typing as npt

from features.pairs import Query, Rows, Values, lexical_cosine, lookalike_tastes
from features.state import State
from models.index import VectorIndex

# The ranker scores so many in a tenth of a second. Cutting deeper costs more than time: a ranker trained on what a
# narrow cut lets through unlearns the signals that cut.
DEPTH = 25_000
# Chosen on two development markets and inside the past of insta-brands, see docs/results.md.
SHARES = {lookalike_tastes: 0.3, lexical_cosine: 0.05}


def retrieve(
    query: Query, state: State, index: VectorIndex | None, allowed: npt.NDArray[np.bool_], k: int = DEPTH
) -> Rows:
    """At most ``k`` rows of ``state`` among the ``allowed`` (n,) ones; all of them when they are few."""
    rows = np.flatnonzero(allowed)
    if len(rows) <= k:
        return rows
    nearest = index.search(query.vector, k, allowed)[0] if index and query.vector.any() else rows[:0]
    channels = {channel: _best(rows, channel(query, state, rows), k) for channel in SHARES}
    kept = [channels[channel][: int(np.ceil(share * k))] for channel, share in SHARES.items()]
    # A brief that says little still deserves its k: who is left comes in the order of the catalogue.
    return _first(np.concatenate([*kept, nearest, *channels.values(), rows]), k)


def _best(rows: Rows, scores: Values, k: int) -> Rows:
    """The ``k`` rows with the highest positive scores, best first, ties by row."""
    useful = np.flatnonzero(scores > 0)
    return rows[useful[np.lexsort((rows[useful], -scores[useful]))[:k]]]


def _first(rows: Rows, k: int) -> Rows:
    """The first ``k`` distinct rows."""
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)[:k]]
