"""A credit policy fitted to the past of ledgers: priors by what came next, weights by a monotone scorecard."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize, minimize_scalar

from features import columns as c
from features.asof import known_at
from features.schema import COLLABORATION_EVENTS
from models.credit_factors import FACTORS, WEIGHT, coded_events, effects, evidence, factor_scores
from models.credit_policy import Policy
from models.credit_state import posterior
from training.credit.cases import SUCCEEDED, cases, histories
from training.credit.raters import severities

Values = npt.NDArray[np.float64]
FITTED_PRIORS = ("FULFILMENT", "COMPLIANCE", "FEEDBACK")
"""Factors that people's events move; the priors of those that are only assessed belong to what assesses them."""
FLOORS = {"FULFILMENT": 0.25, "COMPLIANCE": 0.15, "AUTHENTICITY": 0.1, "FEEDBACK": 0.15, "INTERACTION": 0.05}
"""The least weight of each factor: a platform wants all five kept, whatever foretells the next order best, and stops
whoever does not deliver."""
MEANS = (0.5, 0.9)
"""Where a prior's share lies: beyond, one event of the rarer kind would move a newcomer too far."""
RIDGE = 1e-3
DECIMALS = 2


def fitted(ledgers: Sequence[pd.DataFrame], policy: Policy) -> Policy:
    """``policy`` with its priors' shares and its weights fitted to all ``ledgers`` up to where each ends, and
    severities of brands to a single one; brands' ids mean the same in one ledger only.

    For how many events a prior counts stays as stated: it decides how soon anyone is limited, not only what is likely.
    Raises ValueError where no collaboration 90 days old succeeded, or none failed.
    """
    debiased = replace(policy, raters=severities(ledgers[0]) if len(ledgers) == 1 else {})
    factors = {
        name: replace(factor, prior_mean=_prior_mean(ledgers, debiased, name)) if name in FITTED_PRIORS else factor
        for name, factor in policy.factors.items()
    }
    with_priors = replace(debiased, factors=factors)
    x, y = (np.concatenate(side) for side in zip(*(doublings(one, with_priors) for one in ledgers), strict=True))
    if len(np.unique(y)) < 2:
        raise ValueError(f"of {len(y)} collaborations at least 90 days old some must have succeeded and some failed")
    weights = blended(scorecard(x, y)[:-1])
    return replace(with_priors, factors={name: replace(factors[name], weight=weights[name]) for name in FACTORS})


def doublings(events: pd.DataFrame, policy: Policy) -> tuple[Values, Values]:
    """Of each case of a ledger, (r, 5) by how many doublings its factors' odds lay above a newcomer's before it began,
    and (r,) whether it succeeded."""
    end = known_at(events, COLLABORATION_EVENTS).max()
    found = cases(events, end)
    state = posterior(coded_events(histories(events, found), end), policy, found.index).state
    points = factor_scores(state.alpha, state.beta, policy) - policy.base_score
    return points / policy.points_to_double_odds, found[SUCCEEDED].to_numpy(np.float64)


def scorecard(x: Values, y: Values) -> Values:
    """(p + 1,) logistic coefficients of ``x`` (r, p), none below 0, and the intercept, by penalised maximum likelihood:
    a scorecard in which no factor's good can count against anyone (Siddiqi, *Credit Risk Scorecards*, ch. 6)."""
    design, last = np.column_stack([x, np.ones(len(x))]), x.shape[1]

    def loss(b: Values) -> tuple[float, Values]:
        logit, penalised = design @ b, np.append(b[:last], 0.0)
        slope = design.T @ (1 / (1 + np.exp(-logit)) - y) / len(y) + 2 * RIDGE * penalised
        return float(np.mean(np.logaddexp(0, logit) - y * logit) + RIDGE * penalised @ penalised), slope

    bounds = [(0.0, None)] * last + [(None, None)]
    return np.asarray(minimize(loss, np.zeros(last + 1), jac=True, bounds=bounds, method="L-BFGS-B").x)


def blended(coefficients: Values) -> dict[str, float]:
    """Weights by factor that sum to 1: its floor, and of what the floors leave its share of the ``coefficients`` (5,),
    or of the floors where no factor foretells anything."""
    floors = np.array([FLOORS[name] for name in FACTORS])
    parts = coefficients if coefficients.sum() > 0 else floors
    weights = (floors + (1 - floors.sum()) * parts / parts.sum()).round(DECIMALS)
    weights[weights.argmax()] += 1 - weights.sum()  # what rounding leaves goes to the largest
    return {name: round(float(weight), DECIMALS) for name, weight in zip(FACTORS, weights, strict=True)}


def _prior_mean(ledgers: Sequence[pd.DataFrame], policy: Policy, name: str) -> float:
    factor = policy.factors[name]
    rows = [weights for events in ledgers for weights in careers(events, policy, name)]
    return likeliest_mean(rows, policy.memory, factor.prior_events) if rows else factor.prior_mean


def careers(events: pd.DataFrame, policy: Policy, name: str) -> list[Values]:
    """The signed weights of one factor's events in order, of each creator who ever took an order and has any."""
    working = events.loc[events[c.EVENT_TYPE] == "ACCEPTED", c.CREATOR_ID]
    standing = coded_events(events, known_at(events, COLLABORATION_EVENTS).max())
    found = evidence(standing, effects(standing, policy))
    own = found[(found[c.FACTOR] == name) & found[c.CREATOR_ID].isin(working)]
    return [weights.to_numpy(np.float64) for _, weights in own.groupby(c.CREATOR_ID)[WEIGHT]]


def likeliest_mean(rows: Sequence[Values], memory: float, prior_events: float) -> float:
    """The prior's share, within MEANS, under which each event of the careers was the least surprising given those
    before it (prequential likelihood: Dawid, 1984)."""
    padded = np.zeros((len(rows), max(map(len, rows))))
    for line, weights in zip(padded, rows, strict=True):
        line[: len(weights)] = weights
    found = minimize_scalar(lambda mean: _surprise(padded, memory, mean, prior_events), bounds=MEANS, method="bounded")
    return round(float(found.x), DECIMALS)


def _surprise(careers: Values, memory: float, mean: float, prior_events: float) -> float:
    """− Σ |weight| ln P(its sign | the events before it) over ``careers`` (n, k), 0 after the last event."""
    good, surprise = np.full(len(careers), mean * prior_events), 0.0
    bad = prior_events - good
    for weight in careers.T:
        size, expected = np.abs(weight), good / (good + bad)
        surprise -= float((size * np.log(np.where(weight > 0, expected, 1 - expected))).sum())
        kept = memory**size
        added = (1 - kept) / (1 - memory)
        good, bad = kept * good + added * (weight > 0), kept * bad + added * (weight < 0)
    return surprise
