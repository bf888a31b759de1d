"""From the ledger to the five factors of credit: what each event says, how it is remembered, what it is worth.

Each factor is a Beta(α, β) posterior of "the next event is good". It starts from the peers' prior and takes one event
after the other (:mod:`models.credit_state`). That recursion is linear: with G = γ^(weight that came after), an event of
weight w still counts for G (1 − γ^w)/(1 − γ), which tells what it is worth.
"""

from typing import TypeVar

import numpy as np
import pandas as pd

from features import columns as c
from features.appeals import UNDOES
from features.asof import known_at
from features.schema import COLLABORATION_EVENTS
from features.vocabulary import CREDIT_FACTORS
from models.credit_policy import Floats, Policy
from models.credit_weights import debiased, times

CODE, MEASURE, WEIGHT = "code", "measure", "weight"
TOP = 1000.0
DECIMALS = 1
"""Of scores and points; finer ones would depend on how many creators are scored at once (vectorised logarithms)."""
FACTORS = list(CREDIT_FACTORS)
_SETS_DUE = ("CONTRACTED", "REVISION_REQUESTED")
_NO_DUE = pd.Timestamp("2262-01-01")
_TINY = 1e-300
_GROUP = [c.CREATOR_ID, c.FACTOR]
Numbers = TypeVar("Numbers", Floats, pd.Series)


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
    standing = in_order(events)
    kind = standing[c.EVENT_TYPE]
    severity = standing[c.SEVERITY].fillna(1).round().astype(int).astype("str")
    code = kind + _punctuality(standing)
    code = code.mask(kind == "VIOLATION_CONFIRMED", kind + "_" + severity)
    code = code.mask(kind == "ASSESSED", kind + "_" + standing[c.FACTOR].fillna(""))
    return standing.assign(**{CODE: code, MEASURE: standing[c.RATING].where(kind == "RATED", standing[c.VALUE])})


def in_order(events: pd.DataFrame) -> pd.DataFrame:
    """The events by (event_time, event_id); ids, which are slow to compare, are so only where times are equal."""
    times = events[c.EVENT_TIME].to_numpy()
    order = np.argsort(times, kind="stable")
    same = np.flatnonzero(np.diff(times[order]) == np.timedelta64(0))
    tied = np.union1d(same, same + 1)
    rows = events[[c.EVENT_TIME, c.EVENT_ID]].iloc[order[tied]].reset_index(drop=True)
    order[tied] = order[tied][rows.sort_values([c.EVENT_TIME, c.EVENT_ID]).index]
    return events.iloc[order]


def effects(coded: pd.DataFrame, policy: Policy) -> Floats:
    """(n, 5) the signed weight of each event in each factor, as FACTORS; 0 where it says nothing."""
    rules = pd.DataFrame(policy.events, index=FACTORS).T.fillna(0.0)
    known = np.vstack([rules.to_numpy(float), np.zeros(len(FACTORS))])  # what no rule is about comes last, as -1
    found = known[rules.index.get_indexer(pd.Index(coded[CODE]))]
    for code, curve in policy.curves.items():
        rows = np.flatnonzero((coded[CODE] == code) & coded[MEASURE].notna())
        value = debiased(coded.iloc[rows], policy) if code == "RATED" else coded[MEASURE].iloc[rows]
        found[rows, FACTORS.index(curve.factor)] = np.interp(value, curve.at, curve.weight)
    return found * times(coded, policy).to_numpy()[:, None]


def evidence(coded: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """One row per event and factor it moves: creator_id, factor, event_id, event_time, code, measure, signed weight.

    Sorted by creator, factor and time.
    """
    moved = effects(coded, policy)
    row, factor = np.nonzero(moved)
    found = coded[[c.CREATOR_ID, c.EVENT_ID, c.EVENT_TIME, CODE, MEASURE]].iloc[row]
    found = found.assign(**{c.FACTOR: np.array(FACTORS, object)[factor], WEIGHT: moved[row, factor]})
    return found.sort_values(_GROUP, kind="stable", ignore_index=True)


def factor_scores(alpha: Floats, beta: Floats, policy: Policy) -> Floats:
    """(n, 5) points in [0, 1000]: the base score for the prior's odds α/β, so many points more for each doubling; the
    factor's floor at least.

    Points to double the odds: Siddiqi, *Credit Risk Scorecards*, ch. 6.
    """
    return _scaled(_log_odds(alpha, beta) - _log_odds(*policy.prior), policy.floors, policy)


def total(scores: Floats, policy: Policy) -> Floats:
    """(n,) the credit score in [0, 1000] from :func:`factor_scores`: their weighted mean."""
    return np.clip(scores @ policy.weights, 0, TOP)


def rounded_score(alpha: Floats, beta: Floats, policy: Policy) -> Floats:
    """(n,) the score as it is shown and as bands and limits judge it."""
    return total(factor_scores(alpha, beta, policy), policy).round(DECIMALS)


def event_points(found: pd.DataFrame, policy: Policy) -> pd.Series:
    """For each row of ``found`` how many points of the score are there because of it: score − score without it."""
    counted = _remembered(found, policy)
    groups = counted.groupby(_GROUP)
    place = [FACTORS.index(name) for name in counted[c.FACTOR]]
    kept = policy.memory ** groups["size"].transform("sum")
    now, without = {}, {}
    for side, start in zip(("good", "bad"), policy.prior[:, place], strict=True):
        before = kept * start + groups[side].cumsum() - counted[side]
        now[side] = kept * start + groups[side].transform("sum")
        # Without the event, all that came before it is forgotten by so much less.
        without[side] = now[side] - counted[side] + before * (policy.memory ** -counted["size"] - 1)
    newcomer, floor = _log_odds(*policy.prior)[place], policy.floors[place]
    score, other = (_scaled(_log_odds(x["good"], x["bad"]) - newcomer, floor, policy) for x in (now, without))
    return (score - other) * policy.weights[place]


def confidence(known: Floats, policy: Policy, silent_days: Floats) -> Floats:
    """1 − interval width / prior interval width, in [0, 1], of n creators.

    (n, 5) ``known`` is the evidence α + β of each factor, which every half-life without an event in it halves;
    ``silent_days`` since the last. The interval is that of the factors' weighted mean on the angular scale, arcsin √p,
    where its width depends on the evidence alone and not on how good it is (Anscombe 1948).
    """
    newcomer = policy.prior.sum(axis=0)
    count = newcomer + (known - newcomer) * 0.5 ** (silent_days / policy.silence_half_life_days)
    narrowed = (1 / (count + 1)) @ policy.weights**2 / ((1 / (newcomer + 1)) @ policy.weights**2)
    return np.clip(1 - np.sqrt(narrowed), 0, 1)


def _log_odds(alpha: Numbers, beta: Numbers) -> Numbers:
    return np.log2(np.maximum(alpha, _TINY)) - np.log2(np.maximum(beta, _TINY))


def _scaled(doublings: Numbers, floor: Floats, policy: Policy) -> Numbers:
    return np.minimum(np.maximum(policy.base_score + policy.points_to_double_odds * doublings, floor), TOP)


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
