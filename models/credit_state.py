"""Where credit stands, and what one more event makes of it: the one recursion behind every score and every history.

An event of weight w sets α, β ← γ^w α, γ^w β and adds (1 − γ^w)/(1 − γ) to the side it supports (discounted Beta
filter: West & Harrison, *Bayesian Forecasting and Dynamic Models*, ch. 10).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from models.credit_factors import FACTORS, effects, rounded_score
from models.credit_policy import Floats, Policy

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class State(NamedTuple):
    """Of n creators: (n, 5) α and β by factor, (n,) the place of the band and whether the score limits orders."""

    alpha: Floats
    beta: Floats
    place: Ints
    limited: Flags

    def of(self, rows: slice | Ints) -> "State":
        """The states of some of the creators."""
        return State._make(part[rows] for part in self)


class Posterior(NamedTuple):
    """Of n creators, by id: their state, (n, 5) how many events moved each factor, and the time of the last (NaT)."""

    ids: pd.Index
    state: State
    events: Ints
    last: npt.NDArray[np.datetime64]


def newcomers(count: int, policy: Policy) -> State:
    """So many creators of whom nothing is known."""
    alpha, beta = (np.tile(side, (count, 1)) for side in policy.prior)
    score = rounded_score(alpha, beta, policy)
    return State(alpha, beta, _place(score, policy), score < policy.limited_below)


def after(state: State, moved: Floats, policy: Policy) -> State:
    """The state once each of the n creators had one more event; (n, 5) ``moved`` are its signed weights by factor."""
    kept = policy.memory ** np.abs(moved)
    added = (1 - kept) / (1 - policy.memory)
    alpha = kept * state.alpha + added * (moved > 0)
    beta = kept * state.beta + added * (moved < 0)
    score = rounded_score(alpha, beta, policy)
    return State(alpha, beta, _banded(score, state.place, policy), _limited(score, state.limited, policy))


def posterior(coded: pd.DataFrame, policy: Policy, creator_ids: pd.Index) -> Posterior:
    """What is known of ``creator_ids`` (unique) after the events ``coded`` (:func:`models.credit_factors.coded`)."""
    moved = effects(coded, policy)
    owner = creator_ids.get_indexer(pd.Index(coded[c.CREATOR_ID]))
    rows = np.flatnonzero((owner >= 0) & moved.any(axis=1))
    owner, moved, at = owner[rows], moved[rows], coded[c.EVENT_TIME].to_numpy("datetime64[us]")[rows]
    counts = np.zeros((len(creator_ids), len(FACTORS)), np.int64)
    last = np.full(counts.shape, np.datetime64("NaT", "us"))
    for factor in range(len(FACTORS)):
        about = moved[:, factor] != 0
        counts[:, factor] = np.bincount(owner[about], minlength=len(creator_ids))
        last[owner[about], factor] = at[about]  # in order of time: the last one stays
    return Posterior(creator_ids, _careers(owner, moved, len(creator_ids), policy), counts, last)


def _careers(owner: Ints, moved: Floats, count: int, policy: Policy) -> State:
    """The states of ``count`` creators after the events ``moved`` (rows in order of time) of each one's ``owner``.

    The first events of all are taken at once, then their second ones: as many steps as the longest career.
    """
    rows = np.argsort(owner, kind="stable")
    lengths = np.bincount(owner, minlength=count)
    longest = np.argsort(-lengths, kind="stable")
    first, left = (np.cumsum(lengths) - lengths)[longest], lengths[longest]
    state = newcomers(count, policy)
    for step in range(lengths.max(initial=0)):
        active = int(np.searchsorted(-left, -step))  # those with more events than that come first
        fresh = after(state.of(slice(active)), moved[rows[first[:active] + step]], policy)
        for old, new in zip(state, fresh, strict=True):
            old[:active] = new
    return state.of(np.argsort(longest))


def _place(score: Floats, policy: Policy) -> Ints:
    return np.searchsorted(policy.starts, score, side="right") - 1


def _banded(score: Floats, place: Ints, policy: Policy) -> Ints:
    """A band is entered where it starts and left once the score is ``hysteresis`` below."""
    return np.clip(place, _place(score, policy), _place(score + policy.hysteresis, policy))


def _limited(score: Floats, limited: Flags, policy: Policy) -> Flags:
    """Orders are limited from below ``limited_below`` on, until the score is ``hysteresis`` above it."""
    return score < policy.limited_below + policy.hysteresis * limited
