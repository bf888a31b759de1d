"""The creators being served: their state, vectors in FAISS, and what filters read. Renewed aside and swapped whole."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.asof import known
from features.bank import TextBank
from features.fraud import fraud_features
from features.fraud.history import Dossier, everyones_graph
from features.graph.creators import Graph
from features.schema import Tables
from features.state import State, build_state, engagements, spliced
from models.bundle import Bundle
from models.credit import credit_scores
from models.index import VectorIndex
from models.listing import Listing


@dataclass(frozen=True)
class Catalogue:
    """State, index, ``engaged`` (who worked for whom) and the models' scores of every creator, built at ``as_of``. In
    the ``graph`` of engagements groups are looked for when a fraud answer first asks.

    Of creators who changed since, everything knows what came until ``latest``; windows of time end at ``as_of`` for
    everyone, so that creators stay comparable.
    """

    as_of: pd.Timestamp
    latest: pd.Timestamp
    tables: Tables
    state: State
    index: VectorIndex
    engaged: pd.DataFrame
    fraud: pd.DataFrame
    credit: pd.DataFrame
    graph: Graph

    @cached_property
    def dossier(self) -> Dossier:
        """What fraud evidence is made from."""
        return Dossier(self.tables, self.as_of, self.graph)

    @cached_property
    def closed(self) -> dict[str, npt.NDArray[np.bool_]]:
        """(n,) whom the marketplace offers to nobody, by rule."""
        most = np.fmin(self.credit["max_open_orders"].to_numpy(np.float64), self.state.max_open_orders)
        return {
            "onboarding_status": ~self.state.rankable,
            "order_status": (self.credit["order_status"] == "SUSPENDED").to_numpy(bool),
            "max_open_orders": self.state.frame["open_orders"].to_numpy() >= np.where(np.isnan(most), np.inf, most),
        }

    @cached_property
    def listing(self) -> Listing:
        """What filters and sorts read."""
        return Listing.of(self.state)


def build_catalogue(bundle: Bundle, tables: Tables, as_of: pd.Timestamp, bank: TextBank) -> Catalogue:
    """Everything the release's models say of the creators in ``tables`` at ``as_of``."""
    return _scored(bundle, known(tables, as_of), as_of, as_of, bank)


def renewed(
    catalogue: Catalogue, bundle: Bundle, changed: Tables, ids: pd.Index, latest: pd.Timestamp, bank: TextBank
) -> Catalogue:
    """The catalogue after rows of the creators ``ids`` in the tables ``changed`` (whole, with history) became others.

    Equal to one of all creators with the same ``as_of`` and ``latest``, whatever the order of rows, but only these are
    computed anew, and when engagements go, those whose accounts engaged with them. Of the others, credit does not age.
    """
    seen = _seen(catalogue, changed, ids, latest)
    shared = "engagements" in changed
    concerned = ids.union(_meeting(catalogue.tables["engagements"], ids)) if shared else ids
    fresh = _scored(bundle, _own(seen, concerned), catalogue.as_of, latest, bank)
    there = catalogue.engaged[~catalogue.engaged[c.CREATOR_ID].isin(concerned)]
    engaged = pd.concat([there, fresh.engaged]).sort_values("engaged_at", kind="stable", ignore_index=True)
    state = spliced(catalogue.state, fresh.state, seen, engaged)
    state = replace(state, vectors=bundle.towers.creators(state.inputs))
    fraud, credit = (
        _replaced(old, new, state.ids)
        for old, new in ((catalogue.fraud, fresh.fraud), (catalogue.credit, fresh.credit))
    )
    graph = everyones_graph(seen, catalogue.as_of) if shared else catalogue.graph
    return Catalogue(
        catalogue.as_of, latest, seen, state, VectorIndex(state.ids, state.vectors), engaged, fraud, credit, graph
    )


def _scored(bundle: Bundle, seen: Tables, as_of: pd.Timestamp, latest: pd.Timestamp, bank: TextBank) -> Catalogue:
    """The catalogue of the creators in ``seen``, tables as they were known at ``latest``."""
    ids = pd.Index(seen["creators"][c.CREATOR_ID].unique())
    fraud = bundle.fraud.features(seen, as_of) if bundle.fraud else fraud_features(seen, as_of)
    credit = credit_scores(seen["collaboration_events"], bundle.policy, latest, ids)
    probability = bundle.fraud.predict(fraud) if bundle.fraud else np.full(len(ids), np.nan)
    upstream = pd.DataFrame({"credit_score": credit["score"], "fraud_probability": probability}, index=ids)
    state = build_state(seen, as_of, bank, bundle.idf, upstream)
    state = replace(state, vectors=bundle.towers.creators(state.inputs))
    index = VectorIndex(state.ids, state.vectors)
    return Catalogue(as_of, latest, seen, state, index, engagements(seen), fraud, credit, everyones_graph(seen, as_of))


def _seen(catalogue: Catalogue, changed: Tables, ids: pd.Index, latest: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The catalogue's tables with what is known of ``ids`` by ``latest`` in those that ``changed``."""
    theirs = {name: frame[frame[c.CREATOR_ID].isin(ids)] for name, frame in changed.items()}
    fresh = known(theirs, latest, latest)
    others = {name: catalogue.tables[name] for name in changed}
    others = {name: frame[~frame[c.CREATOR_ID].isin(ids)] for name, frame in others.items()}
    return {**catalogue.tables} | {
        name: pd.concat([frame, fresh[name]], ignore_index=True) for name, frame in others.items()
    }


def _own(seen: Tables, ids: pd.Index) -> Tables:
    """The rows about ``ids`` alone, with every engagement of the accounts that engaged with them, and without briefs,
    which are about no creator."""
    own = {name: frame[frame[c.CREATOR_ID].isin(ids)] for name, frame in seen.items() if c.CREATOR_ID in frame}
    everyones = seen["engagements"]
    theirs = everyones[c.ACCOUNT_ID].isin(own["engagements"][c.ACCOUNT_ID])
    return {**seen, **own, "engagements": everyones[theirs], "briefs": seen["briefs"][:0]}


def _meeting(engagements: pd.DataFrame, ids: pd.Index) -> pd.Index:
    """The creators with whom accounts engaged that engaged with ``ids``."""
    accounts = engagements.loc[engagements[c.CREATOR_ID].isin(ids), c.ACCOUNT_ID]
    return pd.Index(engagements.loc[engagements[c.ACCOUNT_ID].isin(accounts), c.CREATOR_ID].unique())


def _replaced(old: pd.DataFrame, fresh: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    return pd.concat([old[~old.index.isin(fresh.index)], fresh]).loc[ids]
