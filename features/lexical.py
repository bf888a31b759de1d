"""Hashed TF-IDF vectors of any language (Salton and Buckley, 1988): what a sentence encoder blurs, exact words keep.

Words are runs of letters and digits; scripts written without spaces (Han, Kana, Hangul, Thai) also give character
bigrams. Hashing needs no stored vocabulary: only the inverse document frequencies are fitted.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer

BUCKETS = 2**18
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def words(text: str) -> list[str]:
    """The terms of a text: lower-cased words, and character bigrams of words in unspaced scripts."""
    found: list[str] = []
    for word in _WORD.findall(text.lower()):
        found += ["".join(two) for two in pairwise(word)] if _UNSPACED.search(word) and len(word) > 1 else [word]
    return found


def term_counts(texts: Sequence[str]) -> sparse.csr_matrix:
    """(n, BUCKETS) float32 hashed term counts."""
    hashing = HashingVectorizer(n_features=BUCKETS, analyzer=words, norm=None, alternate_sign=False, dtype=np.float32)
    return (
        sparse.csr_matrix(hashing.transform(texts)) if len(texts) else sparse.csr_matrix((0, BUCKETS), dtype=np.float32)
    )


def inverse_document_frequency(counts: sparse.csr_matrix) -> npt.NDArray[np.float32]:
    """ln((1 + n) / (1 + df)) + 1 per bucket, the smoothed form of scikit-learn."""
    documents = np.asarray((counts > 0).sum(axis=0)).ravel()
    return (np.log((1 + counts.shape[0]) / (1 + documents)) + 1).astype(np.float32)


def tfidf(counts: sparse.csr_matrix, idf: npt.NDArray[np.float32]) -> sparse.csr_matrix:
    """Unit-length rows of (1 + ln tf) × idf; an empty text stays a row of zeros."""
    weighted = counts.copy()
    weighted.data = (1 + np.log(weighted.data)).astype(np.float32)
    weighted = sparse.csr_matrix(weighted.multiply(idf[None, :]))
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags_array(1 / np.maximum(norms, 1e-12)) @ weighted).astype(np.float32)
