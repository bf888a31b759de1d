"""Whether events may stand in the ledger beside those that do: the life cycle held against what is sent.

Live, every event must be legal at its place and leave those after it as legal as they were. History that is brought in
(a backfill, a dataset's folder) may have gaps: there only what contradicts the rest is illegal, which is what follows
an end that does not allow it, a second contract, and another creator or brand than the collaboration's.
"""

from bisect import bisect, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from features import columns as c
from features.collaborations import TERMINAL, Progress, gaps, ordered, progress

Legal = Callable[[Progress], tuple[str, ...]]


class _Step(NamedTuple):
    """One event; sorted as its place in the history."""

    time: pd.Timestamp
    rank: int
    event_id: str
    event: str


@dataclass
class _History:
    """One collaboration as it is known: whose it is, and its steps in order."""

    steps: list[_Step] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)

    def problem(self, step: _Step, owners: dict[str, str], legal: Legal) -> str | None:
        """What makes the step illegal, None where nothing does."""
        return self._foreign(owners) or self._misplaced(step, legal)

    def add(self, step: _Step, owners: dict[str, str]) -> None:
        insort(self.steps, step)
        self.owners = owners | self.owners

    def _foreign(self, owners: dict[str, str]) -> str | None:
        for name, given in owners.items():
            if given != self.owners.get(name, given):
                return f"{name}: the collaboration is {self.owners[name]}'s; send its own or another collaboration_id"
        return None

    def _misplaced(self, step: _Step, legal: Legal) -> str | None:
        place = bisect(self.steps, step)
        before, after = self.steps[:place], [known.event for known in self.steps[place:]]
        reached = progress(known.event for known in before)
        upset = _upset(reached, step.event, after, legal)
        if step.event in legal(reached) and upset is None:
            return None
        possible = [event for event in legal(reached) if _upset(reached, event, after, legal) is None]
        where = f"after {before[-1].event}" if before else "as the first event"
        why = f"contradicts the later {upset}" if step.event in legal(reached) else f"is illegal {where}"
        return f"event_type: {step.event} {why}; legal: {', '.join(possible) or 'nothing'}"


def verdicts(stored: pd.DataFrame, batch: pd.DataFrame, backfill: bool) -> list[str | None]:
    """For each row of ``batch`` what makes it illegal among the ``stored`` events, None where it is legal.

    The text names the column, the problem and the events that would be legal. Events are read in the order of
    :mod:`features.collaborations`; one that is rejected does not count for those after it. ``backfill`` allows gaps.
    Events outside the life cycle are always legal.
    """
    legal: Legal = Progress.uncontradicted if backfill else Progress.legal
    kept: dict[str, _History] = {}
    for _, key, step, owners in _read(stored):
        kept.setdefault(key, _History()).add(step, owners)
    found: dict[object, str | None] = {}
    for row, key, step, owners in _read(batch.reset_index(drop=True)):
        history = kept.setdefault(key, _History())
        found[row] = history.problem(step, owners, legal)
        if found[row] is None:
            history.add(step, owners)
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


def _read(events: pd.DataFrame) -> list[tuple[object, str, _Step, dict[str, str]]]:
    """Index, collaboration, step and owners of every life-cycle event, in order."""
    rows = ordered(events)
    steps = map(_Step, rows[c.EVENT_TIME], rows["rank"], rows[c.EVENT_ID], rows[c.EVENT_TYPE])
    owners = (
        {name: owner for name, owner in zip((c.CREATOR_ID, c.BRAND_ID), pair, strict=True) if pd.notna(owner)}
        for pair in zip(rows[c.CREATOR_ID], rows[c.BRAND_ID], strict=True)
    )
    return list(zip(rows.index, rows[c.COLLABORATION_ID], steps, owners, strict=True))


def _upset(reached: Progress, event: str, after: Sequence[str], legal: Legal) -> str | None:
    """The first of the events ``after`` that is legal without ``event`` before them and not with it."""
    without, now = reached, reached.after(event)
    for later in after:
        if without == now:
            return None
        if later in legal(without) and later not in legal(now):
            return later
        without, now = without.after(later), now.after(later)
    return None
