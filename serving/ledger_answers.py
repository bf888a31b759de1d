"""The shapes of the answers that read the ledger, for the OpenAPI document as in :mod:`serving.answers`."""

from typing import Any, Literal

from pydantic import Field

from serving.answers import Answer


class LedgerEvent(Answer):
    """One event of a collaboration."""

    event_id: str
    event_type: str
    event_time: str
    received_at: str | None
    due_at: str | None
    amount: float | None
    currency: str | None
    rating: float | None
    video_id: str | None
    note: str | None


class Collaboration(Answer):
    """How far one collaboration has come.

    ``incomplete``: events are missing from its history. ``awaited`` is the step that leads on to settlement, ``due_at``
    when it was to come, ``overdue_days`` since when it should have. ``history`` ends with the latest event and shows at
    most 100 of all ``events``.
    """

    collaboration_id: str
    creator_id: str
    brand_id: str | None
    brief_id: str | None
    state: str | None
    incomplete: bool
    next_legal: list[str]
    awaited: str | None
    must_act: Literal["BRAND", "CREATOR"] | None
    due_at: str | None
    overdue_days: float | None = Field(ge=0)
    events: int
    history: list[LedgerEvent] = Field(max_length=100)


class CollaborationsAnswer(Answer):
    """One page of collaborations; ``next_page_token`` is null on the last. Overdue is what is due before ``as_of``."""

    results: list[Collaboration]
    next_page_token: str | None
    as_of: str


class Finding(Answer):
    """What an appeal is against; nulls beside its id where the ledger does not know it."""

    event_id: str
    event_type: str | None
    event_time: str | None
    text: str | None
    violation_type: str | None
    note: str | None


class Appeal(Answer):
    """An appeal: OPEN until its deadline, then OVERDUE, DECIDED once it was decided or the finding undone.

    ``outcome`` says whether the finding was OVERTURNED or CONFIRMED; ``statement`` and ``decision`` are the reasons
    that people gave.
    """

    appeal_id: str
    state: Literal["OPEN", "DECIDED", "OVERDUE"]
    outcome: Literal["OVERTURNED", "CONFIRMED"] | None
    opened_at: str
    deadline: str
    decided_at: str | None
    overdue_days: float | None = Field(ge=0)
    finding: Finding
    statement: str | None
    decision: str | None


class Factor(Answer):
    """One of the five factors of the credit score."""

    name: str
    score: float | None
    weight: float
    events: int


class CreditScore(Answer):
    """The credit of one creator."""

    creator_id: str
    score: float = Field(ge=0, le=1000)
    stars: int = Field(ge=1, le=5)
    band: str
    confidence: float = Field(ge=0, le=1)
    order_status: Literal["OPEN", "LIMITED", "SUSPENDED"]
    status_until: str | None
    max_open_orders: int | None
    factors: list[Factor]
    reasons: list[dict[str, Any]] = Field(max_length=4)
    next_best_action: Any
    appeals: list[Appeal] = Field(max_length=20)
    policy_version: str
    as_of: str


class CreditAnswer(Answer):
    """One credit for each creator asked for."""

    results: list[CreditScore]


class Standing(Answer):
    """What credit shows of a creator at a moment."""

    score: float = Field(ge=0, le=1000)
    stars: int = Field(ge=1, le=5)
    band: str
    order_status: Literal["OPEN", "LIMITED", "SUSPENDED"]


class Change(Answer):
    """One change of credit, and the event it came from; the end of a suspension comes from the event that had set it.

    ``points`` is the score after less the score before, ``policy_version`` the policy that holds after.
    """

    at: str
    code: str
    text: str
    event_id: str
    event_type: str
    refers_to: str | None
    collaboration_id: str | None
    policy_version: str
    points: float
    before: Standing
    after: Standing


class HistoryAnswer(Answer):
    """One page of all changes of one creator's credit up to ``as_of``, oldest first, by what was known at ``known_at``;
    ``next_page_token`` is null on the last."""

    creator_id: str
    results: list[Change]
    next_page_token: str | None
    as_of: str
    known_at: str


class WhatIfAnswer(Answer):
    """One creator's credit as it is, and as it would be with the events; nothing was written."""

    creator_id: str
    points: float
    before: CreditScore
    after: CreditScore


class AssessAnswer(Answer):
    """How many assessments were written, and of which factors."""

    written: int
    by_factor: dict[str, int]
