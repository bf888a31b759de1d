"""Appeals as objects: what is appealed, why, until when it is to be decided, and what came of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from features import columns as c
from features.appeals import Appeal, appeals
from models.credit_factors import CODE, MEASURE
from models.credit_policy import Policy
from models.credit_texts import TEXTS, described

MOST_APPEALS = 20
_DAY = pd.Timedelta(days=1)


class Appealed(NamedTuple):
    """An appeal, and the finding against which it is (None: the ledger does not know it)."""

    appeal: Appeal
    finding: Mapping[str, Any] | None


def appeals_by_creator(past: pd.DataFrame) -> dict[str, list[Appealed]]:
    """By creator the latest appeals in ``past``, events :func:`models.credit_factors.coded`, latest first."""
    made = appeals(past)
    if not made:
        return {}
    rows = past[past[c.EVENT_ID].isin([one.finding_id for one in made])]
    findings = {row[c.EVENT_ID]: row for row in rows.to_dict("records")}
    found: dict[str, list[Appealed]] = {}
    for one in reversed(made):
        found.setdefault(one.creator_id, []).append(Appealed(one, findings.get(one.finding_id)))
    return {creator_id: theirs[:MOST_APPEALS] for creator_id, theirs in found.items()}


def appeal_answer(appealed: Appealed, policy: Policy, as_of: pd.Timestamp) -> dict[str, Any]:
    """OPEN until the deadline, OVERDUE after it, DECIDED once it or the finding was: OVERTURNED or CONFIRMED."""
    appeal, against = appealed
    deadline = appeal.opened_at + policy.appeal_days * _DAY
    decided = appeal.decided_at is not None
    late = _lateness(deadline, decided, as_of)
    return {
        "appeal_id": appeal.appeal_id,
        "state": late["state"],
        "outcome": None if not decided else "OVERTURNED" if appeal.overturned else "CONFIRMED",
        "opened_at": appeal.opened_at.isoformat(),
        "deadline": deadline.isoformat(),
        "decided_at": appeal.decided_at.isoformat() if appeal.decided_at else None,
        "overdue_days": late["overdue_days"],
        "finding": {"event_id": appeal.finding_id} | _finding(against),
        "statement": appeal.statement,
        "decision": appeal.decision,
    }


def aged(answer: Mapping[str, Any], as_of: pd.Timestamp) -> dict[str, Any]:
    """An :func:`appeal_answer` as it is at a later moment."""
    return {**answer, **_lateness(pd.Timestamp(answer["deadline"]), answer["state"] == "DECIDED", as_of)}


def _lateness(deadline: pd.Timestamp, decided: bool, as_of: pd.Timestamp) -> dict[str, Any]:
    late = (as_of - deadline) / _DAY
    if decided or late <= 0:
        return {"state": "DECIDED" if decided else "OPEN", "overdue_days": None}
    return {"state": "OVERDUE", "overdue_days": round(late, 1)}


def _finding(row: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was appealed, in words; nulls where the ledger does not know the event."""
    if row is None:
        return dict.fromkeys(("event_type", "event_time", "text", "violation_type", "note"))
    told = {name: None if pd.isna(row[name]) else row[name] for name in (c.VIOLATION_TYPE, c.NOTE)}
    text = described(row[CODE], row[MEASURE], row[c.EVENT_TIME]) if row[CODE] in TEXTS else None
    return {"event_type": row[c.EVENT_TYPE], "event_time": row[c.EVENT_TIME].isoformat(), "text": text} | told
