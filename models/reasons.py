"""Turning a model's own contributions into sentences: one code and one text per feature, for what raises a score.

``texts/`` holds a file per language: what a positive contribution of each feature says, {v} being its value for this
creator, then what the request or the marketplace decided. None says that one thing caused another: a model only knows
what goes together.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

MOST = 3
LANGUAGES = ("en", "zh", "es", "pt", "ja", "ar", "ko", "id")
# Counts and flags, of which zero says that there is nothing to tell, whatever a model made of it.
COUNTED = frozenset(
    "brand_jobs brand_failures language_match country_match followers_in_range followers_count median_views "
    "videos_count jobs open_orders recent_invitations".split()
)


class Reason(TypedDict):
    """A code (the feature's name in capitals), its text and its share of the score's margin."""

    code: str
    text: str
    contribution: float


@cache
def texts(language: str) -> Mapping[str, str]:
    """Code → text, English where ``language`` has none."""
    file = Path(__file__).parent / "texts" / f"{language}.json"
    own: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return own if language == "en" else {**texts("en"), **own}


def spoken(tag: object) -> str:
    """The language of :data:`LANGUAGES` that a BCP 47 tag such as pt-BR names, English for any other and for none."""
    primary = tag.replace("_", "-").partition("-")[0].strip().lower() if isinstance(tag, str) else ""
    return primary if primary in LANGUAGES else "en"


def said(code: str, language: str = "en", value: object = None) -> str:
    """The text of a code, with ``value`` in its place."""
    return texts(language)[code].format(v=value)


def top_reasons(features: pd.DataFrame, margins: npt.NDArray[np.floating], most: int = MOST) -> list[list[Reason]]:
    """Per row of ``features`` (k, p) the ``most`` largest positive ``margins`` (k, p), largest first, in English.

    A value that is not known and a count or flag of zero are no reasons, though a model may have learned from them.
    """
    values = features.to_numpy(np.float64)
    nothing = np.isnan(values) | ((values == 0) & features.columns.isin(list(COUNTED)))
    told = np.where(nothing, 0.0, margins)
    order = np.argsort(-told, axis=1, kind="stable")[:, :most]
    return [
        [_reason(features.columns[j], values[i, j], told[i, j]) for j in order[i] if told[i, j] > 0]
        for i in range(len(features))
    ]


def in_language(reasons: Sequence[list[Reason]], features: pd.DataFrame, language: str) -> list[list[Reason]]:
    """The :func:`top_reasons` of each row of ``features`` (k, p) said in another language."""
    return [
        [_retold(one, row[one["code"].lower()], language) for one in found]
        for found, row in zip(reasons, features.to_dict("records"), strict=True)
    ]


def _retold(reason: Reason, value: float, language: str) -> Reason:
    return Reason(code=reason["code"], text=said(reason["code"], language, value), contribution=reason["contribution"])


def _reason(name: str, value: float, margin: float) -> Reason:
    return Reason(code=name.upper(), text=said(name.upper(), value=value), contribution=float(margin))
