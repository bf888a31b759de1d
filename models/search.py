"""The answers to search and profile requests: the catalogue as it stands, without a brief."""

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.errors import bad
from features.schema import CONTRACT, Kind, Tables
from models.catalogue import Catalogue
from models.filters import apply
from models.listing import PRICE_USD

SORTS = {
    "FOLLOWERS": c.FOLLOWERS_COUNT, "MEDIAN_VIEWS": c.MEDIAN_VIEWS, "ENGAGEMENT_RATE": c.ENGAGEMENT_RATE,
    "PRICE": PRICE_USD, "CREDIT": "credit_score",
}  # fmt: skip
PROFILED = ("creators", "audience", "daily_stats", "collaboration_events")
PAGE = 20
DAYS_SHOWN = 90


def search(catalogue: Catalogue, bank: TextBank, request: Mapping[str, Any]) -> dict[str, Any]:
    """One page of creators, sorted, ties by creator_id. ``sort`` is RELEVANCE with a query (its default) and FOLLOWERS
    without."""
    filtered = apply(catalogue.listing, request.get("filters") or {})
    keys = _keys(catalogue, bank, request)
    rows = np.flatnonzero(filtered.allowed)
    rows = rows[np.lexsort((catalogue.state.by_id[rows], keys[rows]))]
    after = _after(catalogue, request, keys, rows)
    page = rows[after : after + request.get("page_size", PAGE)]
    more = after + len(page) < len(rows)
    return {
        "results": [summary(catalogue, row) for row in page],
        "next_page_token": _token(keys[page[-1]], catalogue.state.ids[page[-1]]) if more else None,
        "candidates": {
            "catalogue": len(catalogue.state.ids), "removed": filtered.removed, "eligible": len(rows),
        },
        "hints": filtered.hints,
    }  # fmt: skip


def profile(own: Tables, creator_id: str, as_of: pd.Timestamp) -> dict[str, Any]:
    """All that is known of one creator, without scores: fields, audience, past collaborations, the 90 days up to
    ``as_of``. ``own`` are rows of creators, of each creator one."""
    theirs = {name: own[name].loc[own[name][c.CREATOR_ID] == creator_id] for name in PROFILED}
    creator, daily, events = theirs["creators"].iloc[-1], theirs["daily_stats"], theirs["collaboration_events"]
    daily = daily[daily[c.DATE] > as_of - pd.Timedelta(days=DAYS_SHOWN)].sort_values(c.DATE)
    shown = [c.COLLABORATION_ID, c.BRAND_ID, c.BRIEF_ID, c.EVENT_TYPE, c.EVENT_TIME, c.RATING]
    return {
        "creator_id": creator_id,
        **{column.name: _json(creator[column.name], column.kind) for column in CONTRACT["creators"].columns[1:]},
        "audience": records(theirs["audience"].sort_values([c.DIMENSION, c.BUCKET])[[c.DIMENSION, c.BUCKET, c.SHARE]]),
        "collaborations": records(
            events[events[c.COLLABORATION_ID].notna()].sort_values([c.EVENT_TIME, c.EVENT_ID])[shown]
        ),
        "daily_stats": records(daily[[*CONTRACT["daily_stats"].names[1:]]]),
    }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """JSON rows: times in ISO 8601, nulls for NaN."""
    return [
        {
            str(name): _json(value, Kind.TIME if isinstance(value, pd.Timestamp) else Kind.STRING)
            for name, value in row.items()
        }
        for row in frame.to_dict("records")
    ]


def _json(value: Any, kind: Kind) -> Any:
    if kind is Kind.LIST:
        return list(value)
    if pd.isna(value):
        return None
    return value.isoformat() if kind is Kind.TIME else value


def summary(catalogue: Catalogue, row: int) -> dict[str, Any]:
    """What a list shows of one creator: what filters and sorts read."""
    return {"creator_id": catalogue.state.ids[row]} | catalogue.listing.summary(row)


def _keys(catalogue: Catalogue, bank: TextBank, request: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """(n,) ascending sort keys; unknown values come last either way."""
    query = request.get("query")
    sort = request.get("sort") or ("RELEVANCE" if query else "FOLLOWERS")
    if sort == "RELEVANCE":
        if not query:
            raise bad("query", "is needed to sort by RELEVANCE; give one or choose another sort", query)
        vector, _ = bank.pooled([[query]], keep=False)
        # BLAS adds up in another order when creators come or go, and a page's last key would not be found again.
        values = np.einsum("ij,j->i", catalogue.state.text, vector[0]).astype(np.float64)
    else:
        values = catalogue.listing.numbers[SORTS[sort]]
    signed = values if request.get("order") == "ASC" else -values
    return np.where(np.isnan(signed), np.inf, signed)


def _token(key: float, creator_id: str) -> str:
    """Where a page ended: a place in the order, not a count, so that writes between pages neither repeat nor skip."""
    return base64.urlsafe_b64encode(json.dumps([float(key), creator_id]).encode()).decode()


def _after(
    catalogue: Catalogue, request: Mapping[str, Any], keys: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]
) -> int:
    """How many of the sorted ``rows`` the token's page and those before it have shown."""
    token = request.get("page_token")
    if not token:
        return 0
    try:
        key, creator_id = json.loads(base64.urlsafe_b64decode(token.encode()))
        key = float(key)
        if math.isnan(key) or not isinstance(creator_id, str):
            raise ValueError("no key that a page ended at")
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise bad("page_token", "is not one that a search answered with; start again without it", token) from error
    ids = catalogue.state.ids[rows].to_numpy()
    return int(((keys[rows] < key) | ((keys[rows] == key) & (ids <= creator_id))).sum())
