"""What the parts of a catalogue offer for a request, and what the models say of the candidates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.pairs import Rows
from features.queries import Query
from models.catalogue import Catalogue
from models.filters import Filtered


@dataclass(frozen=True)
class Offer:
    """What one part of the catalogue has for a request: what the filters did, whom the first stage ``retrieved``, and
    the candidates' ``rows`` (k,) in their order, with the ``pinned`` ones: a row for each pin, -1 where the part does
    not have it."""

    part: Catalogue
    query: Query
    filtered: Filtered
    retrieved: int
    rows: Rows
    pinned: Rows


@dataclass(frozen=True)
class Ranked:
    """The candidates in their final order, by their place ``best`` among all offers' rows, with what the models say of
    them, and whom the request's wishes for diversity and exploration moved up."""

    best: Rows
    scores: npt.NDArray[np.float64]
    pairs: pd.DataFrame
    success: npt.NDArray[np.float64]
    explored: npt.NDArray[np.bool_]
    diverse: npt.NDArray[np.bool_]


def by_offer(offers: Sequence[Offer], places: Rows) -> Iterator[tuple[Offer, Rows, Rows]]:
    """Each offer, which of the ``places`` among all offers' rows are its own, and their rows."""
    start = 0
    for offer in offers:
        mine = np.flatnonzero((places >= start) & (places < start + len(offer.rows)))
        yield offer, mine, offer.rows[places[mine] - start]
        start += len(offer.rows)
