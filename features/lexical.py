"""Hashed TF-IDF vectors of any language (Salton and Buckley, 1988): what a sentence encoder blurs, exact words keep.

Words are runs of letters and digits; scripts written without spaces (Han, Kana, Hangul, Thai) also give character
bigrams. Hashing needs no stored vocabulary: only the inverse document frequencies are fitted.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils import murmurhash3_32

BUCKETS = 2**18
SEEN_OFTEN = 5  # documents after which a term has half of its weight: rare ones are mostly names and slips
CHAMPIONS = 500
_WORD = re.compile(r"\w+")
UNSPACED = r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"  # scripts that write words in one
_UNSPACED = re.compile(UNSPACED)


def words(text: str) -> list[str]:
    """The terms of a text: lower-cased words, and character bigrams of words in unspaced scripts."""
    found: list[str] = []
    for word in _WORD.findall(text.lower()):
        found += ["".join(two) for two in pairwise(word)] if _UNSPACED.search(word) and len(word) > 1 else [word]
    return found


def buckets(terms: Iterable[str]) -> npt.NDArray[np.int32]:
    """The bucket of each term, by MurmurHash3 (Appleby, 2011) as scikit-learn's HashingVectorizer places it."""
    return np.abs(np.fromiter(map(murmurhash3_32, terms), np.int32)) % BUCKETS


def term_counts(texts: Sequence[str], terms: Callable[[str], list[str]] = words) -> sparse.csr_matrix:
    """(n, BUCKETS) float32 hashed counts of the ``terms`` of each text."""
    return counted([buckets(terms(text)) for text in texts])


def counted(rows: Sequence[npt.NDArray[np.int32]]) -> sparse.csr_matrix:
    """(n, BUCKETS) float32 how often each bucket stands in each of the ``rows``."""
    places, ends = np.concatenate([np.zeros(0, np.int32), *rows]), np.cumsum([0, *map(len, rows)])
    counts = sparse.csr_matrix((np.ones(len(places), np.float32), places, ends), (len(rows), BUCKETS))
    counts.sum_duplicates()
    return counts


def inverse_document_frequency(counts: sparse.csr_matrix) -> npt.NDArray[np.float32]:
    """ln(1 + n / df)² × df / (df + SEEN_OFTEN) per bucket, 0 where df is.

    The square draws apart common words, of which captions are full, and telling ones; docs/results.md shows both.
    """
    documents = np.asarray((counts > 0).sum(axis=0)).ravel()
    rarity = np.log1p(counts.shape[0] / np.maximum(documents, 1))
    return (rarity**2 * documents / (documents + SEEN_OFTEN)).astype(np.float32)


def tfidf(counts: sparse.csr_matrix, idf: npt.NDArray[np.float32]) -> sparse.csr_matrix:
    """Unit-length rows of (1 + ln tf) × idf; an empty text stays a row of zeros.

    Entry by entry, since SciPy's products cost a row as much as BUCKETS are many. A row's last term comes first, which
    is the order in which products with it are added.
    """
    weights = (1 + np.log(counts.data)).astype(np.float32) * idf[counts.indices]
    known = sparse.csr_matrix((weights, counts.indices, counts.indptr), counts.shape, copy=True)
    known.eliminate_zeros()
    ends, lengths = known.indptr, np.diff(known.indptr)
    norms = np.sqrt(np.add.reduceat(known.data * known.data, ends[:-1][lengths > 0]))
    known.data *= np.repeat(1 / np.maximum(norms, 1e-12), lengths[lengths > 0])
    backwards = np.repeat(ends[:-1] + ends[1:] - 1, lengths) - np.arange(known.nnz)
    return sparse.csr_matrix((known.data[backwards], known.indices[backwards], ends), counts.shape)


def bm25_weights(counts: sparse.csr_matrix, k1: float = 1.2, b: float = 0.75) -> sparse.csr_matrix:
    """(n, BUCKETS) what each term of a document adds to its Okapi BM25 score, once per time the query has it: the score
    of a query with ``asked`` (BUCKETS,) counts is ``bm25_weights(counts) @ asked``.

    ln(1 + (n − df + .5) / (df + .5)) × tf (k1 + 1) / (tf + k1 (1 − b + b length / mean length)) (Robertson and
    Zaragoza, 2009; the logarithm with the 1 of Lucene, which never goes below zero).
    """
    n = counts.shape[0]
    documents = np.asarray((counts > 0).sum(axis=0)).ravel()
    lengths = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    relative = lengths / max(lengths.mean(), 1e-12) if n else lengths
    weights = counts.tocsr().astype(np.float64)
    dampened = weights.data + k1 * (1 - b + b * np.repeat(relative, np.diff(weights.indptr)))
    rarity = np.log1p((n - documents + 0.5) / (documents + 0.5))
    weights.data = rarity[weights.indices] * weights.data * (k1 + 1) / dampened
    return weights


@dataclass(frozen=True)
class Champions:
    """For each term the :data:`CHAMPIONS` rows with most of it: term ``t`` has ``rows[ends[t] : ends[t + 1]]``, most
    first. Who is best for a few words is nearly always among them (Manning, Raghavan and Schütze, 2008, 7.1.3), and to
    score all others takes as long as the catalogue is large."""

    rows: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, weights: sparse.csr_matrix) -> "Champions":
        """The champions of the rows of ``weights`` (n, terms), ties by row."""
        owners = np.repeat(np.arange(weights.shape[0], dtype=np.int32), np.diff(weights.indptr))
        order = np.lexsort((owners, -weights.data, weights.indices))
        terms = weights.indices[order]
        first = np.searchsorted(terms, np.arange(weights.shape[1] + 1))
        kept = np.arange(len(terms)) - first[terms] < CHAMPIONS
        ends = np.concatenate([[0], np.cumsum(np.minimum(np.diff(first), CHAMPIONS))])
        return cls(owners[order][kept], ends)

    def among(self, terms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The rows that are champions of one of the ``terms``, sorted."""
        lists = [self.rows[self.ends[term] : self.ends[term + 1]] for term in terms]
        # Of so few, NumPy's unique, which hashes them first, takes ten times as long.
        found = np.sort(np.concatenate([np.zeros(0, np.int32), *lists]))
        return found[np.diff(found, prepend=-1) > 0].astype(np.int64)
