"""Whether events may stand in the ledger beside those that do: collaborations and findings held against their life
cycles.

Live, every event must be legal at its place and leave those after it as legal as they were. History that is brought in
(a backfill, a dataset's folder) may have gaps: there only what contradicts the rest is illegal, which is what follows
an end that does not allow it, a second contract, and another creator or brand than the collaboration's.
"""

from bisect import bisect, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

import pandas as pd

from features import columns as c
from features.appeals import FINDING_ID, Case, case_events, findings_of_appeals
from features.collaborations import TERMINAL, Progress, gaps, ordered

State = Progress | Case
Legal = Callable[[State], tuple[str, ...]]
Owners = Mapping[str, str]
_STARTS: Mapping[str, State] = {c.COLLABORATION_ID: Progress(), FINDING_ID: Case()}
"""What has a life cycle, by the column of its id → the state it starts in."""
_FIRST = {Progress: "as the first event", Case: "where refers_to names no finding known by then"}


class _Step(NamedTuple):
    """One event; sorted as its place in the history."""

    time: pd.Timestamp
    rank: int
    event_id: str
    event: str


class _Entry(NamedTuple):
    """An event as it is judged: its row, whose history it belongs to (column and id), and who it says owns that."""

    row: object
    key: tuple[str, str]
    step: _Step
    owners: Owners


@dataclass
class _History:
    """One collaboration or finding as it is known: whose it is, and its steps in order."""

    start: State
    steps: list[_Step] = field(default_factory=list)
    owners: Owners = field(default_factory=dict)

    def problem(self, entry: _Entry, legal: Legal) -> str | None:
        """What makes the entry illegal, None where nothing does."""
        return self._foreign(entry.owners) or self._misplaced(entry.step, legal)

    def add(self, entry: _Entry) -> None:
        """Takes the entry as it stands."""
        insort(self.steps, entry.step)
        self.owners = {**entry.owners, **self.owners}

    def _foreign(self, owners: Owners) -> str | None:
        for name, given in owners.items():
            if given != self.owners.get(name, given):
                return f"{name}: is {self.owners[name]} in the events before; send that, or refer to something else"
        return None

    def _misplaced(self, step: _Step, legal: Legal) -> str | None:
        place = bisect(self.steps, step)
        before, after = ([known.event for known in part] for part in (self.steps[:place], self.steps[place:]))
        reached = _reached(self.start, before)
        upset = _upset(reached, step.event, after, legal)
        if step.event in legal(reached) and upset is None:
            return None
        possible = [event for event in legal(reached) if _upset(reached, event, after, legal) is None]
        where = f"after {before[-1]}" if before else _FIRST[type(self.start)]
        why = f"contradicts the later {upset}" if step.event in legal(reached) else f"is illegal {where}"
        return f"event_type: {step.event} {why}; legal: {', '.join(possible) or 'nothing'}"


def verdicts(stored: pd.DataFrame, batch: pd.DataFrame, backfill: bool) -> list[str | None]:
    """For each row of ``batch`` what makes it illegal among the ``stored`` events, None where it is legal.

    The text names the column, the problem and the events that would be legal. Events are read in the order of
    :mod:`features.collaborations` and :mod:`features.appeals`; one that is rejected does not count for those after it.
    ``backfill`` allows gaps. Events that belong to no collaboration and no finding are always legal.
    """
    legal: Legal = (lambda state: state.uncontradicted()) if backfill else (lambda state: state.legal())
    appealed = findings_of_appeals(pd.concat([stored, batch]))
    kept: dict[tuple[str, str], _History] = {}
    for entry in _entries(stored, appealed):
        kept.setdefault(entry.key, _History(_STARTS[entry.key[0]])).add(entry)
    found: dict[object, str | None] = {}
    for entry in _entries(batch.reset_index(drop=True), appealed):
        history = kept.setdefault(entry.key, _History(_STARTS[entry.key[0]]))
        found[entry.row] = history.problem(entry, legal)
        if found[entry.row] is None:
            history.add(entry)
    return [found.get(row) for row in range(len(batch))]


def contradictions(events: pd.DataFrame) -> "pd.Series[str]":
    """What makes events of a dataset contradict the others, by their index (unique); empty where nothing does."""
    steps = ordered(events)
    key, kind = steps[c.COLLABORATION_ID], steps[c.EVENT_TYPE]
    ends = kind.isin(TERMINAL).groupby(key).cumsum() - kind.isin(TERMINAL)
    twice = (kind == "CONTRACTED") & steps.duplicated([c.COLLABORATION_ID, c.EVENT_TYPE])
    owners = steps.groupby(c.COLLABORATION_ID)[[c.CREATOR_ID, c.BRAND_ID]].nunique().max(axis=1)
    suspects = {*key[twice | ((ends > 0) & gaps(steps))], *owners.index[owners > 1]}
    placed = events[[c.EVENT_ID, c.EVENT_TIME]].notna().all(axis=1)
    checked = events[events[c.COLLABORATION_ID].isin(suspects) & placed]
    found = pd.Series(verdicts(events.iloc[:0], checked, backfill=True), index=checked.index, dtype="object")
    return found.dropna()


def _entries(events: pd.DataFrame, appealed: Mapping[str, str]) -> Iterator[_Entry]:
    """Every event of a collaboration, and every finding with what refers to it, each in order."""
    yield from _of(ordered(events), c.COLLABORATION_ID, (c.CREATOR_ID, c.BRAND_ID))
    yield from _of(case_events(events, appealed), FINDING_ID, (c.CREATOR_ID,))


def _of(rows: pd.DataFrame, id_column: str, owners: Sequence[str]) -> Iterator[_Entry]:
    steps = map(_Step, rows[c.EVENT_TIME], rows["rank"], rows[c.EVENT_ID], rows[c.EVENT_TYPE])
    named = zip(*(rows[name] for name in owners), strict=True)
    for row, key, step, names in zip(rows.index, rows[id_column], steps, named, strict=True):
        said = {name: owner for name, owner in zip(owners, names, strict=True) if pd.notna(owner)}
        yield _Entry(row, (id_column, key), step, said)


def _reached(start: State, history: Iterable[str]) -> State:
    return reduce(lambda state, event: state.after(event), history, start)


def _upset(reached: State, event: str, after: Sequence[str], legal: Legal) -> str | None:
    """The first of the events ``after`` that is legal without ``event`` before them and not with it."""
    without, now = reached, reached.after(event)
    for later in after:
        if without == now:
            return None
        if later in legal(without) and later not in legal(now):
            return later
        without, now = without.after(later), now.after(later)
    return None
