"""The shapes of the answers on fraud, for the OpenAPI document; the tests hold the real answers against them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from serving.answers import Answer, Kind

Level = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
Action = Annotated[
    Literal["ALLOW", "REVIEW", "BLOCK"],
    Field(description="A recommendation; nothing is blocked by itself: BLOCK needs a person who confirms it."),
]


class Evidence(Answer):
    """What was seen of a creator, account or comment and moved its score, or speaks for innocence beside it, with
    numbers that a person can check."""

    code: str
    text: str
    evidence: Any


class FraudScore(Answer):
    """The calibrated probability for one creator; it, score and level are null where too little is known to say.

    The score is 1000 × (1 − false-positive rate) among creators of the kind ``compared_with``.
    """

    creator_id: str
    fraud_probability: float | None = Field(ge=0, le=1)
    risk_score: int | None = Field(ge=0, le=1000)
    compared_with: Kind | None
    risk_level: Level | None
    recommended_action: Action
    confidence: float | None
    insufficient_data: bool
    reason_codes: list[Evidence] = Field(max_length=4)
    innocent_explanations: list[Evidence]
    model_version: str
    policy_version: str
    data_as_of: str


class FraudAnswer(Answer):
    """One score for each creator asked for."""

    results: list[FraudScore]


class AccountScore(Answer):
    """One account; probability and type are null where nothing is known of its profile."""

    account_id: str
    fake_probability: float | None = Field(ge=0, le=1)
    audience_type: Literal["REAL", "MASS_FOLLOWER", "SUSPICIOUS", "INFLUENCER"] | None
    reason_codes: list[Evidence]


class Correction(Answer):
    """The share of fakes that the probabilities speak of. ``refused``: these accounts differ from the training data in
    more than that share, so that neither a given nor an estimated one would make them right; then it is training's."""

    base_rate: float
    trained_base_rate: float
    estimated_base_rate: float | None
    refused: bool
    statement: str


class AccountsAnswer(Answer):
    """A score for each account, in order."""

    results: list[AccountScore]
    correction: Correction


class CommentScore(Answer):
    """One comment; near-duplicates of one request share a ``cluster``, others have none."""

    fake_probability: float | None = Field(ge=0, le=1)
    cluster: int | None
    reason_codes: list[Evidence]


class CommentsAnswer(Answer):
    """A score for each comment, in order."""

    results: list[CommentScore]


class LabelStatus(Answer):
    """What became of one label, and the ids of the ledger events that it made."""

    creator_id: str | None
    account_id: str | None
    status: Literal["ACCEPTED", "DUPLICATE", "REJECTED"]
    error: str | None
    event_ids: list[str]


class LabelsAnswer(Answer):
    """How many labels had each fate, and which."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[LabelStatus]


class QueuedCreator(Answer):
    """A creator to review. ``reason`` is QUEUE for a suspect, RANDOM for an audit: send it back as ``sampled``.

    ``propensity`` is how likely it was to stand here; money is in US dollars, null where nothing can be valued.
    """

    creator_id: str
    fraud_probability: float = Field(ge=0, le=1)
    risk_score: int = Field(ge=0, le=1000)
    compared_with: Kind
    risk_level: Level
    recommended_action: Action
    money_at_risk: float | None
    expected_loss: float | None
    reason: Literal["QUEUE", "RANDOM"]
    propensity: float = Field(gt=0, le=1)
    reason_codes: list[Evidence]
    innocent_explanations: list[Evidence]


class QueueAnswer(Answer):
    """By expected loss, the largest first; of how many suspects and of how many who could be drawn by lot."""

    results: list[QueuedCreator]
    suspects: int
    unreviewed: int
    model_version: str
    policy_version: str
    data_as_of: str


class Outcome(Answer):
    """What a policy would have done.

    An alert is ``confirmed`` or ``cleared`` by a label that became known later, else ``unknown``; ``precision`` is that
    of the judged ones, null without any. Money was open at the time of the alerts, in US dollars; ``money_unknown``
    alerts had some that cannot be valued.
    """

    days: float
    decisions: int
    alerts: int
    alerts_per_day: float
    confirmed: int
    cleared: int
    unknown: int
    precision: float | None
    money_held: float
    money_held_confirmed: float
    money_held_cleared: float
    money_unknown: int


class MonthOutcome(Outcome):
    """From the day of the scores to the day before ``to``."""

    start: str = Field(alias="from")
    stop: str = Field(alias="to")


class Covered(Answer):
    """The days that there are scores of the past for; ``to`` is not among them."""

    start: str = Field(alias="from")
    stop: str = Field(alias="to")


class SimulateAnswer(Answer):
    """Month by month, and in all. Labels know mostly whom the queue of their time chose: mind ``unknown``."""

    results: list[MonthOutcome]
    total: Outcome
    covered: Covered
    model_version: str
    policy_version: str
    data_as_of: str
