"""What each event of the ledger is to its creator's credit: what it weighs, what it suspends for, what it counts as."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.numbered import Numbered, numbered_together
from models.credit_factors import CODE, effects
from models.credit_policy import REPEATED_DEFAULT, REPEATED_VIOLATION, Floats, Policy
from models.credit_weights import earlier

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]
Spans = npt.NDArray[np.timedelta64]
Offences = Mapping[str, Ints]
VIOLATION, DEFAULT, TRAINING, SETTLED = "VIOLATION_CONFIRMED", "DEFAULTED", "TRAINING_PASSED", "SETTLED"


class Steps(NamedTuple):
    """Of n events: (n, 5) signed weights by factor, when, (n, 2) for how long it suspends (NaT: does not), whatever
    comes and unless a training is passed, whether it is one, whether an order was settled."""

    moved: Floats
    at: Times
    suspends: Spans
    training: Flags
    settled: Flags

    def of(self, rows: Ints) -> "Steps":
        """Some of the events."""
        return Steps._make(part[rows] for part in self)

    @property
    def suspending(self) -> Flags:
        """(n,) whether the event suspends."""
        return np.asarray(~np.isnat(self.suspends).all(axis=1))

    @property
    def matter(self) -> Flags:
        """(n,) whether the event changes anything."""
        return np.asarray(self.moved.any(axis=1) | self.suspending | self.training | self.settled)


def steps(coded: pd.DataFrame, policy: Policy) -> Steps:
    """The events ``coded`` (:func:`models.credit_factors.coded`) in their order; none of them was undone."""
    found = plain_steps(coded, policy)
    return found._replace(suspends=with_repeats(found, offences(coded), policy))


def plain_steps(coded: pd.DataFrame, policy: Policy) -> Steps:
    """The same as if nothing had been repeated."""
    suspends = np.full((len(coded), 2), np.timedelta64("NaT", "us"))
    codes = Numbered.of(coded[CODE])
    for code, days in policy.suspension_days.items():
        suspends[codes.are([code]), _column(code, policy)] = _span(days)
    at = coded[c.EVENT_TIME].to_numpy("datetime64[us]")
    training, settled = (codes.are([one]) for one in (TRAINING, SETTLED))
    return Steps(effects(coded, policy), at, suspends, training, settled)


def offences(coded: pd.DataFrame) -> Offences:
    """By what their repetition is, (n,) a number for each creator and type of violation, and for each creator that
    defaults; -1 for all other events."""
    kind = Numbered.of(coded[c.EVENT_TYPE])
    return {
        REPEATED_VIOLATION: _numbered(coded, kind.are([VIOLATION]), [c.CREATOR_ID, c.VIOLATION_TYPE]),
        REPEATED_DEFAULT: _numbered(coded, kind.are([DEFAULT]), [c.CREATOR_ID]),
    }


def _numbered(coded: pd.DataFrame, chosen: Flags, by: list[str]) -> Ints:
    rows, found = np.flatnonzero(chosen), np.full(len(coded), -1)
    if len(rows):
        found[rows] = numbered_together(*(coded[name].iloc[rows] for name in by))
    return found


def with_repeats(found: Steps, offences: Offences, policy: Policy) -> Spans:
    """``suspends`` of the events, those included that are the policy's number in its days of one offence."""
    suspends = found.suspends.copy()
    for code, offence in offences.items():
        rule, column = policy.repetitions[code], _column(code, policy)
        rows = np.flatnonzero(offence >= 0)
        repeated = rows[earlier(offence[rows], found.at[rows], rule.days) + 1 >= rule.times]
        suspends[repeated, column] = np.fmax(suspends[repeated, column], _span(policy.suspension_days.get(code, 0)))
    return suspends


def _column(code: str, policy: Policy) -> int:
    return int(code in policy.ended_by_training)


def _span(days: float) -> np.timedelta64:
    return pd.Timedelta(days=days).to_timedelta64().astype("timedelta64[us]")
