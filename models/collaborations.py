"""The answer of /v1/collaborations: how far each has come, what may follow, who must act, what is overdue."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from features import columns as c
from features.collaborations import AWAITED, BY_CREATOR, SETS_DUE, collaborations, ordered, progress
from features.errors import bad
from features.schema import BRIEFS, COLLABORATION_EVENTS, CREATORS
from features.source import Rows
from models.search import records

FIELDS = {"collaboration_ids": c.COLLABORATION_ID, "creator_ids": c.CREATOR_ID, "brand_ids": c.BRAND_ID}
"""What a request may ask by, one at a time → the column of the ledger."""
LEDGER = COLLABORATION_EVENTS.name
HOMES = {c.COLLABORATION_ID: (), c.CREATOR_ID: (CREATORS.name,), c.BRAND_ID: (BRIEFS.name,)}
"""Where else an id is known than in the ledger, by that column."""
PAGE = 20
MOST_SHOWN = 100
"""Events of one history in an answer; all of them are counted."""
SHOWN = [
    c.EVENT_ID, c.EVENT_TYPE, c.EVENT_TIME, c.RECEIVED_AT, c.DUE_AT, c.AMOUNT, c.CURRENCY, c.RATING, c.VIDEO_ID, c.NOTE,
]  # fmt: skip


def collaborations_answer(rows: Rows, request: Mapping[str, Any], now: pd.Timestamp) -> dict[str, Any]:
    """One page of the collaborations asked for, by collaboration_id; what is due before ``now`` is overdue.

    ``rows`` as they are known. Raises InputError unless exactly one of :data:`FIELDS` is given, and (NOT_FOUND) for
    an id that is in none of them.
    """
    field = _field(request)
    asked, column = request[field], FIELDS[field]
    events = rows.where(LEDGER, column, asked)
    _check_known(field, asked, events[column], *(rows.where(name, column, asked)[column] for name in HOMES[column]))
    ids = ordered(events)[c.COLLABORATION_ID].unique()
    left = sorted(one for one in ids if one > request.get("page_token", ""))
    page = left[: request.get("page_size", PAGE)]
    steps = ordered(rows.where(LEDGER, c.COLLABORATION_ID, page))
    histories = groupby(records(steps[[c.COLLABORATION_ID, *SHOWN]]), lambda event: event.pop(c.COLLABORATION_ID))
    found = collaborations(steps).to_dict("records")
    return {
        "results": [_standing(row, [*history], now) for row, (_, history) in zip(found, histories, strict=True)],
        "next_page_token": page[-1] if len(left) > len(page) else None,
        "as_of": now.isoformat(),
    }


def _field(request: Mapping[str, Any]) -> str:
    given = [name for name in FIELDS if name in request]
    if len(given) != 1:
        raise bad(given[-1] if given else next(iter(FIELDS)), f"give exactly one of {', '.join(FIELDS)}", given)
    return given[0]


def _check_known(field: str, asked: list[str], *known: pd.Series) -> None:
    there = set(pd.concat(known))
    missing = next((one for one in asked if one not in there), None)
    if missing is not None:
        raise bad(field, f"no such {field.removesuffix('_ids')}", missing, "NOT_FOUND")


def _standing(row: Mapping[str, Any], history: list[dict[str, Any]], now: pd.Timestamp) -> dict[str, Any]:
    """One collaboration: ``row`` of :func:`features.collaborations.collaborations`, ``history`` its events in order."""
    reached = progress(event[c.EVENT_TYPE] for event in history)
    awaited = AWAITED.get(reached.state)
    due_at = _due_at(history) if awaited else None
    late = (now - pd.Timestamp(due_at)) / pd.Timedelta(days=1) if due_at else 0.0
    return {
        **{name: _json(row[name]) for name in (c.COLLABORATION_ID, c.CREATOR_ID, c.BRAND_ID, c.BRIEF_ID)},
        "state": reached.state or None,
        "incomplete": row["incomplete"],
        "next_legal": list(reached.legal()),
        "awaited": awaited,
        "must_act": None if awaited is None else "CREATOR" if awaited in BY_CREATOR else "BRAND",
        "due_at": due_at,
        "overdue_days": round(late, 1) if late > 0 else None,
        "events": len(history),
        "history": history[-MOST_SHOWN:],
    }


def _due_at(history: Sequence[Mapping[str, Any]]) -> str | None:
    """When the awaited step is due: the ``due_at`` of the event that led to the state, None where it sets none."""
    led = next(event for event in reversed(history) if event[c.EVENT_TYPE] in AWAITED)
    return led[c.DUE_AT] if led[c.EVENT_TYPE] in SETS_DUE else None


def _json(value: Any) -> Any:
    return None if pd.isna(value) else value
