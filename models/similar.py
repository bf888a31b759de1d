"""The answer to a look-alike request: creators nearest to the ones given, without a brief."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from features.bank import Floats, unit
from features.errors import bad
from models.bitmaps import packed, without
from models.catalogue import Catalogue
from models.filters import apply
from models.search import summary

LIMIT = 20


def similar(catalogue: Catalogue, request: Mapping[str, Any]) -> dict[str, Any]:
    """The ``limit`` creators nearest to ``creator_ids``, who are left out themselves; ties by creator_id.

    ``similarity`` is a cosine. Raises InputError (NOT_FOUND) for an id that the catalogue does not have.
    """
    given, limit = request["creator_ids"], request.get("limit", LIMIT)
    if missing := catalogue.missing(given):
        raise bad("creator_ids", "no such creator", missing[0], "NOT_FOUND")
    by_towers, by_text = (_mean(catalogue, given, kind) for kind in ("vectors", "text"))
    found = []
    for part in catalogue.parts:
        rows = part.rows_of(given)
        others = without(packed(~part.gone), rows[rows >= 0])
        allowed = apply(part.listing, request.get("filters") or {}, others).allowed.flags
        likeness = _likeness(part, by_towers, by_text)
        rows = np.flatnonzero(allowed & ~np.isnan(likeness))
        nearest = rows[np.lexsort((part.state.by_id[rows], -likeness[rows]))[:limit]]
        found += [(-float(likeness[row]), part.state.ids[row], part, int(row)) for row in nearest]
    found.sort(key=itemgetter(0, 1))
    return {"results": [summary(part, row) | {"similarity": -unlike} for unlike, _, part, row in found[:limit]]}


def _mean(catalogue: Catalogue, given: list[str], kind: str) -> Floats:
    """The unit mean of the given creators' vectors of a kind."""
    rows = [(getattr(part.state, kind), part.rows_of(dict.fromkeys(given))) for part in catalogue.parts]
    return unit(np.sum([matrix[own[own >= 0]].sum(axis=0) for matrix, own in rows if matrix.size], axis=0))


def _likeness(part: Catalogue, by_towers: Floats, by_text: Floats) -> npt.NDArray[np.float64]:
    """(n,) cosine by the towers, by text where they say nothing, else NaN."""
    likeness = _cosines(part.state.vectors, by_towers)
    unsaid = np.flatnonzero(np.isnan(likeness))
    likeness[unsaid] = _cosines(part.state.text[unsaid], by_text)
    return likeness


def _cosines(matrix: Floats, mean: Floats) -> npt.NDArray[np.float64]:
    """(n,) dot products of unit rows with ``mean``; NaN where either is zeros."""
    known = matrix.any(axis=1) & bool(mean.any())
    return np.where(known, np.einsum("ij,j->i", matrix, mean), np.nan).astype(np.float64)
