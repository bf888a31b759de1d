"""Credit: one visible score per creator, a pure function of (the ledger, the policy, as_of). See docs/credit.md.

Nothing else enters: not the country, the language, the name, nor any protected trait.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from models.credit_appeals import appeal_answers
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
from models.credit_steps import TRAINING
from models.credit_succession import in_force
from models.credit_texts import described

__all__ = ["POLICY_FILE", "Policy", "credit_answers", "credit_scores", "load_policy"]

MOST_REASONS = 4
CONFIDENCE_DECIMALS = 4
READ = [
    c.EVENT_ID, c.CREATOR_ID, c.EVENT_TYPE, c.EVENT_TIME, c.RECEIVED_AT, c.COLLABORATION_ID, c.BRAND_ID, c.REFERS_TO,
    c.DUE_AT, c.AMOUNT, c.CURRENCY, c.RATING, c.SEVERITY, c.VIOLATION_TYPE, c.FACTOR, c.VALUE,
]  # fmt: skip
"""What :func:`credit_scores` reads; sorting the other columns along would double its memory."""
_DAY = np.timedelta64(1, "D")
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
        _standing(posterior(known, one, ids), one, as_of)
        for one, ids in in_force(events, policy, as_of, as_of, creator_ids)
    ]
    return pd.concat(parts).loc[creator_ids]


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
    ids = pd.Index(pd.unique(np.asarray(creator_ids, dtype=object)))
    theirs = events[events[c.CREATOR_ID].isin(ids)]
    past = coded(past_events(theirs, as_of, known_by))
    answers: dict[str, dict[str, Any]] = {}
    for one, group in in_force(theirs, policy, as_of, as_of if known_by is None else known_by, ids):
        answers |= _answers(past[past[c.CREATOR_ID].isin(group)], creators, one, as_of, group)
    return [answers[creator_id] for creator_id in creator_ids]


def _answers(
    past: pd.DataFrame, creators: pd.DataFrame, policy: Policy, as_of: pd.Timestamp, ids: pd.Index
) -> dict[str, dict[str, Any]]:
    """By creator the answer under one policy from the events ``past``."""
    standing_events = not_undone(past)
    found = evidence(standing_events, policy)
    states = posterior(standing_events, policy, ids)
    standing = _standing(states, policy, as_of)
    own = creators.sort_values(c.OBSERVED_AT, na_position="first").groupby(c.CREATOR_ID)[c.MAX_OPEN_ORDERS].last()
    cap = np.fmin(standing["max_open_orders"], own.reindex(ids))
    factors, reasons, actions = _factors(states, policy), _reasons(found, policy), _actions(states, policy, as_of)
    appealed = appeal_answers(past, policy, as_of)
    return {
        creator_id: {
            "creator_id": creator_id,
            "score": row.score,
            "stars": row.stars,
            "band": row.band,
            "confidence": row.confidence,
            "order_status": row.order_status,
            "status_until": None if pd.isna(row.status_until) else row.status_until.isoformat(),
            "max_open_orders": None if pd.isna(most) else int(most),
            "factors": factors[creator_id],
            "reasons": reasons.get(creator_id, []),
            "next_best_action": actions[creator_id],
            "appeals": appealed.get(creator_id, []),
            "policy_version": policy.version,
            "as_of": as_of.isoformat(),
        }
        for creator_id, row, most in zip(ids, standing.itertuples(), cap, strict=True)
    }


def _standing(states: Posterior, policy: Policy, as_of: pd.Timestamp) -> pd.DataFrame:
    silent_days = (as_of.to_datetime64() - states.last) / _DAY
    known = states.state.alpha + states.state.beta
    sure = confidence(known, policy, np.where(states.events > 0, silent_days, 0.0))
    return graded(states.state, states.ids, policy, as_of).assign(confidence=sure.round(CONFIDENCE_DECIMALS))


def graded(state: State, index: pd.Index, policy: Policy, as_of: pd.Timestamp | pd.Series) -> pd.DataFrame:
    """Score, stars, band, order_status, status_until and max_open_orders of n creators or moments at ``as_of``, with
    this index."""
    now = np.broadcast_to(np.asarray(as_of, "datetime64[us]"), len(index))
    until, limit_until = suspended_until(state), probation_until(state, policy)
    suspended, on_probation = now < until, now < limit_until
    limited = state.limited | on_probation
    names = np.array([band.name for band in policy.bands])
    ends = np.select([suspended, on_probation & ~state.limited], [until, limit_until], np.datetime64("NaT", "us"))
    most = np.select([suspended, limited], [0.0, policy.limited_open_orders], np.inf)
    most = np.minimum(most, milestone(state, policy))
    return pd.DataFrame(
        {
            "score": rounded_score(state.alpha, state.beta, policy),
            "stars": state.place + 1,
            "band": pd.Series(names[state.place], index=index, dtype="str"),
            "order_status": np.select([suspended, limited], ["SUSPENDED", "LIMITED"], "OPEN"),
            "status_until": pd.Series(ends, index),
            "max_open_orders": np.where(np.isinf(most), np.nan, most),
        },
        index=index,
    ).astype({"order_status": "str"})


def _factors(states: Posterior, policy: Policy) -> dict[str, list[dict[str, Any]]]:
    scores = factor_scores(states.state.alpha, states.state.beta, policy).round(DECIMALS)
    return {
        creator_id: [
            {"name": name, "score": score, "weight": policy.factors[name].weight, "events": count}
            for name, score, count in zip(FACTORS, points, counts, strict=True)
        ]
        for creator_id, points, counts in zip(states.ids, scores.tolist(), states.events.tolist(), strict=True)
    }


def _reasons(found: pd.DataFrame, policy: Policy) -> dict[str, list[dict[str, Any]]]:
    """By creator the events that the score would differ from most without, largest first (ties: the latest)."""
    by_event = found.assign(points=event_points(found, policy)).groupby([c.CREATOR_ID, c.EVENT_ID], as_index=False)
    drivers = by_event.agg({"points": "sum", CODE: "first", MEASURE: "first", c.EVENT_TIME: "first"})
    drivers["points"] = drivers["points"].round(DECIMALS)
    drivers = drivers[drivers["points"] != 0].assign(size=drivers["points"].abs())
    drivers = drivers.sort_values(["size", c.EVENT_TIME, c.EVENT_ID], ascending=[False, False, True])
    top = drivers.groupby(c.CREATOR_ID).head(MOST_REASONS)
    reasons: dict[str, list[dict[str, Any]]] = {}
    for row in top.itertuples():
        reasons.setdefault(row.creator_id, []).append(_reason(row))
    return reasons


def _reason(row: Any) -> dict[str, Any]:
    text = described(row.code, row.measure, row.event_time)
    return {"code": row.code, "text": text, "event_id": row.event_id, "points": row.points}


def _actions(states: Posterior, policy: Policy, as_of: pd.Timestamp) -> dict[str, dict[str, Any] | None]:
    """By creator the action that would add most to the score, None where none would add anything; where a training ends
    a suspension that is the action."""
    state = states.state
    now = total(factor_scores(state.alpha, state.beta, policy), policy)
    then = {code: factor_scores(*remembered(state, _best(code, policy), policy), policy) for code in ACTIONS}
    gains = pd.DataFrame({code: total(scores, policy) - now for code, scores in then.items()}, states.ids).round(
        DECIMALS
    )
    best = gains.idxmax(axis=1).mask(training_helps(state, as_of), TRAINING)
    return {
        creator_id: {"code": code, "text": ACTIONS[code], "points": gain} if gain > 0 else None
        for (creator_id, code), gain in zip(best.items(), (gains.at[one] for one in best.items()), strict=True)
    }


def _best(code: str, policy: Policy) -> Floats:
    """(1, 5) the signed weights of an event of this code, at its curve's best value."""
    curve = policy.curves.get(code)
    weights = policy.events[code] if curve is None else {curve.factor: curve.weight[-1]}
    return np.array([[weights.get(name, 0.0) for name in FACTORS]])
