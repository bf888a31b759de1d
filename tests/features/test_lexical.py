import numpy as np
import pytest

from features.lexical import BUCKETS, inverse_document_frequency, term_counts, tfidf, words


def test_words_of_spaced_and_unspaced_scripts() -> None:
    assert words("Vegan Snacks, 2026!") == ["vegan", "snacks", "2026"]
    assert words("护肤品") == ["护肤", "肤品"]
    assert words("مكياج طبيعي") == ["مكياج", "طبيعي"]


def test_rare_words_weigh_more_and_rows_have_length_one() -> None:
    counts = term_counts(["tea shop", "tea house", "tea"])
    vectors = tfidf(counts, inverse_document_frequency(counts))
    assert vectors.shape == (3, BUCKETS)
    assert np.sqrt(vectors.multiply(vectors).sum(axis=1)) == pytest.approx(np.ones((3, 1)))
    assert 0 < (vectors[0] @ vectors[1].T).toarray()[0, 0] < 0.5  # they share only the common word


def test_an_empty_text_is_a_row_of_zeros() -> None:
    counts = term_counts(["", "tea"])
    assert tfidf(counts, inverse_document_frequency(counts))[[0]].nnz == 0
    assert term_counts([]).shape == (0, BUCKETS)
