"""Exact vector search under hard filters: filters become allowed rows first, so that a narrow one loses nothing.

FAISS scans are exact here; an approximate index pays only beyond some hundred thousand creators.
"""

from collections.abc import Sequence

import faiss
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
FEW = 0.05  # below this share of the catalogue, gathering the allowed vectors is cheaper than a scan with a selector


class VectorIndex:
    """Inner products with the vectors (n, d), by row."""

    def __init__(self, ids: Sequence[str], vectors: Floats) -> None:
        if len(ids) != len(vectors):
            raise ValueError(f"{len(ids)} ids for {len(vectors)} vectors")
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(self._vectors)

    def search(self, query: Floats, k: int, allowed: npt.NDArray[np.bool_] | None = None) -> tuple[Rows, Floats]:
        """The ``k`` best rows for ``query`` (d,) and their scores, best first; fewer if fewer are ``allowed`` (n,)."""
        if allowed is None:
            return self._scan(query, k, faiss.SearchParameters())
        rows = np.flatnonzero(allowed)
        if len(rows) < FEW * len(allowed):
            return self._gather(query, k, rows)
        # FAISS reads both from where they are: they have to live until the scan is over.
        bitmap = np.packbits(allowed, bitorder="little")
        selector = faiss.IDSelectorBitmap(len(bitmap), faiss.swig_ptr(bitmap))
        parameters = faiss.SearchParameters()
        parameters.sel = selector
        return self._scan(query, k, parameters)

    def _gather(self, query: Floats, k: int, rows: Rows) -> tuple[Rows, Floats]:
        scores = self._vectors[rows] @ query
        best = np.argsort(-scores, kind="stable")[:k]
        return rows[best], scores[best]

    def _scan(self, query: Floats, k: int, parameters: faiss.SearchParameters) -> tuple[Rows, Floats]:
        k = min(k, self._index.ntotal)
        if k < 1:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        scores, rows = self._index.search(query[None, :], k, params=parameters)
        found = rows[0] >= 0
        return rows[0][found], scores[0][found]
