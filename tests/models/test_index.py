import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bitmaps import Subset
from models.index import VectorIndex

N, DIMENSION = 300, 16
RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(N, DIMENSION)).astype(np.float32)
INDEX = VectorIndex([f"c{row}" for row in range(N)], VECTORS)


@given(
    share=st.sampled_from([0.0, 0.003, 0.01, 0.04, 0.06, 0.3, 0.9, 1.0]),
    k=st.integers(1, 2 * N),
    seed=st.integers(0, 99),
)
def test_search_equals_brute_force_at_every_selectivity(share: float, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    query = rng.normal(size=DIMENSION).astype(np.float32)
    allowed = rng.permutation(N) < share * N
    rows, scores = INDEX.search(query, k, Subset.of(allowed))
    exact = VECTORS @ query
    np.testing.assert_allclose(scores, np.sort(exact[allowed])[::-1][:k], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scores, exact[rows], rtol=1e-4, atol=1e-5)
    assert allowed[rows].all()
    assert len(set(rows)) == len(rows)


def test_an_empty_catalogue_has_no_one() -> None:
    rows, scores = VectorIndex([], VECTORS[:0]).search(VECTORS[0], 5, Subset.of(np.zeros(0, bool)))
    assert len(rows) == len(scores) == 0
    assert rows.dtype == np.int64


def test_every_vector_needs_its_id() -> None:
    with pytest.raises(ValueError, match="2 ids for 3 vectors"):
        VectorIndex(["a", "b"], VECTORS[:3])
