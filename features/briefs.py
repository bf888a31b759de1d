"""A brief's words as of a date, and what its brand had done by then."""

import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features.lexical import UNSPACED
from features.schema import BRIEFS, Kind

HASHTAGS_KEPT = 40
NOTES_KEPT = 20
_HASHTAG = re.compile(r"#\w+")
_NAME = re.compile(rf"(?:(?!{UNSPACED})[^\W_])+")  # a Latin name may stand in Chinese without a space


def description_texts(brief: pd.Series | Mapping[Hashable, Any]) -> list[str]:
    """Title and description, as texts to embed."""
    return [text for text in (brief[c.TITLE], brief[c.DESCRIPTION]) if isinstance(text, str) and text.strip()]


def names(brief: pd.Series | Mapping[Hashable, Any]) -> list[str]:
    """The words with a capital that stand in the title and in the description: mostly what a product is called."""
    written = [{*_NAME.findall(text)} for text in description_texts(brief)]
    return sorted(word for word in written[0] & written[1] if word != word.lower()) if len(written) == 2 else []


def without(text: str, words: Collection[str]) -> str:
    """The text with these words left out."""
    return _NAME.sub(lambda found: "" if found[0] in words else found[0], text).strip()


def reference_texts(brief: pd.Series | Mapping[Hashable, Any]) -> list[str]:
    """The reference captions line by line, so that one long caption does not drown the others."""
    text = brief[c.REFERENCE_CAPTIONS]
    return [line.strip() for line in text.splitlines() if line.strip()] if isinstance(text, str) else []


def rebuilt_brief(brief_id: str, brand_id: str, notes: Sequence[str], as_of: pd.Timestamp) -> pd.Series:
    """A brief that is not written yet at ``as_of``, as its brand's earlier collaborations for it let one guess it.

    ``notes`` are those of its events known before ``as_of``, oldest first: their commonest hashtags become the
    description, the latest of them the reference captions; structured fields are unknown.
    """
    tags = Counter(tag for note in notes for tag in _HASHTAG.findall(note.lower()))
    unknown: dict[str, object] = {column.name: [] if column.kind is Kind.LIST else np.nan for column in BRIEFS.columns}
    known = {
        c.BRIEF_ID: brief_id,
        c.BRAND_ID: brand_id,
        c.CREATED_AT: as_of,
        c.DESCRIPTION: " ".join(tag for tag, _ in tags.most_common(HASHTAGS_KEPT)),
        c.REFERENCE_CAPTIONS: "\n".join(reversed(notes[-NOTES_KEPT:])),
    }
    return pd.Series(unknown | known, dtype="object")
