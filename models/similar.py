"""The answer to a look-alike request: creators nearest to the ones given, without a brief."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from features.bank import Floats, unit
from features.errors import bad
from models.catalogue import Catalogue
from models.filters import apply
from models.search import summary

LIMIT = 20


def similar(catalogue: Catalogue, request: Mapping[str, Any]) -> dict[str, Any]:
    """The ``limit`` creators nearest to ``creator_ids``, who are left out themselves; ties by creator_id.

    ``similarity`` is a cosine. Raises InputError (NOT_FOUND) for an id that the catalogue does not have.
    """
    given = _rows(catalogue, request["creator_ids"])
    allowed = apply(catalogue.listing, request.get("filters") or {}).allowed.copy()
    allowed[given] = False
    likeness = _likeness(catalogue, given)
    rows = np.flatnonzero(allowed & ~np.isnan(likeness))
    nearest = np.lexsort((catalogue.state.by_id[rows], -likeness[rows]))[: request.get("limit", LIMIT)]
    return {"results": [summary(catalogue, row) | {"similarity": float(likeness[row])} for row in rows[nearest]]}


def _rows(catalogue: Catalogue, creator_ids: list[str]) -> npt.NDArray[np.int64]:
    rows = catalogue.state.ids.get_indexer(creator_ids).astype(np.int64)
    if (rows < 0).any():
        raise bad("creator_ids", "no such creator", creator_ids[int(np.argmin(rows))], "NOT_FOUND")
    return np.unique(rows)


def _likeness(catalogue: Catalogue, given: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(n,) cosine to the unit mean of the ``given`` rows by the towers, by text where they say nothing, else NaN."""
    by_towers, by_text = (_cosines(matrix, given) for matrix in (catalogue.state.vectors, catalogue.state.text))
    return np.where(np.isnan(by_towers), by_text, by_towers)


def _cosines(matrix: Floats, given: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(n,) dot products of unit rows with the unit mean of some of them; NaN where either is zeros."""
    mean = unit(matrix[given].sum(axis=0))
    known = matrix.any(axis=1) & bool(mean.any())
    return np.where(known, np.einsum("ij,j->i", matrix, mean), np.nan).astype(np.float64)
