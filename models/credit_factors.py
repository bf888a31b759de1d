"""From the ledger to the five factors of credit: what each event says, how it is remembered, what it is worth.

Each factor is a Beta(α, β) posterior of "the next event is good". It starts from the peers' prior; an event of weight w
sets α, β ← γ^w α, γ^w β and adds (1 − γ^w)/(1 − γ) to the side it supports (discounted Beta filter: West & Harrison,
*Bayesian Forecasting and Dynamic Models*, ch. 10). That recursion is linear, so it is summed here in closed form: with
G = γ^(weight that came after), an event still counts for G (1 − γ^w)/(1 − γ).
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from features import columns as c
from features.appeals import UNDOES
from features.asof import known_at
from features.schema import COLLABORATION_EVENTS
from features.vocabulary import CREDIT_FACTORS
from models.credit_policy import Policy
from models.credit_weights import debiased, times

CODE, MEASURE, WEIGHT = "code", "measure", "weight"
TOP = 1000.0
FACTORS = list(CREDIT_FACTORS)
_SETS_DUE = ("CONTRACTED", "REVISION_REQUESTED")
_NO_DUE = pd.Timestamp("2262-01-01")
_TINY = 1e-300
_GROUP = [c.CREATOR_ID, c.FACTOR]
Frame = TypeVar("Frame", pd.Series, pd.DataFrame)


@dataclass(frozen=True)
class Posterior:
    """Per creator (n rows) and factor (5 columns, as FACTORS): Beta parameters, events counted, time of the last."""

    alpha: pd.DataFrame
    beta: pd.DataFrame
    events: pd.DataFrame
    last: pd.DataFrame


def coded_events(events: pd.DataFrame, as_of: pd.Timestamp, known_by: pd.Timestamp | None = None) -> pd.DataFrame:
    """The events past at ``as_of`` and known by ``known_by`` (by default ``as_of``; both inclusive) that were not
    undone, :func:`coded`."""
    return not_undone(coded(past_events(events, as_of, known_by)))


def past_events(events: pd.DataFrame, as_of: pd.Timestamp, known_by: pd.Timestamp | None = None) -> pd.DataFrame:
    """The events past at ``as_of`` and known by ``known_by``, by default ``as_of``; both inclusive."""
    past = events[c.EVENT_TIME] <= as_of
    seen = known_at(events, COLLABORATION_EVENTS) <= (as_of if known_by is None else known_by)
    return events[past & seen]


def coded(events: pd.DataFrame) -> pd.DataFrame:
    """The events in order of (event_time, event_id), with ``code`` (the event type, with what matters of it: _ON_TIME
    or _LATE, the severity, the assessed factor) and ``measure`` (the rating or the assessed value, NaN otherwise)."""
    standing = events.sort_values([c.EVENT_TIME, c.EVENT_ID])
    kind = standing[c.EVENT_TYPE]
    severity = standing[c.SEVERITY].fillna(1).round().astype(int).astype("str")
    code = kind + _punctuality(standing)
    code = code.mask(kind == "VIOLATION_CONFIRMED", kind + "_" + severity)
    code = code.mask(kind == "ASSESSED", kind + "_" + standing[c.FACTOR].fillna(""))
    return standing.assign(**{CODE: code, MEASURE: standing[c.RATING].where(kind == "RATED", standing[c.VALUE])})


def evidence(coded: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """One row per event and factor it moves: creator_id, factor, event_id, event_time, code, measure, signed weight.

    Sorted by creator, factor and time.
    """
    rules = [(code, factor, weight) for code, moved in policy.events.items() for factor, weight in moved.items()]
    base = coded[[c.CREATOR_ID, c.EVENT_ID, c.EVENT_TIME, CODE, MEASURE]].assign(
        value=coded[MEASURE].where(coded[CODE] != "RATED", debiased(coded, coded[MEASURE], policy)),
        times=times(coded, policy),
    )
    parts = [base.merge(pd.DataFrame(rules, columns=[CODE, c.FACTOR, WEIGHT]), on=CODE)]
    for code, curve in policy.curves.items():
        rows = base[(base[CODE] == code) & base["value"].notna()]
        parts.append(rows.assign(factor=curve.factor, weight=np.interp(rows["value"], curve.at, curve.weight)))
    found = pd.concat(parts, ignore_index=True)
    found[WEIGHT] *= found["times"]
    found = found.drop(columns=["value", "times"])
    return found[found[WEIGHT] != 0].sort_values([*_GROUP, c.EVENT_TIME, c.EVENT_ID], ignore_index=True)


def posterior(found: pd.DataFrame, policy: Policy, creator_ids: pd.Index) -> Posterior:
    """The Beta posteriors of ``creator_ids`` after ``found`` (:func:`evidence`); without evidence the prior."""
    counted = _remembered(found, policy)
    groups = counted.groupby(_GROUP)

    def wide(column: pd.Series) -> pd.DataFrame:
        return column.unstack().reindex(index=creator_ids, columns=FACTORS)

    kept = policy.memory ** wide(groups["size"].sum()).fillna(0.0)
    alpha, beta = prior(policy)
    return Posterior(
        alpha=kept * alpha + wide(groups["good"].sum()).fillna(0.0),
        beta=kept * beta + wide(groups["bad"].sum()).fillna(0.0),
        events=wide(groups.size()).fillna(0).astype(int),
        last=wide(groups[c.EVENT_TIME].max()).astype("datetime64[us]"),
    )


def prior(policy: Policy) -> tuple[pd.Series, pd.Series]:
    """α and β of a newcomer by factor."""
    alpha = {name: policy.factors[name].prior_mean * policy.factors[name].prior_events for name in FACTORS}
    beta = {name: (1 - policy.factors[name].prior_mean) * policy.factors[name].prior_events for name in FACTORS}
    return pd.Series(alpha), pd.Series(beta)


def factor_scores(alpha: pd.DataFrame, beta: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Points in [0, 1000] by factor: the base score for the prior's odds α/β, so many points more for each doubling.

    Points to double the odds: Siddiqi, *Credit Risk Scorecards*, ch. 6.
    """
    prior_alpha, prior_beta = prior(policy)
    return _scaled(_log_odds(alpha, beta) - _log_odds(prior_alpha, prior_beta), policy)


