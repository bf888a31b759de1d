"""How one creator's credit came about, event by event, and what further events would make of it.

To undo an event, the replay goes back to before it and takes what came since again: that costs as many steps as events
came between, so that a history of any length is replayed in linear time.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from features import columns as c
from features.appeals import UNDOES
from models.credit import credit_answers, graded
from models.credit_factors import coded, past_events
from models.credit_policy import Policy
from models.credit_state import State, after, newcomers, probation_until, suspended_until
from models.credit_steps import offences, plain_steps, with_repeats
from models.credit_succession import POLICY_CHANGED, in_force
from models.credit_texts import described

SHOWN = ["score", "stars", "band", "order_status"]
SUSPENSION_ENDED, PROBATION_ENDED = "SUSPENSION_ENDED", "PROBATION_ENDED"


class Moment(NamedTuple):
    """The creator's state once ``code`` has come from ``event``, a row of :func:`models.credit_factors.coded`."""

    at: pd.Timestamp
    code: str
    event: Any
    state: State
    policy: Policy


def history_answer(
    events: pd.DataFrame, policy: Policy, as_of: pd.Timestamp, known_by: pd.Timestamp, creator_id: str
) -> dict[str, Any]:
    """/v1/credit/history: every change of score, band or order status up to ``as_of``, oldest first, with its event.

    It tells the past by what was known by ``known_by``: after each change credit is what :func:`credit_answers` says of
    that moment with the same ``known_by``. The ends of a suspension and of the limit after it come from the finding
    that had set them. After a change of policy everything counts as the new one says.
    """
    own, ids = events[events[c.CREATOR_ID] == creator_id], pd.Index([creator_id])
    [(first, _)] = in_force(own, policy, pd.Timestamp.min, known_by, ids)
    rows = coded(past_events(own, as_of, known_by))
    moments = [Moment(pd.NaT, "", None, newcomers(1, first), first), *_replayed(rows, policy, first, as_of)]
    shown = [one for held, group in groupby(moments, lambda one: one.policy) for one in _shown(list(group), held)]
    changes = zip(moments[1:], shown, shown[1:], strict=False)
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
    at = pd.Series([moment.at for moment in moments], dtype="datetime64[us]").to_numpy()
    found = graded(state, policy, at)
    return [
        dict(zip(SHOWN, values, strict=True)) for values in zip(*(found[name].tolist() for name in SHOWN), strict=True)
    ]


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
        "policy_version": moment.policy.version,
        "points": round(after["score"] - before["score"], 1),
        "before": before,
        "after": after,
    }


def _replayed(rows: pd.DataFrame, served: Policy, first: Policy, as_of: pd.Timestamp) -> Iterator[Moment]:
    """A moment for each of a creator's events ``rows`` and for each end of a suspension or of the limit after it, in
    order of time. A policy that comes to hold takes everything before it anew."""
    replay = _Replay(rows, first)
    for row, event in enumerate(replay.events):
        yield from replay.ended(event.event_time)
        if event.event_type == POLICY_CHANGED:
            replay = _Replay(rows, served.named(event.model_version))
            replay.skip(row)
        replay.take(row)
        yield Moment(event.event_time, event.code, event, replay.state, replay.policy)
    yield from replay.ended(as_of)


class _Replay:
    """The ledger of one creator up to a moment: the state after each event that matters and still stands."""

    def __init__(self, rows: pd.DataFrame, policy: Policy) -> None:
        self.events = list(rows.itertuples())
        self.policy, self._offences = policy, offences(rows)
        self._plain = plain_steps(rows, policy)
        self._rows = {(one.event_id, one.event_type): row for row, one in enumerate(self.events)}
        self._stands = np.ones(len(rows), bool)
        self._path: list[tuple[int, State]] = []
        self._told = pd.Timestamp.min
        self._see_repeats()

    @property
    def state(self) -> State:
        """What has come of everything taken so far."""
        return self._path[-1][1] if self._path else newcomers(1, self.policy)

    def skip(self, count: int) -> None:
        """Takes the first events and tells of none."""
        for row in range(count):
            self.take(row)
        self._told = self.events[count].event_time

    def take(self, row: int) -> None:
        """The next event, unless it was undone before; only an event of the right type can be undone."""
        event = self.events[row]
        if event.event_type in UNDOES:
            self._undo(self._rows.get((event.refers_to, UNDOES[event.event_type])), row)
        elif self._stands[row]:
            self._add(row)

    def ended(self, by: pd.Timestamp) -> Iterator[Moment]:
        """The ends of a suspension and of the limit after it that came since the last event and by then."""
        ends = suspended_until(self.state)[0], probation_until(self.state, self.policy)[0]
        for code, end in zip((SUSPENSION_ENDED, PROBATION_ENDED), map(pd.Timestamp, ends), strict=True):
            if self._told < end <= by:
                yield Moment(end, code, self._last_finding(), self.state, self.policy)
        self._told = by

    def _last_finding(self) -> Any:
        suspending = self._steps.suspending
        return self.events[max(row for row, _ in self._path if suspending[row])]

    def _see_repeats(self) -> None:
        offences = {code: np.where(self._stands, one, -1) for code, one in self._offences.items()}
        self._steps = self._plain._replace(suspends=with_repeats(self._plain, offences, self.policy))
        self._matter = self._steps.matter

    def _add(self, row: int) -> None:
        if self._matter[row]:
            self._path.append((row, after(self.state, self._steps.of(np.array([row])), self.policy)))

    def _undo(self, row: int | None, now: int) -> None:
        """Goes back to before the event, where it was taken, and takes what came after it again."""
        if row is None or not self._stands[row]:
            return
        self._stands[row] = False
        self._see_repeats()
        while self._path and self._path[-1][0] >= row:
            self._path.pop()
        for one in range(row, now):
            if self._stands[one]:
                self._add(one)
