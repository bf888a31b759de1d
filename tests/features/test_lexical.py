import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer

from features.lexical import BUCKETS, bm25_weights, inverse_document_frequency, term_counts, tfidf, words


def test_words_of_spaced_and_unspaced_scripts() -> None:
    assert words("Vegan Snacks, 2026!") == ["vegan", "snacks", "2026"]
    assert words("护肤品") == ["护肤", "肤品"]
    assert words("مكياج طبيعي") == ["مكياج", "طبيعي"]


def test_terms_stand_where_scikit_learn_hashes_them() -> None:
    texts = ["Vegan tea, tea 2026!", "", "护肤品 ñandú"]
    hashing = HashingVectorizer(n_features=BUCKETS, analyzer=words, norm=None, alternate_sign=False, dtype=np.float32)
    assert (term_counts(texts) != hashing.transform(texts)).nnz == 0


def test_rare_words_weigh_more_and_rows_have_length_one() -> None:
    counts = term_counts(["tea shop", "tea house", "tea"])
    vectors = tfidf(counts, inverse_document_frequency(counts))
    assert vectors.shape == (3, BUCKETS)
    assert np.sqrt(vectors.multiply(vectors).sum(axis=1)) == pytest.approx(np.ones((3, 1)))
    assert 0 < (vectors[0] @ vectors[1].T).toarray()[0, 0] < 0.5  # they share only the common word


def test_inverse_document_frequency_by_hand() -> None:
    counts = term_counts(["tea tea shop", "tea", ""])
    weights = inverse_document_frequency(counts)
    tea, shop, unseen = (term_counts([word]).indices[0] for word in ("tea", "shop", "house"))
    assert weights[tea] == pytest.approx(np.log(1 + 3 / 2) ** 2 * 2 / 7)
    assert weights[shop] == pytest.approx(np.log(1 + 3 / 1) ** 2 * 1 / 6)
    assert weights[unseen] == 0


def test_an_empty_text_is_a_row_of_zeros() -> None:
    counts = term_counts(["", "tea"])
    assert tfidf(counts, inverse_document_frequency(counts))[[0]].nnz == 0
    assert term_counts([]).shape == (0, BUCKETS)
    assert tfidf(term_counts([]), inverse_document_frequency(counts)).shape == (0, BUCKETS)


def test_bm25_by_hand() -> None:
    counts = term_counts(["tea tea shop", "house"])  # lengths 3 and 1, mean 2
    found = bm25_weights(counts) @ np.asarray(term_counts(["tea"]).todense()).ravel()
    rarity = np.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    assert found == pytest.approx([rarity * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2)), 0])


def test_bm25_of_nothing_is_nothing_and_its_input_stays() -> None:
    counts = term_counts(["tea", ""])
    before = counts.copy()
    assert bm25_weights(counts)[[1]].nnz == 0
    assert (counts != before).nnz == 0
    assert bm25_weights(term_counts([])).shape == (0, BUCKETS)
