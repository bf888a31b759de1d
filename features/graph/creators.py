"""What the graph says of a creator as of a date: one small function a column, over the 90 days before.

No model reads these: docs/results.md shows what each is worth, alone and to the fraud model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.fraud.window import FEWEST, SPAN
from features.graph.acts import Acts
from features.graph.dense import dense_groups
from features.graph.evidence import Group
from features.graph.lockstep import lockstep_groups
from features.graph.pods import circles, reciprocal_pods, shared_accounts
from features.schema import Tables

Values = npt.NDArray[np.float64]
SEED = 0  # of the shuffles that say how dense chance is: the same engagements always give the same answer


@dataclass(frozen=True)
class Graph:
    """``events``: the engagements of the 90 days up to ``as_of``, with everyone; ``ids`` (n): of whom to speak."""

    events: pd.DataFrame
    ids: pd.Index

    @classmethod
    def of(cls, tables: Tables, as_of: pd.Timestamp, ids: pd.Index | None = None) -> "Graph":
        """From tables known at ``as_of``; ``ids`` are by default all creators."""
        everyone = pd.Index(tables["creators"][c.CREATOR_ID].unique(), name=c.CREATOR_ID)
        return cls(recent(tables["engagements"], as_of), everyone if ids is None else ids)

    @cached_property
    def acts(self) -> Acts:
        """The events as numbers."""
        return Acts.of(self.events)

    @cached_property
    def lockstep(self) -> list[Group]:
        """Accounts in lockstep."""
        return lockstep_groups(self.events)

    @cached_property
    def dense(self) -> list[Group]:
        """Dense blocks."""
        return dense_groups(self.events, np.random.default_rng(SEED))

    @cached_property
    def circles(self) -> list[Group]:
        """Creators served by the same accounts."""
        return circles(self.events)

    @cached_property
    def pods(self) -> list[Group]:
        """Creators who engage with each other."""
        return reciprocal_pods(self.events)

    @cached_property
    def groups(self) -> list[Group]:
        """Every group of every detector."""
        return [*self.lockstep, *self.dense, *self.circles, *self.pods]

    @cached_property
    def known(self) -> pd.Series:
        """Engagements of each of ``ids``."""
        return self.events.groupby(c.CREATOR_ID).size().reindex(self.ids, fill_value=0)

    def per_creator(self, values: pd.Series) -> Values:
        """(n,) ``values`` by creator_id, 0 for others; NaN for whom fewer than FEWEST engagements are known."""
        return values.reindex(self.ids, fill_value=0).where(self.known >= FEWEST).to_numpy(np.float64)


def recent(engagements: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Those of the 90 days up to ``as_of``, at which they must be known."""
    return engagements[engagements[c.EVENT_TIME] > as_of - SPAN].reset_index(drop=True)


def graph_features(tables: Tables, as_of: pd.Timestamp, ids: pd.Index | None = None) -> pd.DataFrame:
    """GRAPH_FEATURES, float64, indexed by creator_id; unknown is NaN.

    ``tables`` must be known at ``as_of`` and hold everyone's engagements; ``ids`` (default: every creator) only says of
    whom to speak, and changes no value.
    """
    graph = Graph.of(tables, as_of, ids)
    return pd.DataFrame({column.__name__: column(graph) for column in FEATURES}, index=graph.ids)


def lockstep_share(graph: Graph) -> Values:
    """Share of engagements by accounts in lockstep on this creator."""
    return _share(graph, graph.lockstep)


def lockstep_accounts(graph: Graph) -> Values:
    """Accounts of the largest group in lockstep on this creator."""
    return _most(graph, graph.lockstep, lambda one: len(one.accounts))


def dense_share(graph: Graph) -> Values:
    """Share of engagements inside dense blocks."""
    return _share(graph, graph.dense)


def dense_excess(graph: Graph) -> Values:
    """How many times as dense as chance the creator's densest block is; 0 without."""
    return _most(graph, graph.dense, lambda one: one.strength)


def circle_size(graph: Graph) -> Values:
    """Creators who are served by the same circle of accounts, this one included; 0 without."""
    return _most(graph, graph.circles, lambda one: len(one.creators))


def circle_share(graph: Graph) -> Values:
    """Share of engagements by the accounts of the circle."""
    return _share(graph, graph.circles)


def shared_accounts_surprise(graph: Graph) -> Values:
    """−log10 of the probability that chance gives this creator so many accounts in common with any other."""
    found, most = shared_accounts(graph.acts).tocoo(), np.zeros(len(graph.acts.creators))
    np.maximum.at(most, found.row, found.data)
    return graph.per_creator(pd.Series(most, index=graph.acts.creators))


def pod_size(graph: Graph) -> Values:
    """Creators in the ring of mutual engagement, this one included; 0 without, and wherever accounts are not
    creators."""
    return _most(graph, graph.pods, lambda one: len(one.creators))


def _share(graph: Graph, groups: list[Group]) -> Values:
    """Share of engagements between accounts and creators of the same group."""
    inside = graph.events[inside_groups(graph.events, groups)]
    return graph.per_creator(inside.groupby(c.CREATOR_ID).size()) / graph.known.to_numpy().clip(1)


def inside_groups(events: pd.DataFrame, groups: list[Group]) -> npt.NDArray[np.bool_]:
    """(m,) whether account and creator of each engagement belong to the same group."""
    accounts = _members(c.ACCOUNT_ID, [one.accounts for one in groups])
    creators = _members(c.CREATOR_ID, [one.creators for one in groups])
    acts = events[[c.ACCOUNT_ID, c.CREATOR_ID]].assign(act=np.arange(len(events)))
    hits = acts.merge(accounts, on=c.ACCOUNT_ID).merge(creators, on=[c.CREATOR_ID, "group"])
    return np.isin(np.arange(len(events)), hits["act"])


def _members(name: str, members: list[tuple[str, ...]]) -> pd.DataFrame:
    """A row for each of the group's members: the id under ``name``, and the number of the group."""
    rows = [(one, number) for number, group in enumerate(members) for one in group]
    return pd.DataFrame(rows, columns=[name, "group"]).astype({name: "str", "group": "int64"})


def _most(graph: Graph, groups: list[Group], value: Callable[[Group], float]) -> Values:
    """The largest ``value`` of any group that holds the creator, 0 without one."""
    found: dict[str, float] = {}
    for one in groups:
        found |= {creator: max(value(one), found.get(creator, 0.0)) for creator in one.creators}
    return graph.per_creator(pd.Series(found, dtype="float64"))


FEATURES = (
    lockstep_share, lockstep_accounts, dense_share, dense_excess, circle_size, circle_share, shared_accounts_surprise,
    pod_size,
)  # fmt: skip
GRAPH_FEATURES = tuple(feature.__name__ for feature in FEATURES)
