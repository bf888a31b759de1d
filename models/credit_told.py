"""Credit as it was told once, and told again at later moments without the ledger."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from models.credit import Learned, sure
from models.credit_appeals import aged
from models.credit_policy import Floats, Policy
from models.credit_state import probation_until
from models.credit_steps import Times


@dataclass(frozen=True)
class Told:
    """One creator's ``answer`` and what of it moves with time alone: ``known`` (5,) is the evidence α + β of each
    factor, ``last`` (5,) when an event last moved it (NaT: none did).

    If no event comes it can be told at any moment before ``until`` (NaT: no end), when a suspension or a limit ends, or
    an event is told of that was known before it happened.
    """

    policy: Policy
    answer: dict[str, Any]
    known: Floats
    last: Times
    until: np.datetime64

    @property
    def creator_id(self) -> str:
        """Whose credit it is."""
        return str(self.answer["creator_id"])

    def to_json(self) -> dict[str, Any]:
        """All of it but the policy, whose version the answer names."""
        ends = [None if np.isnat(one) else str(one) for one in (self.until, *self.last)]
        return {"answer": self.answer, "known": self.known.tolist(), "until": ends[0], "last": ends[1:]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], policy: Policy) -> Self:
        """The one of :meth:`to_json`, by the ``policy`` that is served."""
        answer, until = content["answer"], np.datetime64(content["until"], "us")
        known, last = np.array(content["known"]), np.array(content["last"], "datetime64[us]")
        return cls(policy.named(answer["policy_version"]), answer, known, last, until)

    def holds(self, as_of: pd.Timestamp) -> bool:
        """Whether credit at ``as_of``, not before that of the answer, can be told from it."""
        return not self.until <= as_of.to_datetime64()

    def at(self, as_of: pd.Timestamp) -> dict[str, Any]:
        """The answer at ``as_of``."""
        moment = as_of.isoformat()
        if moment == self.answer["as_of"]:
            return self.answer
        confidence = sure(self.known[None], self.last[None], self.policy, as_of)
        appeals = [aged(one, as_of) for one in self.answer["appeals"]]
        return self.answer | {"confidence": confidence.item(), "appeals": appeals, "as_of": moment}


def told(learned: Learned, as_of: pd.Timestamp) -> Iterator[Told]:
    """The credit of each creator at ``as_of``."""
    states, policy = learned.states, learned.policy
    state = states.state
    ends = np.column_stack([learned.until, state.until, probation_until(state, policy)])
    ends[ends <= as_of.to_datetime64()] = np.datetime64("NaT")
    known = state.alpha + state.beta
    for row in zip(learned.answers(as_of), known, states.last, np.fmin.reduce(ends, axis=1), strict=True):
        yield Told(policy, *row)
