"""Credit: one visible score per creator, a pure function of (the ledger, the policy, as_of). See docs/credit.md.

Nothing else enters: not the country, the language, the name, nor any protected trait.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.numbered import numbered_together
from models.credit_appeals import Appealed, appeal_answer, appeals_by_creator
from models.credit_factors import (
    CODE,
    DECIMALS,
    FACTORS,
    MEASURE,
    coded,
    coded_events,
    confidence,
    event_points,
    evidence,
    factor_scores,
    not_undone,
    past_events,
    rounded_score,
    total,
)
from models.credit_policy import POLICY_FILE, Floats, Policy, load_policy
from models.credit_state import (
    Posterior,
    State,
    milestone,
    posterior,
    probation_until,
    remembered,
    suspended_until,
    training_helps,
)
from models.credit_steps import TRAINING, Times
from models.credit_succession import in_force
from models.credit_texts import described

__all__ = ["POLICY_FILE", "Learned", "Policy", "credit_answers", "credit_scores", "learn", "load_policy"]

MOST_REASONS = 4
CONFIDENCE_DECIMALS = 4
READ = [
    c.EVENT_ID, c.CREATOR_ID, c.EVENT_TYPE, c.EVENT_TIME, c.RECEIVED_AT, c.COLLABORATION_ID, c.BRAND_ID, c.REFERS_TO,
    c.DUE_AT, c.AMOUNT, c.CURRENCY, c.RATING, c.SEVERITY, c.VIOLATION_TYPE, c.FACTOR, c.VALUE,
]  # fmt: skip
"""What :func:`credit_scores` reads; sorting the other columns along would double its memory."""
_DAY = np.timedelta64(1, "D")
_Driver = tuple[float, int, str, float, Any]
# What a creator can do next, as the event it leads to.
ACTIONS = {
    "PUBLISHED_ON_TIME": "Publish the next order on time",
    "RATED": "Earn five stars from the next brand",
    TRAINING: "Pass the training on the rules",
}


def credit_scores(events: pd.DataFrame, policy: Policy, as_of: pd.Timestamp, creator_ids: pd.Index) -> pd.DataFrame:
    """Indexed by creator_id as given (unique): score (0–1000), stars (1–5), band, order_status, status_until (NaT: no
    end set), max_open_orders (the policy's cap, NaN: none), confidence (0–1).

    ``events`` is the ledger (collaboration_events); what was not known at ``as_of`` (inclusive) is left out here.
    """
    known = coded_events(events[READ], as_of)
    parts = [
        pd.DataFrame(_standing(posterior(known, one, ids), one, as_of), ids)
        for one, ids in in_force(events, policy, as_of, as_of, creator_ids)
    ]
    return pd.concat(parts).astype({"band": "str", "order_status": "str"}).loc[creator_ids]


def credit_answers(
    events: pd.DataFrame,
    creators: pd.DataFrame,
    policy: Policy,
    as_of: pd.Timestamp,
    creator_ids: Sequence[str],
    known_by: pd.Timestamp | None = None,
) -> list[dict[str, Any]]:
    """The answer of /v1/credit for each of ``creator_ids``, in their order, ready for JSON.

    Events count that happened by ``as_of`` and were known by ``known_by``, by default ``as_of``. ``creators`` (of them
    the latest row counts) gives only each creator's own ``max_open_orders``.
    """
    learned = learn(events, creators, policy, as_of, creator_ids, known_by)
    answers = {answer["creator_id"]: answer for one in learned for answer in one.answers(as_of)}
    return [answers[creator_id] for creator_id in creator_ids]


def learn(
    events: pd.DataFrame,
    creators: pd.DataFrame,
    policy: Policy,
    as_of: pd.Timestamp,
    creator_ids: Sequence[str],
    known_by: pd.Timestamp | None = None,
) -> "Iterator[Learned]":
    """What :func:`credit_answers` are told from, by the policy that holds for whom; each creator is there once."""
    ids = pd.Index(pd.unique(np.asarray(creator_ids, dtype=object)))
    theirs = _of(events, ids)
    past, most = coded(past_events(theirs, as_of, known_by)), _own_most(creators)
    for one, group in in_force(theirs, policy, as_of, as_of if known_by is None else known_by, ids):
        rows = _of(past, group)
        standing = not_undone(rows)
        states, appealed = posterior(standing, one, group), appeals_by_creator(rows)
        reasons, gains = _reasons(evidence(standing, states.moved), one), _gains(states, one)
        yield Learned(
            policy=one,
            states=states,
            most=np.array([most.get(creator_id, np.nan) for creator_id in group]),
            factors=_factors(states, one),
            reasons=[reasons.get(creator_id, []) for creator_id in group],
            gains=gains,
            appeals=[appealed.get(creator_id, []) for creator_id in group],
            until=_next(theirs, group, as_of),
        )


def _of(events: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    """The events of these creators."""
    theirs = events[c.CREATOR_ID].isin(ids).to_numpy()
    return events if theirs.all() else events[theirs]


def _own_most(creators: pd.DataFrame) -> dict[str, float]:
    """By creator the last number of open orders that it set itself; undated rows are the first."""
    rows = creators[[c.CREATOR_ID, c.MAX_OPEN_ORDERS, c.OBSERVED_AT]].dropna(subset=[c.MAX_OPEN_ORDERS])
    if len(rows) > 1:
        rows = rows.sort_values(c.OBSERVED_AT, na_position="first", kind="stable")
    return dict(zip(rows[c.CREATOR_ID], rows[c.MAX_OPEN_ORDERS], strict=True))


def _next(events: pd.DataFrame, ids: pd.Index, as_of: pd.Timestamp) -> npt.NDArray[np.datetime64]:
    """(n,) when the first event after ``as_of`` of each of ``ids`` comes, NaT where none does."""
    at = events[c.EVENT_TIME].to_numpy("datetime64[us]")
    rows = np.flatnonzero(at > as_of.to_datetime64())
    found = np.full(len(ids), np.datetime64("NaT", "us"))
    for place, time in zip(ids.get_indexer(events[c.CREATOR_ID].iloc[rows]), at[rows], strict=True):
        found[place] = np.fmin(found[place], time) if place >= 0 else found[place]
    return found


@dataclass(frozen=True)
class Learned:
    """What the ledger tells of the creators of ``states`` under one policy; each part has an item for each of them.

    ``most`` are their own open orders (NaN: no limit), ``gains`` how many points each of ACTIONS would add, ``until``
    (NaT: none) when an event is told of that was known before it happened.
    """

    policy: Policy
    states: Posterior
    most: Floats
    factors: list[list[dict[str, Any]]]
    reasons: list[list[dict[str, Any]]]
    gains: list[dict[str, float]]
    appeals: list[list[Appealed]]
    until: npt.NDArray[np.datetime64]

    def answers(self, as_of: pd.Timestamp) -> list[dict[str, Any]]:
        """The answers at ``as_of``."""
        standing = _standing(self.states, self.policy, as_of)
        most = np.fmin(standing["max_open_orders"], self.most)
        trained = training_helps(self.states.state, as_of)
        names = ("score", "stars", "band", "confidence", "order_status")
        shown = zip(*(standing[name].tolist() for name in names), strict=True)
        columns = zip(self.states.ids, shown, standing["status_until"], most, trained, strict=True)
        return [
            {
                "creator_id": creator_id,
                "score": score,
                "stars": stars,
                "band": band,
                "confidence": sure,
                "order_status": status,
                "status_until": None if np.isnat(until) else pd.Timestamp(until).isoformat(),
                "max_open_orders": None if np.isnan(cap) else int(cap),
                "factors": self.factors[i],
                "reasons": self.reasons[i],
                "next_best_action": _action(self.gains[i], helps),
                "appeals": [appeal_answer(one, self.policy, as_of) for one in self.appeals[i]],
                "policy_version": self.policy.version,
                "as_of": as_of.isoformat(),
            }
            for i, (creator_id, (score, stars, band, sure, status), until, cap, helps) in enumerate(columns)
        ]


def _standing(states: Posterior, policy: Policy, as_of: pd.Timestamp) -> dict[str, npt.NDArray[Any]]:
    """What :func:`credit_scores` shows of n creators, (n,) each."""
    known = states.state.alpha + states.state.beta
    return graded(states.state, policy, np.asarray(as_of, "datetime64[us]")) | {
        "confidence": sure(known, states.last, policy, as_of)
    }


def sure(known: Floats, last: Times, policy: Policy, as_of: pd.Timestamp) -> Floats:
    """(n,) confidence as it is shown, from the evidence ``known`` (n, 5) of the factors and when an event ``last``
    moved each (n, 5; NaT: none did)."""
    silent_days = np.where(np.isnat(last), 0.0, (as_of.to_datetime64() - last) / _DAY)
    return confidence(known, policy, silent_days).round(CONFIDENCE_DECIMALS)


def graded(state: State, policy: Policy, as_of: npt.NDArray[np.datetime64]) -> dict[str, npt.NDArray[Any]]:
    """Score, stars, band, order_status, status_until (NaT: no end set) and max_open_orders (NaN: no cap) of n creators
    or moments, (n,) each, at ``as_of``, one moment or (n,)."""
    now = np.broadcast_to(as_of, len(state.place))
    until, limit_until = suspended_until(state), probation_until(state, policy)
    suspended, on_probation = now < until, now < limit_until
    limited = state.limited | on_probation
    names = np.array([band.name for band in policy.bands])
    most = np.select([suspended, limited], [0.0, policy.limited_open_orders], np.inf)
    most = np.minimum(most, milestone(state, policy))
    return {
        "score": rounded_score(state.alpha, state.beta, policy),
        "stars": state.place + 1,
        "band": names[state.place],
        "order_status": np.select([suspended, limited], ["SUSPENDED", "LIMITED"], "OPEN"),
        "status_until": np.select(
            [suspended, on_probation & ~state.limited], [until, limit_until], np.datetime64("NaT", "us")
        ),
        "max_open_orders": np.where(np.isinf(most), np.nan, most),
    }


def _factors(states: Posterior, policy: Policy) -> list[list[dict[str, Any]]]:
    scores = factor_scores(states.state.alpha, states.state.beta, policy).round(DECIMALS)
    return [
        [
            {"name": name, "score": score, "weight": policy.factors[name].weight, "events": count}
            for name, score, count in zip(FACTORS, points, counts, strict=True)
        ]
        for points, counts in zip(scores.tolist(), states.events.tolist(), strict=True)
    ]


def _reasons(found: pd.DataFrame, policy: Policy) -> dict[str, list[dict[str, Any]]]:
    """By creator the events that the score would differ from most without, largest first (ties: the latest)."""
    event = numbered_together(found[c.CREATOR_ID], found[c.EVENT_ID])
    _, first, event = np.unique(event, return_index=True, return_inverse=True)
    points = np.bincount(event, event_points(found, policy)).round(DECIMALS)
    drivers: dict[str, list[_Driver]] = {}
    rows = found[[c.CREATOR_ID, c.EVENT_ID, c.EVENT_TIME, CODE, MEASURE]].iloc[first]
    for creator_id, gained, row in zip(rows[c.CREATOR_ID], points.tolist(), rows.itertuples(), strict=True):
        if gained:
            drivers.setdefault(creator_id, []).append((-abs(gained), -row.event_time.value, row.event_id, gained, row))
    return {one: [_reason(*driver[3:]) for driver in sorted(theirs)[:MOST_REASONS]] for one, theirs in drivers.items()}


def _reason(points: float, row: Any) -> dict[str, Any]:
    text = described(row.code, row.measure, row.event_time)
    return {"code": row.code, "text": text, "event_id": row.event_id, "points": points}


def _gains(states: Posterior, policy: Policy) -> list[dict[str, float]]:
    """How many points each of ACTIONS would add to each creator's score."""
    state = states.state
    now = total(factor_scores(state.alpha, state.beta, policy), policy)
    then = {code: factor_scores(*remembered(state, _best(code, policy), policy), policy) for code in ACTIONS}
    gains = np.column_stack([total(scores, policy) - now for scores in then.values()]).round(DECIMALS)
    return [dict(zip(then, points, strict=True)) for points in gains.tolist()]


def _action(gains: Mapping[str, float], training_helps: bool) -> dict[str, Any] | None:
    """The action that would add most to the score, None where none would add anything; where a training ends a
    suspension that is the action."""
    code = TRAINING if training_helps else max(gains, key=gains.__getitem__)
    return {"code": code, "text": ACTIONS[code], "points": gains[code]} if gains[code] > 0 else None


def _best(code: str, policy: Policy) -> Floats:
    """(1, 5) the signed weights of an event of this code, at its curve's best value."""
    curve = policy.curves.get(code)
    weights = policy.events[code] if curve is None else {curve.factor: curve.weight[-1]}
    return np.array([[weights.get(name, 0.0) for name in FACTORS]])
