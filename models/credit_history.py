"""How one creator's credit came about, event by event, and what further events would make of it.

To undo an event, the replay goes back to before it and takes what came since again: that costs as many steps as events
came between, so that a history of any length is replayed in linear time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from features import columns as c
from features.appeals import UNDOES
from models.credit import credit_answers, graded
from models.credit_factors import coded, effects, past_events
from models.credit_policy import Floats, Policy
from models.credit_state import State, after, newcomers
from models.credit_texts import described

SHOWN = ["score", "stars", "band", "order_status"]
SUSPENSION_ENDED = "SUSPENSION_ENDED"


class Moment(NamedTuple):
    """The creator's state, and until when it is suspended (NaT: is not), once ``code`` has come from ``event``, a row
    of :func:`models.credit_factors.coded`."""

    at: pd.Timestamp
    code: str
    event: Any
    state: State
    until: pd.Timestamp


def history_answer(
    events: pd.DataFrame, policy: Policy, as_of: pd.Timestamp, known_by: pd.Timestamp, creator_id: str
) -> dict[str, Any]:
    """/v1/credit/history: every change of score, band or order status up to ``as_of``, oldest first, with its event.

    It tells the past by what was known by ``known_by``: after each change credit is what :func:`credit_answers` says of
    that moment with the same ``known_by``. The end of a suspension comes from the event that had set it.
    """
    moments = list(_replayed(events[events[c.CREATOR_ID] == creator_id], policy, as_of, known_by))
    shown = _shown([Moment(pd.NaT, "", None, newcomers(1, policy), pd.NaT), *moments], policy)
    changes = zip(moments, shown, shown[1:], strict=False)
    return {
        "creator_id": creator_id,
        "results": [_change(*change) for change in changes if change[1] != change[2]],
        "as_of": as_of.isoformat(),
        "known_at": known_by.isoformat(),
    }


def what_if_answer(
    events: pd.DataFrame,
    further: pd.DataFrame,
    creators: pd.DataFrame,
    policy: Policy,
    as_of: pd.Timestamp,
    creator_id: str,
) -> dict[str, Any]:
    """/v1/credit/what_if: the credit of one creator at ``as_of`` without and with ``further`` events of the ledger."""
    asked = [events, pd.concat([events, further], ignore_index=True)]
    before, after = (credit_answers(ledger, creators, policy, as_of, [creator_id])[0] for ledger in asked)
    points = round(after["score"] - before["score"], 1)
    return {"creator_id": creator_id, "points": points, "before": before, "after": after}


def _shown(moments: Sequence[Moment], policy: Policy) -> list[dict[str, Any]]:
    """What /v1/credit shows at each moment, in plain values."""
    state = State._make(map(np.concatenate, zip(*(moment.state for moment in moments), strict=True)))
    until, at = (pd.Series([getattr(m, name) for m in moments], dtype="datetime64[us]") for name in ("until", "at"))
    return graded(state, until, policy, at)[SHOWN].to_dict("records")


def _change(moment: Moment, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    event = moment.event
    return {
        "at": moment.at.isoformat(),
        "code": moment.code,
        "text": described(moment.code, event.measure, moment.at),
        "event_id": event.event_id,
        "event_type": event.event_type,
        "refers_to": None if pd.isna(event.refers_to) else event.refers_to,
        "collaboration_id": None if pd.isna(event.collaboration_id) else event.collaboration_id,
        "points": round(after["score"] - before["score"], 1),
        "before": before,
        "after": after,
    }


def _replayed(own: pd.DataFrame, policy: Policy, as_of: pd.Timestamp, known_by: pd.Timestamp) -> Iterator[Moment]:
    """A moment for each of a creator's own events and for each end of a suspension, in order of time."""
    rows = coded(past_events(own, as_of, known_by))
    moved = effects(rows, policy)
    replay = _Replay(policy, {one: moved[[row]] for row, one in enumerate(rows[c.EVENT_ID]) if moved[row].any()})
    for event in rows.itertuples():
        yield from replay.ended(event.event_time)
        replay.take(event)
        yield replay.moment(event.event_time, event.code, event)
    yield from replay.ended(as_of)


@dataclass
class _Replay:
    """The ledger of one creator up to a moment: the state after each event that still stands, and suspensions.

    ``effects`` has what each event that moves a factor weighs, (1, 5), by event_id.
    """

    policy: Policy
    effects: Mapping[str, Floats]
    path: list[tuple[str, State]] = field(default_factory=list)
    suspensions: dict[str, tuple[pd.Timestamp, Any]] = field(default_factory=dict)
    standing: set[tuple[str, str]] = field(default_factory=set)
    undone: set[tuple[str, str]] = field(default_factory=set)

    def take(self, event: Any) -> None:
        """The next event, unless it was undone before; only an event of the right type can be undone."""
        one = (event.event_id, event.event_type)
        if event.event_type in UNDOES:
            self._undo((event.refers_to, UNDOES[event.event_type]))
        elif one not in self.undone:
            self.standing.add(one)
            self._add(event.event_id)
            if event.code in self.policy.suspension_days:
                days = pd.Timedelta(days=self.policy.suspension_days[event.code])
                self.suspensions[event.event_id] = (event.event_time + days, event)

    def moment(self, at: pd.Timestamp, code: str, event: Any) -> Moment:
        """What has come of everything taken so far."""
        return Moment(at, code, event, self._state(), self._suspended()[0])

    def ended(self, by: pd.Timestamp) -> Iterator[Moment]:
        """The end of the suspension, where it came by then."""
        until, event = self._suspended()
        if until <= by:
            yield self.moment(until, SUSPENSION_ENDED, event)
            self.suspensions.clear()

    def _state(self) -> State:
        return self.path[-1][1] if self.path else newcomers(1, self.policy)

    def _suspended(self) -> tuple[pd.Timestamp, Any]:
        return max(self.suspensions.values(), key=lambda one: one[0], default=(pd.NaT, None))

    def _add(self, event_id: str) -> None:
        if event_id in self.effects:
            self.path.append((event_id, after(self._state(), self.effects[event_id], self.policy)))

    def _undo(self, one: tuple[str, str]) -> None:
        self.undone.add(one)
        if one in self.standing:
            self.standing.remove(one)
            self.suspensions.pop(one[0], None)
            if one[0] in self.effects:
                self._take_out(one[0])

    def _take_out(self, event_id: str) -> None:
        """Goes back to before the event and takes what came after it again."""
        later = []
        while (last := self.path.pop()[0]) != event_id:
            later.append(last)
        for one in reversed(later):
            self._add(one)
