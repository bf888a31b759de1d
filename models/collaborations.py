"""The answer of /v1/collaborations: how far each has come, what may follow, who must act, what is overdue."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from features import columns as c
from features.collaborations import AWAITED, BY_CREATOR, SETS_DUE, collaborations, ordered, progress
from features.errors import bad
from features.schema import Tables
from models.search import records

FIELDS = {"collaboration_ids": c.COLLABORATION_ID, "creator_ids": c.CREATOR_ID, "brand_ids": c.BRAND_ID}
"""What a request may ask by, one at a time → the column of the ledger."""
PAGE = 20
MOST_SHOWN = 100
"""Events of one history in an answer; all of them are counted."""
SHOWN = [
    c.EVENT_ID, c.EVENT_TYPE, c.EVENT_TIME, c.RECEIVED_AT, c.DUE_AT, c.AMOUNT, c.CURRENCY, c.RATING, c.VIDEO_ID, c.NOTE,
]  # fmt: skip


def collaborations_answer(tables: Tables, request: Mapping[str, Any], now: pd.Timestamp) -> dict[str, Any]:
    """One page of the collaborations asked for, by collaboration_id; what is due before ``now`` is overdue.

    ``tables`` as they are known. Raises InputError unless exactly one of :data:`FIELDS` is given, and (NOT_FOUND) for
    an id that is in none of them.
    """
    field = _field(request)
    asked, column = request[field], FIELDS[field]
    events = tables["collaboration_events"]
    _check_known(field, asked, _known(tables, column))
    ids = ordered(events[events[column].isin(asked)])[c.COLLABORATION_ID].unique()
    left = sorted(one for one in ids if one > request.get("page_token", ""))
    page = left[: request.get("page_size", PAGE)]
    steps = ordered(events[events[c.COLLABORATION_ID].isin(page)])
    histories = groupby(records(steps[[c.COLLABORATION_ID, *SHOWN]]), lambda event: event.pop(c.COLLABORATION_ID))
    rows = collaborations(steps).to_dict("records")
    return {
        "results": [_standing(row, [*history], now) for row, (_, history) in zip(rows, histories, strict=True)],
        "next_page_token": page[-1] if len(left) > len(page) else None,
        "as_of": now.isoformat(),
    }


def _field(request: Mapping[str, Any]) -> str:
    given = [name for name in FIELDS if name in request]
    if len(given) != 1:
        raise bad(given[-1] if given else next(iter(FIELDS)), f"give exactly one of {', '.join(FIELDS)}", given)
    return given[0]


def _known(tables: Tables, column: str) -> pd.Series:
    """Everything that is known under a column of the ledger."""
    homes = {c.CREATOR_ID: ("creators",), c.BRAND_ID: ("collaboration_events", "briefs")}
    return pd.concat([tables[name][column] for name in homes.get(column, ("collaboration_events",))])


def _check_known(field: str, asked: list[str], known: pd.Series) -> None:
    there = set(known[known.isin(asked)])
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
