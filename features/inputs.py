"""The dense inputs of the two towers: a text vector and hashed tags, the same space for briefs and creators.

Hashing the words (Weinberger et al., 2009) lets any vocabulary work with nothing stored; a word's place never changes.
"""

import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.schema import Tables, as_list

Floats = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]
TAGS = 256
CREATOR_KINDS = {
    "label": c.CONTENT_LABELS, "style": c.CONTENT_STYLES, "format": c.CONTENT_FORMATS, "country": c.COUNTRY_CODE,
    "language": c.LANGUAGE,
}  # fmt: skip
# What a brief targets shares its places with what creators are and with the buckets of their audience.
BRIEF_KINDS = {
    "label": c.CONTENT_LABELS, "style": c.CONTENT_STYLES, "format": c.CONTENT_FORMATS, "country": c.TARGET_COUNTRIES,
    "language": c.TARGET_LANGUAGES, "age": c.TARGET_AGES, "gender": c.TARGET_GENDERS, "interest": c.TARGET_INTERESTS,
}  # fmt: skip


def creator_inputs(tables: Tables, ids: pd.Index, text: Floats) -> Floats:
    """(n, d + TAGS): unit vectors ``text`` (n, d), then labels, styles, formats, country, language and audience shares.

    Each creator's row depends on its own rows alone; what is missing is zero. ``ids`` are unique.
    """
    creators = tables["creators"].drop_duplicates(c.CREATOR_ID, keep="last").set_index(c.CREATOR_ID).reindex(ids)
    tags = _tags(creators, CREATOR_KINDS, len(ids))
    tags += _audience(tables["audience"], ids)
    inputs = np.empty((len(ids), text.shape[1] + TAGS), np.float32)  # filled in place: each copy is a large one
    inputs[:, : text.shape[1]], inputs[:, text.shape[1] :] = text, tags
    return inputs


def brief_inputs(briefs: pd.DataFrame | Mapping[str, Sequence[object]], text: Floats) -> Floats:
    """(m, d + TAGS): unit text vectors ``text`` (m, d), then the tags a fitting creator or audience would have."""
    return np.hstack([text, _tags(briefs, BRIEF_KINDS, len(text))]).astype(np.float32)


def _tags(columns: pd.DataFrame | Mapping[str, Sequence[object]], kinds: Mapping[str, str], n: int) -> Values:
    """(n, TAGS): every column's words with equal weights, of length 1 together."""
    table = np.zeros((n, TAGS))
    for kind, column in kinds.items():
        groups = [as_list(value) for value in columns[column]]
        if not any(groups):
            continue
        lengths = np.array([len(group) for group in groups], dtype=np.int64)
        places = np.array([_place(f"{kind}={word}") for group in groups for word in group], dtype=np.int64)
        rows = np.repeat(np.arange(n), lengths)
        table += _placed(rows, places, 1 / np.sqrt(lengths[rows], dtype=np.float64), n)
    return table


def _audience(audience: pd.DataFrame, ids: pd.Index) -> Values:
    rows = ids.get_indexer(audience[c.CREATOR_ID])
    known = audience[rows >= 0]
    codes, words = pd.factorize(known[c.DIMENSION] + "=" + known[c.BUCKET])
    places = np.array([_place(word) for word in words], dtype=np.int64)[codes]
    return _placed(rows[rows >= 0], places, known[c.SHARE].to_numpy(), len(ids))


def _placed(rows: npt.NDArray[np.int64], places: npt.NDArray[np.int64], weights: Values, n: int) -> Values:
    """(n, TAGS) sums of ``weights`` at rows and places."""
    sums: Values = np.bincount(rows * TAGS + places, weights, n * TAGS).astype(np.float64, copy=False)
    return sums.reshape(n, TAGS)


@lru_cache(maxsize=2**16)
def _place(word: str) -> int:
    """Without regard to case."""
    return zlib.crc32(word.lower().encode("utf-8", "replace")) % TAGS
