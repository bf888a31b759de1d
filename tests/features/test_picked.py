"""Products with some rows of a sparse matrix: the bits that SciPy gives the whole of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from features.picked import Picked

N, WIDTH = 12, 9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=st.integers(0, 999), rows=st.lists(st.integers(0, N - 1), max_size=N))
def test_each_row_has_the_bits_of_the_whole_product(dtype, seed, rows):
    """Of few rows and of many, of rows without entries, twice asked for, in any order."""
    rng = np.random.default_rng(seed)
    matrix = sparse.csr_matrix(rng.normal(size=(N, WIDTH)) * (rng.random((N, WIDTH)) < 0.6), dtype=dtype)
    matrix = sparse.csr_matrix(matrix.multiply(rng.random((N, 1)) < 0.8), dtype=dtype)
    picked = Picked(matrix, np.array(rows, np.int64))
    for vector in (rng.normal(size=WIDTH), rng.normal(size=WIDTH).astype(np.float32)):
        np.testing.assert_array_equal(picked @ vector, (matrix @ vector)[rows].astype(np.float64))
    np.testing.assert_array_equal(picked.columns, matrix[rows].indices)
    np.testing.assert_array_equal(picked.sums(), np.ones(len(rows), dtype) @ matrix[rows])
