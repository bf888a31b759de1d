"""The dense inputs of the two towers: a text vector and hashed tags, the same space for briefs and creators.

Hashing the words (Weinberger et al., 2009) lets any vocabulary work and needs nothing stored; a word's place never changes.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.schema import Tables

Floats = npt.NDArray[np.float32]
TAGS = 256
AUDIENCE_WEIGHT = 1.0


def creator_inputs(tables: Tables, ids: pd.Index, text: Floats) -> Floats:
    """(n, d + TAGS): unit text vectors ``text`` (n, d), then labels, styles, formats, country, language and audience shares.

    Each creator's row depends on its own rows alone; what is missing is zero.
    """
    creators = tables["creators"].drop_duplicates(c.CREATOR_ID, keep="last").set_index(c.CREATOR_ID).reindex(ids)
    audience = tables["audience"]
    audience = audience[audience[c.CREATOR_ID].isin(ids)]
    tags = np.stack([_hashed(_creator_words(row)) for row in creators.to_dict("records")])
    words = audience[c.DIMENSION] + "=" + audience[c.BUCKET]
    places = np.array([_place(word) for word in words], dtype=np.int64)
    np.add.at(tags, (ids.get_indexer(audience[c.CREATOR_ID]), places), AUDIENCE_WEIGHT * audience[c.SHARE].to_numpy())
    return np.hstack([text, tags]).astype(np.float32)


def brief_inputs(briefs: pd.DataFrame, text: Floats) -> Floats:
    """(m, d + TAGS): unit text vectors, then the tags a fitting creator or audience would have."""
    return np.hstack([text, np.stack([_hashed(_brief_words(row)) for row in briefs.to_dict("records")])]).astype(
        np.float32
    )


def _creator_words(row: Mapping[str, object]) -> list[tuple[str, float]]:
    lists = _spread("label", row[c.CONTENT_LABELS]) + _spread("style", row[c.CONTENT_STYLES])
    single = [("country", row[c.COUNTRY_CODE]), ("language", row[c.LANGUAGE])]
    return (
        lists + _spread("format", row[c.CONTENT_FORMATS]) + [(f"{k}={v}", 1.0) for k, v in single if isinstance(v, str)]
    )


def _brief_words(row: Mapping[str, object]) -> list[tuple[str, float]]:
    kinds = {
        "label": c.CONTENT_LABELS, "style": c.CONTENT_STYLES, "format": c.CONTENT_FORMATS, "country": c.TARGET_COUNTRIES,
        "language": c.TARGET_LANGUAGES, "age": c.TARGET_AGES, "gender": c.TARGET_GENDERS, "interest": c.TARGET_INTERESTS,
    }  # fmt: skip
    return [word for kind, column in kinds.items() for word in _spread(kind, row[column])]


def _spread(kind: str, words: object) -> list[tuple[str, float]]:
    """Every word of a list with equal weights of length 1 together."""
    found: Sequence[object] = words if isinstance(words, list) else []
    return [(f"{kind}={str(word).lower()}", 1 / np.sqrt(len(found))) for word in found]


def _hashed(words: Iterable[tuple[str, float]]) -> npt.NDArray[np.float64]:
    row = np.zeros(TAGS)
    for word, weight in words:
        row[_place(word)] += weight
    return row


def _place(word: str) -> int:
    return zlib.crc32(word.encode()) % TAGS
