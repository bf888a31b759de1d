"""Where credit stands, and what one more event makes of it: the one recursion behind every score and every history.

An event of weight w sets α, β ← γ^w α, γ^w β and adds (1 − γ^w)/(1 − γ) to the side it supports (discounted Beta
filter: West & Harrison, *Bayesian Forecasting and Dynamic Models*, ch. 10).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from features import columns as c
from models.credit_factors import FACTORS, rounded_score
from models.credit_policy import Floats, Policy
from models.credit_steps import Flags, Ints, Steps, Times, steps


class State(NamedTuple):
    """Of n creators: (n, 5) α and β by factor, (n,) the place of the band and whether the score limits orders, (n, 2)
    until when suspended (NaT: never was), whatever comes and unless a training is passed, (n,) orders settled since the
    last finding that suspended, and ever."""

    alpha: Floats
    beta: Floats
    place: Ints
    limited: Flags
    until: Times
    since: Ints
    settled: Ints

    def of(self, rows: slice | Ints) -> "State":
        """The states of some of the creators."""
        return State._make(part[rows] for part in self)


class Posterior(NamedTuple):
    """Of n creators, by id: their state, (n, 5) how many events moved each factor, and the time of the last (NaT); of
    all the events (k, 5) what each moved."""

    ids: pd.Index
    state: State
    events: Ints
    last: Times
    moved: Floats


def newcomers(count: int, policy: Policy) -> State:
    """So many creators of whom nothing is known."""
    alpha, beta = (np.tile(side, (count, 1)) for side in policy.prior)
    score = rounded_score(alpha, beta, policy)
    until, none = np.full((count, 2), np.datetime64("NaT", "us")), np.zeros(count, np.int64)
    return State(alpha, beta, _place(score, policy), score < policy.limited_below, until, none, none.copy())


def after(state: State, step: Steps, policy: Policy) -> State:
    """The state once each of the n creators had one more event."""
    alpha, beta = remembered(state, step.moved, policy)
    score = rounded_score(alpha, beta, policy)
    until = np.fmax(state.until, step.at[:, None] + step.suspends)
    until[:, 1] = np.where(step.training, np.minimum(until[:, 1], step.at), until[:, 1])
    return State(
        alpha,
        beta,
        _banded(score, state.place, policy),
        _limited(score, state.limited, policy),
        until,
        np.where(step.suspending, 0, state.since + step.settled),
        state.settled + step.settled,
    )


def remembered(state: State, moved: Floats, policy: Policy) -> tuple[Floats, Floats]:
    """α and β after one more event that weighs ``moved``, (n, 5) or (1, 5) for all."""
    kept = policy.memory ** np.abs(moved)
    added = (1 - kept) / (1 - policy.memory)
    return kept * state.alpha + added * (moved > 0), kept * state.beta + added * (moved < 0)


def posterior(coded: pd.DataFrame, policy: Policy, creator_ids: pd.Index) -> Posterior:
    """What is known of ``creator_ids`` (unique) after the events ``coded`` (:func:`models.credit_factors.coded`)."""
    taken = steps(coded, policy)
    owner = creator_ids.get_indexer(pd.Index(coded[c.CREATOR_ID]))
    rows = np.flatnonzero((owner >= 0) & taken.matter)
    moved, owner, taken = taken.moved, owner[rows], taken.of(rows)
    counts = np.zeros((len(creator_ids), len(FACTORS)), np.int64)
    last = np.full(counts.shape, np.datetime64("NaT", "us"))
    for factor in range(len(FACTORS)):
        about = taken.moved[:, factor] != 0
        counts[:, factor] = np.bincount(owner[about], minlength=len(creator_ids))
        last[owner[about], factor] = taken.at[about]  # in order of time: the last one stays
    return Posterior(creator_ids, _careers(owner, taken, len(creator_ids), policy), counts, last, moved)


def _careers(owner: Ints, taken: Steps, count: int, policy: Policy) -> State:
    """The states of ``count`` creators after the events ``taken``, in order of time, each of its ``owner``.

    The first events of all are taken at once, then their second ones: as many steps as the longest career.
    """
    rows = np.argsort(owner, kind="stable")
    lengths = np.bincount(owner, minlength=count)
    longest = np.argsort(-lengths, kind="stable")
    first, left = (np.cumsum(lengths) - lengths)[longest], lengths[longest]
    state = newcomers(count, policy)
    for step in range(lengths.max(initial=0)):
        active = int(np.searchsorted(-left, -step))  # those with more events than that come first
        fresh = after(state.of(slice(active)), taken.of(rows[first[:active] + step]), policy)
        for old, new in zip(state, fresh, strict=True):
            old[:active] = new
    return state.of(np.argsort(longest))


def suspended_until(state: State) -> Times:
    """(n,) when the last suspension ends or ended, NaT where there was none."""
    return np.fmax(state.until[:, 0], state.until[:, 1])


def probation_until(state: State, policy: Policy) -> Times:
    """(n,) when the limit after the last suspension ends, NaT where there is none (any more)."""
    served = state.since >= policy.probation.settled
    days = pd.Timedelta(days=policy.probation.days).to_timedelta64()
    return np.where(served, np.datetime64("NaT", "us"), suspended_until(state) + days)


def training_helps(state: State, at: pd.Timestamp) -> Flags:
    """(n,) whether a passed training would end the suspension."""
    until = state.until > np.datetime64(at, "us")
    return until[:, 1] & ~until[:, 0]


def milestone(state: State, policy: Policy) -> Floats:
    """(n,) how many orders may be open by how many were settled, infinite for no cap."""
    places = np.searchsorted([one.settled for one in policy.milestones], state.settled, side="right") - 1
    return np.array([one.open_orders for one in policy.milestones])[places]


def _place(score: Floats, policy: Policy) -> Ints:
    return np.searchsorted(policy.starts, score, side="right") - 1


def _banded(score: Floats, place: Ints, policy: Policy) -> Ints:
    """A band is entered where it starts and left once the score is ``hysteresis`` below."""
    return np.clip(place, _place(score, policy), _place(score + policy.hysteresis, policy))


def _limited(score: Floats, limited: Flags, policy: Policy) -> Flags:
    """Orders are limited from below ``limited_below`` on, until the score is ``hysteresis`` above it."""
    return score < policy.limited_below + policy.hysteresis * limited
