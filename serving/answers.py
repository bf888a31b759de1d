"""The shapes of the answers, for the OpenAPI document; the tests hold the real answers against them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """A JSON object of exactly these fields; null where nothing is known."""

    model_config = ConfigDict(extra="forbid")


class Reason(Answer):
    """Why: a stable code, a sentence, and the share of the model's own margin."""

    code: str
    text: str
    contribution: float


class Price(Answer):
    """The creator's bid or listed price, and later the fair range."""

    amount: float
    currency: str | None
    fair_low: float | None
    fair_high: float | None


class CreditSummary(Answer):
    """Credit in one line."""

    score: float | None
    stars: int = Field(ge=1, le=5)
    band: str
    order_status: Literal["OPEN", "LIMITED", "SUSPENDED"]


class FraudSummary(Answer):
    """Fraud in one line; null when the release has no fraud model."""

    probability: float | None
    risk_level: Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"] | None


class Removed(Answer):
    """What one filter took away, and of how many before it the value is not known: those pass a filter on credit or
    fraud, and are among the removed of any other."""

    filter: str
    removed: int
    unknown: int


class Hint(Answer):
    """How many creators more there would be without one filter."""

    filter: str
    would_add: int


class RankCandidates(Answer):
    """From the whole catalogue to those that the ranker saw."""

    catalogue: int
    removed: list[Removed]
    eligible: int
    retrieved: int


class RankedCreator(Answer):
    """One place of the ranking."""

    creator_id: str
    rank: int
    score: float
    success_probability: float | None
    reasons: list[Reason]
    price: Price | None
    forecast: None
    credit: CreditSummary
    fraud: FraudSummary


class Placement(Answer):
    """The experiment that runs, and the arm that the brief's brand is in, always the same."""

    name: str
    arm: Literal["champion", "challenger"]


class RankAnswer(Answer):
    """The ranking, best first, and where its candidates came from; ``experiment`` only where one runs and the brief
    names its brand."""

    ranking_id: str
    results: list[RankedCreator]
    candidates: RankCandidates
    hints: list[Hint]
    models: dict[str, Any]
    data_as_of: str
    experiment: Placement | None = None


class SearchCandidates(Answer):
    """From the whole catalogue to those that pass the filters."""

    catalogue: int
    removed: list[Removed]
    eligible: int


class SearchAnswer(Answer):
    """One page; ``next_page_token`` is null on the last."""

    results: list[dict[str, Any]]
    next_page_token: str | None
    candidates: SearchCandidates
    hints: list[Hint]


class SimilarAnswer(Answer):
    """The nearest first: what search shows of each creator, and ``similarity``, a cosine."""

    results: list[dict[str, Any]]


class ProfileAnswer(Answer):
    """Creators with everything known of them: the columns of the table creators and more."""

    results: list[dict[str, Any]]


class CreatorStatus(Answer):
    """What became of one creator."""

    creator_id: str
    status: Literal["CREATED", "UPDATED", "DELETED", "NOT_FOUND"]


class WriteAnswer(Answer):
    """What became of each creator written."""

    results: list[CreatorStatus]


class EventStatus(Answer):
    """What became of one event; ``error`` says why it was rejected."""

    event_id: str
    status: Literal["ACCEPTED", "DUPLICATE", "REJECTED"]
    error: str | None


class EventsAnswer(Answer):
    """How many events had each fate, and which."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[EventStatus]


class FeedbackStatus(Answer):
    """What became of one item: ACCEPTED where it says something new, DUPLICATE where that or more is known."""

    creator_id: str
    status: Literal["ACCEPTED", "DUPLICATE", "REJECTED"]
    error: str | None


class FeedbackAnswer(Answer):
    """How many items had each fate, and which."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[FeedbackStatus]


Kind = Annotated[
    Literal["QUIET", "FOLLOWER_SURGE", "VIEW_SURGE", "PAID_VIEWS"],
    Field(description="Among creators of which kind the risk score holds."),
]


class RiskRow(Answer):
    """At the end of training a share of ``false_positive_rate`` of the innocent of the kind ``compared_with`` had a
    probability above ``fraud_probability``, and with it at least this risk score."""

    compared_with: Kind
    risk_score: int
    fraud_probability: float
    false_positive_rate: float
    risk_level: Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
    recommended_action: Literal["ALLOW", "REVIEW", "BLOCK"]


class RefusedRelease(Answer):
    """A release that was promoted and is not served: the one before it is. ``version`` is null where the pointer to
    the champion cannot be read."""

    version: str | None
    reason: str
    refused_at: str


class ExperimentAnswer(Answer):
    """``share`` of the brands are answered by the challenger."""

    name: str
    share: float


class ChallengeAnswer(Answer):
    """The release tried beside the champion: the share of rank requests that it answers unseen, and for whom."""

    version: str
    shadow: float
    experiment: ExperimentAnswer | None


class ModelsAnswer(Answer):
    """The release that is served: the version of each model, null for what is not trained, and its metrics; what the
    fraud model's risk scores mean; what is tried beside it; which releases are refused, the latest last.

    A service that has nothing to serve answers 503 and says why.
    """

    models: dict[str, str | None]
    metrics: dict[str, dict[str, float]]
    risk_table: list[RiskRow]
    encoder_id: str
    data_as_of: str
    challenger: ChallengeAnswer | None
    refused: list[RefusedRelease]


class ErrorDetail(Answer):
    """What is wrong with one value."""

    field: str
    problem: str
    value: str | float | bool | None


class Error(Answer):
    """What went wrong."""

    code: str
    message: str
    details: list[ErrorDetail]


class ErrorAnswer(Answer):
    """The one shape of every error."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "error": {
                    "code": "INVALID_ARGUMENT",
                    "message": "brief.budget: must be at least 0",
                    "details": [
                        {
                            "field": "brief.budget",
                            "problem": "Input should be greater than or equal to 0",
                            "value": -5.0,
                        }
                    ],
                }
            }
        },
    )
    error: Error