def total(scores: pd.DataFrame, policy: Policy) -> pd.Series:
    """The credit score in [0, 1000] from :func:`factor_scores`: their weighted mean."""
    return (scores * weights(policy)).sum(axis=1).clip(0, TOP)


def weights(policy: Policy) -> pd.Series:
    """The weight of each factor in the score."""
    return pd.Series({name: policy.factors[name].weight for name in FACTORS})


def event_points(found: pd.DataFrame, policy: Policy) -> pd.Series:
    """For each row of ``found`` how many points of the score are there because of it: score − score without it."""
    counted = _remembered(found, policy)
    groups = counted.groupby(_GROUP)
    alpha, beta = prior(policy)
    sides = {"good": counted[c.FACTOR].map(alpha).astype(float), "bad": counted[c.FACTOR].map(beta).astype(float)}
    kept = policy.memory ** groups["size"].transform("sum")
    now, without = {}, {}
    for side, start in sides.items():
        before = kept * start + groups[side].cumsum() - counted[side]
        now[side] = kept * start + groups[side].transform("sum")
        # Without the event, all that came before it is forgotten by so much less.
        without[side] = now[side] - counted[side] + before * (policy.memory ** -counted["size"] - 1)
    baseline = counted[c.FACTOR].map(_log_odds(alpha, beta)).astype(float)
    score, other = (_scaled(_log_odds(x["good"], x["bad"]) - baseline, policy) for x in (now, without))
    return (score - other) * counted[c.FACTOR].map(weights(policy)).astype(float)


