"""The answers to search and profile requests: the catalogue as it stands, without a brief."""

import base64
import json
import math
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.errors import bad
from features.schema import CONTRACT, Kind, Tables
from models.bitmaps import Flags, packed
from models.catalogue import Catalogue
from models.filters import Values, apply, hints, together
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
    after, size = _token_of(request), request.get("page_size", PAGE)
    filtered = [apply(part.listing, request.get("filters") or {}, packed(~part.gone)) for part in catalogue.parts]
    pages = [
        _first(part, one.allowed.flags, _keys(part, bank, request), after, size + 1)
        for part, one in zip(catalogue.parts, filtered, strict=True)
    ]
    page = sorted((one for page in pages for one in page), key=itemgetter(0, 1))
    shown = page[:size]
    return {
        "results": [summary(part, row) for _, _, part, row in shown],
        "next_page_token": _token(*shown[-1][:2]) if len(page) > size else None,
        "candidates": {
            "catalogue": catalogue.size,
            "removed": together([one.removed for one in filtered]),
            "eligible": sum(one.allowed.count for one in filtered),
        },
        "hints": hints(filtered),
    }  # fmt: skip


def _first(
    part: Catalogue, allowed: Flags, keys: Values, after: tuple[float, str] | None, most: int
) -> list[tuple[float, str, Catalogue, int]]:
    """Key, creator_id, part and row of the first ``most`` allowed creators after those that pages have shown."""
    if after:
        key, creator_id = after
        same = np.flatnonzero(allowed & (keys == key))
        allowed = allowed & (keys > key)
        allowed[same[part.state.ids[same].to_numpy(object) > creator_id]] = True
    rows = np.flatnonzero(allowed)
    if len(rows) > most:  # to sort a million for twenty takes a tenth of a second
        rows = rows[keys[rows] <= np.partition(keys[rows], most - 1)[most - 1]]
    rows = rows[np.lexsort((part.state.by_id[rows], keys[rows]))][:most]
    return [(float(keys[row]), part.state.ids[row], part, int(row)) for row in rows]


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


def _keys(part: Catalogue, bank: TextBank, request: Mapping[str, Any]) -> Values:
    """(n,) ascending sort keys of a part of the catalogue; unknown values come last either way."""
    query = request.get("query")
    sort = request.get("sort") or ("RELEVANCE" if query else "FOLLOWERS")
    if sort != "RELEVANCE":
        values = part.listing.numbers[SORTS[sort]]
    elif query:
        vector = bank.vectors([[query]])[0]
        # BLAS adds up in another order when creators come or go, and a page's last key would not be found again.
        values = np.einsum("ij,j->i", part.state.text, vector).astype(np.float64)
    else:
        raise bad("query", "is needed to sort by RELEVANCE; give one or choose another sort", query)
    return _unknown_last(values if request.get("order") == "ASC" else -values)


def _unknown_last(keys: Values) -> Values:
    return np.where(np.isnan(keys), np.inf, keys)


def _token(key: float, creator_id: str) -> str:
    """Where a page ended: a place in the order, not a count, so that writes between pages neither repeat nor skip."""
    return base64.urlsafe_b64encode(json.dumps([float(key), creator_id]).encode()).decode()


def _token_of(request: Mapping[str, Any]) -> tuple[float, str] | None:
    """The key and the creator that the pages so far ended with."""
    token = request.get("page_token")
    if not token:
        return None
    try:
        key, creator_id = json.loads(base64.urlsafe_b64decode(token.encode()))
        key = float(key)
        if math.isnan(key) or not isinstance(creator_id, str):
            raise ValueError("no key that a page ended at")
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise bad("page_token", "is not one that a search answered with; start again without it", token) from error
    return key, creator_id
