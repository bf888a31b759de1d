"""Texts that say nearly the same, found in about linear time by MinHash and locality-sensitive hashing."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from features.lexical import words

SIGNATURE, BANDS = 64, 16  # four rows a band: texts of Jaccard similarity .5 meet in a band with probability .64
NEAR = 0.6  # least similarity of near-duplicates
PRIME = np.uint64(2**31 - 1)
NOTHING = PRIME
Ints = npt.NDArray[np.int64]
Signatures = npt.NDArray[np.uint64]


def shingles(text: str) -> list[str]:
    """Words and pairs of words that follow one another; of a text without words its characters."""
    found = words(text)
    return found + [f"{a} {b}" for a, b in pairwise(found)] if found else [*"".join(text.split())]


def signatures(counts: sparse.csr_matrix) -> Signatures:
    """(n, SIGNATURE) the least value of each of SIGNATURE hash functions over a text's shingles (Broder, 1997): two
    texts agree in about as many as their sets' Jaccard similarity. A text without any has NOTHING."""
    filled = np.diff(counts.indptr) > 0
    buckets, starts = counts.indices.astype(np.uint64), counts.indptr[:-1][filled]
    found = np.full((counts.shape[0], SIGNATURE), NOTHING)
    if filled.any():
        for place, (factor, offset) in enumerate(_hash_functions()):
            found[filled, place] = np.minimum.reduceat((factor * buckets + offset) % PRIME, starts)
    return found


def clusters(signed: Signatures) -> Ints:
    """(n,) the cluster of each text, numbered by first appearance; -1 for a text that has no near-duplicate.

    Neighbours in a band's bucket that agree in NEAR of their signatures are joined, and so is whoever they are joined
    with.
    """
    size = len(signed)
    pairs = [_neighbours(signed[:, band::BANDS]) for band in range(BANDS)]
    first, second = np.concatenate(pairs, axis=1)
    near = (signed[first] == signed[second]).mean(axis=1) >= NEAR
    near &= signed[first, 0] != NOTHING
    joined = sparse.coo_matrix((np.ones(near.sum()), (first[near], second[near])), (size, size))
    labels = connected_components(joined, directed=False)[1]
    together = np.bincount(labels, minlength=size)[labels] > 1
    places = {label: place for place, label in enumerate(dict.fromkeys(labels[together].tolist()))}
    return np.array([places.get(label, -1) for label in labels.tolist()], dtype=np.int64)


def _neighbours(band: Signatures) -> Ints:
    """(2, m) rows next to each other in a bucket: those whose signatures agree in the whole band."""
    _, bucket = np.unique(band, axis=0, return_inverse=True)
    order = np.argsort(bucket.ravel(), kind="stable")
    same = np.diff(bucket.ravel()[order]) == 0
    return np.stack([order[:-1][same], order[1:][same]])


def _hash_functions() -> npt.NDArray[np.uint64]:
    """(SIGNATURE, 2) factors and offsets of x → (factor x + offset) mod PRIME; fixed, so that signatures compare."""
    return np.random.default_rng(SIGNATURE).integers(1, int(PRIME), (SIGNATURE, 2)).astype(np.uint64)
