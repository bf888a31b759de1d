"""What each event of the ledger is to its creator's credit: what it weighs, what it suspends for, what it counts as."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from models.credit_factors import CODE, effects
from models.credit_policy import REPEATED_VIOLATION, Floats, Policy
from models.credit_weights import earlier

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]
Spans = npt.NDArray[np.timedelta64]
VIOLATION, TRAINING, SETTLED = "VIOLATION_CONFIRMED", "TRAINING_PASSED", "SETTLED"


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
    """The same as if no violation had been repeated."""
    suspends = np.full((len(coded), 2), np.timedelta64("NaT", "us"))
    for code, days in policy.suspension_days.items():
        suspends[(coded[CODE] == code).to_numpy(bool), _column(code, policy)] = _span(days)
    kind = coded[c.EVENT_TYPE]
    at = coded[c.EVENT_TIME].to_numpy("datetime64[us]")
    training, settled = ((kind == one).to_numpy(bool) for one in (TRAINING, SETTLED))
    return Steps(effects(coded, policy), at, suspends, training, settled)


def offences(coded: pd.DataFrame) -> Ints:
    """(n,) a number for each creator and type of violation, -1 for all but violations of a stated type."""
    rows = np.flatnonzero((coded[c.EVENT_TYPE] == VIOLATION) & coded[c.VIOLATION_TYPE].notna())
    found = np.full(len(coded), -1)
    found[rows] = coded.iloc[rows].groupby([c.CREATOR_ID, c.VIOLATION_TYPE]).ngroup()
    return found


def with_repeats(found: Steps, offence: Ints, policy: Policy) -> Spans:
    """``suspends`` of the events, those violations included that are the policy's number in its days of one offence."""
    rows = np.flatnonzero(offence >= 0)
    count = earlier(offence[rows], found.at[rows], policy.repeated_violation.days) + 1
    repeated = rows[count >= policy.repeated_violation.times]
    column, suspends = _column(REPEATED_VIOLATION, policy), found.suspends.copy()
    days = policy.suspension_days.get(REPEATED_VIOLATION, 0)
    suspends[repeated, column] = np.fmax(suspends[repeated, column], _span(days))
    return suspends


def _column(code: str, policy: Policy) -> int:
    return int(code in policy.ended_by_training)


def _span(days: float) -> np.timedelta64:
    return pd.Timedelta(days=days).to_timedelta64().astype("timedelta64[us]")
