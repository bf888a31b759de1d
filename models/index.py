"""Vector search under hard filters: filters become allowed rows first, so that a narrow one loses nothing.

A small catalogue is scanned whole, and so are few allowed rows. A large one is divided into cells (FAISS's IVF with
8-bit codes); of the cells nearest to the query so many are scanned as hold enough allowed rows, however these lie in
space, and what they give is scored again exactly.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import faiss
import numpy as np
import numpy.typing as npt

from models.bitmaps import Subset

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
FEW = 0.05  # below this share of the catalogue, gathering the allowed vectors is cheaper than a scan with a selector
MOST_GATHERED = 20_000  # and above this number it is not
LARGE = 100_000  # rows; below, cells would save a millisecond and cost recall
CELLS = 2048
TRAINED_ON = 80_000
# How many allowed rows the cells scanned hold: as many as are among READ rows, within these bounds. More of them found
# no more of the 200 nearest of a million (docs/serving.md).
READ = 300_000
SCANNED = (15_000, 50_000)
SAMPLED = 16  # one row in so many tells how many allowed ones a cell holds
# By their codes twice as many are found as are wanted, and no fewer than these: creators who are alike have one code.
AGAIN, AT_LEAST = 2, 800


class VectorIndex:
    """Inner products with the vectors (n, d), by row; ``file`` holds the cells of a large catalogue (:meth:`save`)."""

    def __init__(self, ids: Sequence[str], vectors: Floats, file: Path | None = None) -> None:
        if len(ids) != len(vectors):
            raise ValueError(f"{len(ids)} ids for {len(vectors)} vectors")
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self._cells: _Cells | None = None
        if len(vectors) >= LARGE:
            self._cells = _Cells(_divided(self._vectors) if file is None else _mapped(file))
        else:
            self._flat = faiss.IndexFlatIP(vectors.shape[1])
            self._flat.add(self._vectors)

    def save(self, file: Path) -> None:
        """Writes what a large catalogue's index is made of; of a small one there is nothing to write."""
        if self._cells:
            faiss.write_index(self._cells.index, str(file))

    def search(self, query: Floats, k: int, allowed: Subset) -> tuple[Rows, Floats]:
        """The ``k`` best rows for ``query`` (d,) and their scores, best first; fewer if fewer are ``allowed``.

        Exact below :data:`LARGE` rows.
        """
        k = min(k, allowed.count)
        if k < 1:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        if allowed.count < FEW * allowed.size and allowed.count <= MOST_GATHERED:
            return self._best(query, k, allowed.rows)
        if self._cells:
            return self._best(query, k, self._cells.search(query, max(AGAIN * k, AT_LEAST), allowed))
        parameters, selector = faiss.SearchParameters(), _selector(allowed)
        parameters.sel = selector
        scores, rows = self._flat.search(query[None, :], k, params=parameters)
        return rows[0], scores[0]

    def _best(self, query: Floats, k: int, rows: Rows) -> tuple[Rows, Floats]:
        scores = self._vectors.take(rows, axis=0) @ query
        best = np.argsort(-scores, kind="stable")[:k]
        return rows[best], scores[best]


class _Cells:
    """An inverted file: each row in the cell of its nearest centroid."""

    def __init__(self, index: faiss.IndexIVFScalarQuantizer) -> None:
        self.index = index
        self._centroids = index.quantizer.reconstruct_n(0, index.nlist)
        cells = np.zeros(index.ntotal, np.int32)
        lists: Any = index.invlists
        for cell in range(index.nlist):
            if size := lists.list_size(cell):
                cells[faiss.rev_swig_ptr(lists.get_ids(cell), size)] = cell
        self._sampled = cells[::SAMPLED].copy()

    def search(self, query: Floats, k: int, allowed: Subset) -> Rows:
        """About the ``k`` best of the allowed rows; more cells are scanned, up to all, where these hold fewer."""
        sampled = allowed.bits.view(np.uint16)[: len(self._sampled)] & 1 != 0  # the first of SAMPLED bits
        held = np.bincount(self._sampled[sampled], minlength=len(self._centroids)) * SAMPLED
        nearest = np.argsort(-(self._centroids @ query), kind="stable")
        enough = max(k, int(np.clip(READ * allowed.count / allowed.size, *SCANNED)))
        probes = int(np.searchsorted(np.cumsum(held[nearest]), enough)) + 1
        selector = _selector(allowed)
        while True:
            parameters = faiss.SearchParametersIVF()
            parameters.nprobe, parameters.sel = min(probes, len(nearest)), selector
            rows = self.index.search(query[None, :], k, params=parameters)[1][0]
            found = rows[rows >= 0]
            if len(found) == k or probes >= len(nearest):
                return found
            probes *= 2


def _selector(allowed: Subset) -> faiss.IDSelectorBitmap:
    """FAISS reads the bits from where they are: whoever searches holds ``allowed`` and the selector until the end."""
    octets = allowed.bits.view(np.uint8)
    return faiss.IDSelectorBitmap(len(octets), faiss.swig_ptr(octets))


def _divided(vectors: Floats) -> faiss.IndexIVFScalarQuantizer:
    """The same vectors give the same cells."""
    made: Any = faiss.index_factory(vectors.shape[1], f"IVF{CELLS},SQ8", faiss.METRIC_INNER_PRODUCT)
    index: faiss.IndexIVFScalarQuantizer = made
    index.cp.niter, index.cp.seed = 8, 0
    index.train(vectors[:: max(1, len(vectors) // TRAINED_ON)])
    index.add(vectors)
    return index


def _mapped(file: Path) -> faiss.IndexIVFScalarQuantizer:
    """The index of a file whose pages all processes share."""
    return cast(faiss.IndexIVFScalarQuantizer, faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC))
