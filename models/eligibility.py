"""Who may be offered for a request: whom the marketplace, the request, the brief and its filters let through."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from models.bitmaps import Bits, has, without
from models.catalogue import Catalogue
from models.filters import Filtered, Removed, apply

Rows = npt.NDArray[np.int64]


def eligible(catalogue: Catalogue, request: Mapping[str, Any], brief: pd.Series | None = None) -> Filtered:
    """Who may be offered, and what removed the others: first whom nobody may offer (:func:`admitted`), then the brief's
    and the request's filters."""
    within, removed = admitted(catalogue, request, brief)
    filters = wished(brief) | dict(request.get("filters") or {})
    filtered = apply(catalogue.listing, filters, within)
    return replace(filtered, removed=removed + filtered.removed)


def wished(brief: pd.Series | None) -> dict[str, Any]:
    """What a brief asks for so plainly that it is a filter: a language is obeyed, all else it wants is weighed."""
    languages = [] if brief is None else brief[c.TARGET_LANGUAGES]
    return {c.TARGET_LANGUAGES: languages} if languages else {}


def admitted(
    catalogue: Catalogue, request: Mapping[str, Any], brief: pd.Series | None = None
) -> tuple[Bits, list[Removed]]:
    """Who is there and may be offered by the :func:`rules`, whatever filters say, and how many each rule removed."""
    left, removed = catalogue.open
    for name, rows in _named(catalogue, request, brief).items():
        new = np.unique(rows[has(left, rows)])
        if len(new):
            left, removed = without(left, new), [*removed, Removed(filter=name, removed=len(new), unknown=0)]
    return left, removed


def rules(
    catalogue: Catalogue, request: Mapping[str, Any], brief: pd.Series | None = None
) -> dict[str, npt.NDArray[np.bool_]]:
    """(n,) whom the marketplace's own rules, the request or the ``brief``'s competitors exclude, by rule."""
    everyone = np.arange(len(catalogue.gone))
    return catalogue.closed | {
        name: np.isin(everyone, rows) for name, rows in _named(catalogue, request, brief).items()
    }


def _named(catalogue: Catalogue, request: Mapping[str, Any], brief: pd.Series | None) -> dict[str, Rows]:
    """The rows that the request or the brief excludes; an id that nobody has names nobody."""
    named = {"exclude_creator_ids": catalogue.rows_of(request.get("exclude_creator_ids") or [])}
    if brief is not None:
        key = (brief[c.BRAND_ID], brief[c.INDUSTRY])
        named["exclusivity"] = catalogue.bound.get(key, lambda: catalogue.rows_of(catalogue.rivals.bound(brief)))
    return {name: rows[rows >= 0] for name, rows in named.items()}
