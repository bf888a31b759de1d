"""Some rows of a sparse matrix. SciPy looks for trouble whenever rows are sliced, which takes longer than a thousand of
them do."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
FEW = 4  # times as many rows in the matrix make a few


@dataclass(frozen=True)
class Picked:
    """The ``rows`` (k,) of a CSR ``matrix`` (n, m); their entries are looked up once, however many products follow."""

    matrix: sparse.csr_matrix
    rows: Rows

    def __matmul__(self, vector: npt.NDArray[np.floating]) -> Values:
        """(k,) ``matrix[rows] @ vector`` for a ``vector`` (m,).

        As SciPy does it, the entries of a row are added in their order and in the wider type of the two, so that a row
        has the same bits whichever others are picked. Of many rows the whole matrix costs less.
        """
        if FEW * len(self.rows) >= self.matrix.shape[0]:
            return np.asarray((self.matrix @ vector)[self.rows], dtype=np.float64)
        products = self.matrix.data.take(self._places) * vector.take(self.columns)
        sums = np.zeros(len(self.rows), products.dtype)
        np.add.at(sums, self._owners, products)
        return sums.astype(np.float64)

    def sums(self) -> npt.NDArray[np.floating]:
        """(m,) the sum of the rows, added in their order and in the matrix's own type."""
        sums = np.zeros(self.matrix.shape[1], self.matrix.dtype)
        np.add.at(sums, self.columns, self.matrix.data.take(self._places))
        return sums

    @cached_property
    def columns(self) -> npt.NDArray[np.signedinteger]:
        """The columns of all entries, row by row."""
        return self.matrix.indices.take(self._places)

    @cached_property
    def lengths(self) -> npt.NDArray[np.signedinteger]:
        """(k,) how many entries each row has."""
        return self.matrix.indptr.take(self.rows + 1) - self._starts

    @cached_property
    def _owners(self) -> Rows:
        """Which of the rows each entry is of, as a place among them."""
        return np.repeat(np.arange(len(self.rows)), self.lengths)

    @cached_property
    def _starts(self) -> npt.NDArray[np.signedinteger]:
        """(k,) where the entries of each row begin in the matrix."""
        return self.matrix.indptr.take(self.rows)

    @cached_property
    def _places(self) -> Rows:
        """Where the entries stand in the matrix, row by row."""
        ends = np.cumsum(self.lengths)
        before = self._starts - (ends - self.lengths)  # of each row, beyond the entries of the others
        return np.repeat(before, self.lengths) + np.arange(ends[-1] if len(ends) else 0)
