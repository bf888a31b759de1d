"""A flagged group as a person can check it: which accounts did what, where and when."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from features import columns as c
from features.graph.acts import Acts, Ints

Span = tuple[pd.Timestamp, pd.Timestamp]
GAP = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Group:
    """Ids, sorted, of ``accounts`` that acted on ``creators`` through ``videos``, in ``windows`` (first and last act)
    with more than a day between them. ``strength`` is the detector's own measure."""

    kind: str
    accounts: tuple[str, ...]
    creators: tuple[str, ...]
    videos: tuple[str, ...]
    windows: tuple[Span, ...]
    acts: int
    strength: float


@dataclass(frozen=True)
class Evidence:
    """Where the evidence comes from: rows of ``engagements`` and the ``acts`` made of them or of a part of them."""

    events: pd.DataFrame
    acts: Acts

    def group(self, kind: str, accounts: Ints, creators: Ints, strength: float) -> Group:
        """What these accounts (places) did on these creators (places)."""
        theirs = self.by(accounts)
        rows = self.events.iloc[self.acts.row[theirs[np.isin(self.acts.creator[theirs], creators)]]]
        return Group(
            kind,
            tuple(self.acts.accounts[np.sort(accounts)]),
            tuple(self.acts.creators[np.sort(creators)]),
            tuple(sorted(rows[c.VIDEO_ID].dropna().unique())),
            tuple(spans(rows[c.EVENT_TIME])),
            len(rows),
            strength,
        )

    def by(self, accounts: Ints) -> Ints:
        """The places of these accounts' acts among ``acts``."""
        order, starts = self._by_account
        return np.concatenate([order[starts[one] : starts[one + 1]] for one in accounts])

    @cached_property
    def _by_account(self) -> tuple[Ints, Ints]:
        """The acts ordered by account, and where each account's begin: a group costs what it did, not what all did."""
        order = np.argsort(self.acts.account, kind="stable")
        return order, np.searchsorted(self.acts.account[order], np.arange(len(self.acts.accounts) + 1))


def spans(times: pd.Series, gap: pd.Timedelta = GAP) -> list[Span]:
    """First and last of each run of ``times`` in which no step is longer than ``gap``."""
    ordered = times.sort_values(ignore_index=True)
    runs = ordered.groupby((ordered.diff() > gap).cumsum()).agg(["min", "max"])
    return list(runs.itertuples(index=False, name=None))
