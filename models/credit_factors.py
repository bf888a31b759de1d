"""From the ledger to the five factors of credit: what each event says, how it is remembered, what it is worth.

Each factor is a Beta(α, β) posterior of "the next event is good". It starts from the peers' prior and takes one event
after the other (:mod:`models.credit_state`). That recursion is linear: with G = γ^(weight that came after), an event of
weight w still counts for G (1 − γ^w)/(1 − γ), which tells what it is worth.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.appeals import UNDOES
from features.asof import known_at
from features.numbered import Numbered, Places, last_known, numbered_together
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
_TINY = 1e-300
ALPHABETICAL = np.argsort(np.argsort(FACTORS))
"""The rank of each of FACTORS by name."""
SEVERITIES = (1, 2, 3)
Flags = npt.NDArray[np.bool_]


def coded_events(events: pd.DataFrame, as_of: pd.Timestamp, known_by: pd.Timestamp | None = None) -> pd.DataFrame:
    """The events past at ``as_of`` and known by ``known_by`` (by default ``as_of``; both inclusive) that were not
    undone, :func:`coded`."""
    return not_undone(coded(past_events(events, as_of, known_by)))


def past_events(events: pd.DataFrame, as_of: pd.Timestamp, known_by: pd.Timestamp | None = None) -> pd.DataFrame:
    """The events past at ``as_of`` and known by ``known_by``, by default ``as_of``; both inclusive."""
    past = events[c.EVENT_TIME] <= as_of
    seen = known_at(events, COLLABORATION_EVENTS) <= (as_of if known_by is None else known_by)
    return _chosen(events, (past & seen).to_numpy())


def _chosen(events: pd.DataFrame, rows: Flags) -> pd.DataFrame:
    return events if rows.all() else events[rows]


def coded(events: pd.DataFrame) -> pd.DataFrame:
    """The events in order of (event_time, event_id), with ``code`` (the event type, with what matters of it: _ON_TIME
    or _LATE, the severity, the assessed factor) and ``measure`` (the rating or the assessed value, NaN otherwise)."""
    standing = in_order(events)
    kind, factor = (Numbered.of(standing[name]) for name in (c.EVENT_TYPE, c.FACTOR))
    severity = np.nan_to_num(standing[c.SEVERITY].to_numpy(), nan=1).round().astype(int)
    endings = ["", "_ON_TIME", "_LATE", *(f"_{one}" for one in SEVERITIES), "_", *("_" + one for one in factor.words)]
    ending = _punctuality(standing, kind)
    unknown = endings.index("_")
    severe = np.where(np.isin(severity, SEVERITIES), endings.index("_1") - 1 + severity, unknown)
    ending = np.where(kind.are(["VIOLATION_CONFIRMED"]), severe, ending)
    ending = np.where(kind.are(["ASSESSED"]), unknown + 1 + factor.places, ending)
    codes = pd.array([word + end for word in kind.words for end in endings], dtype="str")
    measure = np.where(kind.are(["RATED"]), standing[c.RATING], standing[c.VALUE])
    return standing.assign(**{CODE: codes.take(kind.places * len(endings) + ending), MEASURE: measure})


def in_order(events: pd.DataFrame) -> pd.DataFrame:
    """The events by (event_time, event_id); ids, which are slow to compare, are so only where times are equal."""
    times = events[c.EVENT_TIME].to_numpy()
    order = np.argsort(times, kind="stable")
    same = np.flatnonzero(np.diff(times[order]) == np.timedelta64(0))
    if not len(same):
        return events.iloc[order]
    tied = np.union1d(same, same + 1)
    rows = events[[c.EVENT_TIME, c.EVENT_ID]].iloc[order[tied]].reset_index(drop=True)
    order[tied] = order[tied][rows.sort_values([c.EVENT_TIME, c.EVENT_ID]).index]
    return events.iloc[order]


def effects(coded: pd.DataFrame, policy: Policy) -> Floats:
    """(n, 5) the signed weight of each event in each factor, as FACTORS; 0 where it says nothing."""
    codes, measure = Numbered.of(coded[CODE]), coded[MEASURE].to_numpy()
    rules = (policy.events.get(code, {}) for code in codes.words)
    known = np.array([[rule.get(name, 0.0) for name in FACTORS] for rule in rules]).reshape(-1, len(FACTORS))
    found = known[codes.places]
    for code, curve in policy.curves.items():
        rows = np.flatnonzero(codes.are([code]) & ~np.isnan(measure))
        value = debiased(coded.iloc[rows], policy) if code == "RATED" else measure[rows]
        found[rows, FACTORS.index(curve.factor)] = np.interp(value, curve.at, curve.weight)
    return found * times(coded, policy)[:, None]


def evidence(coded: pd.DataFrame, moved: Floats) -> pd.DataFrame:
    """One row per event and factor it moves: creator_id, factor, event_id, event_time, code, measure, signed weight.

    ``moved`` are the :func:`effects` of the events. Sorted by creator, factor and time.
    """
    row, factor = np.nonzero(moved)
    owner, _ = pd.factorize(coded[c.CREATOR_ID], sort=True)
    order = np.lexsort([ALPHABETICAL[factor], owner[row]])
    row, factor = row[order], factor[order]
    found = coded[[c.CREATOR_ID, c.EVENT_ID, c.EVENT_TIME, CODE, MEASURE]].iloc[row].reset_index(drop=True)
    names = pd.array(FACTORS, dtype="str").take(factor)
    return found.assign(**{c.FACTOR: names, WEIGHT: moved[row, factor]})


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
    group = numbered_together(found[c.CREATOR_ID], found[c.FACTOR])
    factor = Numbered.of(found[c.FACTOR])
    place = np.array([FACTORS.index(name) for name in factor.words], np.intp)[factor.places]
    size, counted = _remembered(found[WEIGHT].to_numpy(), group, policy)
    sums, running = (_grouped(np.vstack([size, counted]), group, how) for how in ("sum", "cumsum"))
    kept = policy.memory ** sums[0] * policy.prior[:, place]
    before, now = kept + running[1:] - counted, kept + sums[1:]
    # Without the event, all that came before it is forgotten by so much less.
    without = now - counted + before * (policy.memory**-size - 1)
    newcomer, floor = _log_odds(*policy.prior)[place], policy.floors[place]
    score, other = (_scaled(_log_odds(*one) - newcomer, floor, policy) for one in (now, without))
    return pd.Series((score - other) * policy.weights[place], found.index)


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


def _log_odds(alpha: Floats, beta: Floats) -> Floats:
    return np.log2(np.maximum(alpha, _TINY)) - np.log2(np.maximum(beta, _TINY))


def _scaled(doublings: Floats, floor: Floats, policy: Policy) -> Floats:
    return np.minimum(np.maximum(policy.base_score + policy.points_to_double_odds * doublings, floor), TOP)


def _remembered(weight: Floats, group: Places, policy: Policy) -> tuple[Floats, Floats]:
    """(n,) the size of each weight, and (2, n) what it still adds to the good and to the bad side of its ``group``."""
    size = np.abs(weight)
    (whole,), (running,) = (_grouped(size[None], group, how) for how in ("sum", "cumsum"))
    mass = policy.memory ** (whole - running) * (1 - policy.memory**size) / (1 - policy.memory)
    return size, np.where([weight > 0, weight < 0], mass, 0.0)


def _grouped(values: Floats, group: Places, how: str) -> Floats:
    """(k, n) each of the ``values`` (k, n) transformed within its group, whose last bits depend on no other group."""
    return pd.DataFrame(values.T).groupby(group).transform(how).to_numpy(np.float64).T


def not_undone(events: pd.DataFrame) -> pd.DataFrame:
    """``events`` without those that another event of the same creator undoes, as if they had never been."""
    kind = Numbered.of(events[c.EVENT_TYPE])
    undoing, findings = (np.flatnonzero(kind.are(kinds)) for kinds in (UNDOES.keys(), UNDOES.values()))
    undone = {(one, other, UNDOES[what]) for one, other, what in _cells(events, c.REFERS_TO, undoing)}
    stands = np.ones(len(events), bool)
    stands[findings] = [finding not in undone for finding in _cells(events, c.EVENT_ID, findings)]
    return _chosen(events, stands)


def _cells(events: pd.DataFrame, name: str, rows: Places) -> Iterator[tuple[str, str, str]]:
    """Creator, the cell of that name and event type of each of the rows."""
    return zip(*(events[column].iloc[rows] for column in (c.CREATOR_ID, name, c.EVENT_TYPE)), strict=True)


def _punctuality(events: pd.DataFrame, kind: Numbered) -> Places:
    """(n,) 1 for deliveries on time, 2 for late ones, 0 for what is neither.

    Content is due at its own ``due_at``, else at the contract's or the last requested revision's; where none is set it
    says nothing. A publication without its own ``due_at`` is on time: the brand's approval may have taken long.
    """
    due, content = events[c.DUE_AT].to_numpy(copy=True), kind.are(["CONTENT_SUBMITTED"])
    asked = last_known(Numbered.of(events[c.COLLABORATION_ID]).places, kind.are(_SETS_DUE))
    unsaid = np.flatnonzero(content & np.isnat(due) & (asked >= 0))
    due[unsaid] = due[asked[unsaid]]
    judged = kind.are(["PUBLISHED"]) | (content & ~np.isnat(due))
    return np.where(judged, np.where(events[c.EVENT_TIME].to_numpy() > due, 2, 1), 0)