def moved(states: Posterior, policy: Policy, effects: dict[str, float]) -> pd.Series:
    """The score after one more event with these signed weights by factor."""
    alpha, beta = states.alpha.copy(), states.beta.copy()
    for factor, weight in effects.items():
        kept = policy.memory ** abs(weight)
        added = (1 - kept) / (1 - policy.memory)
        alpha[factor] = kept * alpha[factor] + added * (weight > 0)
        beta[factor] = kept * beta[factor] + added * (weight < 0)
    return total(factor_scores(alpha, beta, policy), policy)


def confidence(states: Posterior, policy: Policy, as_of: pd.Timestamp) -> pd.Series:
    """1 − interval width / prior interval width, in [0, 1]; silence in a factor halves its evidence every half-life.

    The interval is that of the factors' weighted mean on the angular scale, arcsin √p, where its width depends on the
    evidence α + β alone and not on how good it is (Anscombe 1948).
    """
    silent = ((as_of - states.last) / pd.Timedelta(days=policy.silence_half_life_days)).fillna(0.0)
    newcomer = sum(prior(policy))
    count = newcomer + (states.alpha + states.beta - newcomer) * 0.5**silent
    narrowed = (weights(policy) ** 2 / (count + 1)).sum(axis=1) / (weights(policy) ** 2 / (newcomer + 1)).sum()
    return (1 - np.sqrt(narrowed)).clip(0, 1)


def _log_odds(alpha: Frame, beta: Frame) -> Frame:
    return np.log2(np.maximum(alpha, _TINY)) - np.log2(np.maximum(beta, _TINY))


def _scaled(doublings: Frame, policy: Policy) -> Frame:
    return np.minimum(np.maximum(policy.base_score + policy.points_to_double_odds * doublings, 0), TOP)


def _remembered(found: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """``found`` with ``size`` (|weight|) and what each row still adds to the good and to the bad side."""
    size = found[WEIGHT].abs()
    running = size.groupby([found[name] for name in _GROUP])
    after = running.transform("sum") - running.cumsum()
    mass = policy.memory**after * (1 - policy.memory**size) / (1 - policy.memory)
    return found.assign(size=size, good=mass.where(found[WEIGHT] > 0, 0.0), bad=mass.where(found[WEIGHT] < 0, 0.0))


def not_undone(events: pd.DataFrame) -> pd.DataFrame:
    """``events`` without those that another event of the same creator undoes, as if they had never been."""
    undoing = events[events[c.EVENT_TYPE].isin(UNDOES)]
    undone = pd.MultiIndex.from_arrays([undoing[c.CREATOR_ID], undoing[c.REFERS_TO], undoing[c.EVENT_TYPE].map(UNDOES)])
    gone = events[c.EVENT_TYPE].isin(UNDOES.values()).to_numpy(copy=True)
    gone[gone] = pd.MultiIndex.from_frame(events.loc[gone, [c.CREATOR_ID, c.EVENT_ID, c.EVENT_TYPE]]).isin(undone)
    return events[~gone]


def _punctuality(events: pd.DataFrame) -> pd.Series:
    """_ON_TIME or _LATE for deliveries.

    Content is due at its own ``due_at``, else at the contract's or the last requested revision's; where none is set it
    says nothing. A publication without its own ``due_at`` is on time: the brand's approval may have taken long.
    """
    kind = events[c.EVENT_TYPE]
    asked = events[c.DUE_AT].fillna(_NO_DUE).where(kind.isin(_SETS_DUE)).groupby(events[c.COLLABORATION_ID]).ffill()
    content = kind == "CONTENT_SUBMITTED"
    due = events[c.DUE_AT].fillna(asked.where(content))
    judged = (kind == "PUBLISHED") | (content & due.notna() & (due != _NO_DUE))
    verdict = pd.Series(np.where(events[c.EVENT_TIME] > due, "_LATE", "_ON_TIME"), index=events.index, dtype="str")
    return verdict.where(judged, "")
