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
from features.schema import Tables
from features.state import State, build_state, engagements, spliced
from models.bundle import Bundle
from models.credit import credit_scores
from models.dealings import dealings
from models.exclusivity import Rivals
from models.index import VectorIndex
from models.listing import Listing

LAID_OUT = {
    "creators": (
        c.CREATOR_ID, c.COUNTRY_CODE, c.LANGUAGE, c.ONBOARDING_STATUS, c.MAX_OPEN_ORDERS, c.CREATOR_PRICE, c.CURRENCY,
        c.CONTENT_LABELS, c.CONTENT_STYLES, c.CONTENT_FORMATS,
    ),
    "audience": (c.CREATOR_ID, c.DIMENSION, c.BUCKET, c.SHARE),
    "creator_prices": (c.CREATOR_ID, c.CONTENT_FORMAT, c.AMOUNT, c.CURRENCY),
    "exchange_rates": (c.CURRENCY, c.DATE, c.USD),
    "briefs": (c.BRIEF_ID, c.BRAND_ID),
    "impressions": (c.BRIEF_ID, c.CREATOR_ID, c.POSITION, c.OUTCOME),
}  # fmt: skip
"""What is laid out over all creators at once when some of them change: the tables and columns that are kept for it."""

WRITTEN = ("creators", "audience")
"""Those of them that writes add to."""


@dataclass(frozen=True)
class Catalogue:
    """State, index, ``engaged`` (who worked for whom), the models' scores of every creator, their ``dealings``
    (:func:`models.dealings.dealings`) and who works for whose ``rivals``, built at ``as_of`` from ``tables``.

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
    dealings: pd.DataFrame
    rivals: Rivals

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

    def served(self) -> "Catalogue":
        """With no more of its tables than it needs to follow writes (:data:`LAID_OUT`)."""
        return replace(self, tables={name: self.tables[name][[*columns]] for name, columns in LAID_OUT.items()})


def build_catalogue(bundle: Bundle, tables: Tables, as_of: pd.Timestamp, bank: TextBank) -> Catalogue:
    """Everything the release's models say of the creators in ``tables`` at ``as_of``."""
    return _scored(bundle, known(tables, as_of), as_of, as_of, bank)


def renewed(
    catalogue: Catalogue, bundle: Bundle, own: Tables, ids: pd.Index, latest: pd.Timestamp, bank: TextBank
) -> Catalogue:
    """The ``served`` catalogue after rows about the creators ``ids`` became ``own`` (:func:`features.source.about`),
    known at ``latest``; who has no row in its ``creators`` is gone.

    Equal to one of all creators with the same ``as_of`` and ``latest``, whatever the order of rows, but only these are
    computed anew; whom others' engagements tell of has to be among them. Of the others, credit does not age.
    """
    seen = _laid_out(catalogue, own, ids)
    fresh = _scored(bundle, own, catalogue.as_of, latest, bank)
    there = catalogue.engaged[~catalogue.engaged[c.CREATOR_ID].isin(ids)]
    engaged = pd.concat([there, fresh.engaged]).sort_values("engaged_at", kind="stable", ignore_index=True)
    state = spliced(catalogue.state, fresh.state, seen, engaged)
    state = replace(state, vectors=bundle.towers.creators(state.inputs))
    fraud, credit, dealt = (
        _replaced(old, new, state.ids)
        for old, new in (
            (catalogue.fraud, fresh.fraud),
            (catalogue.credit, fresh.credit),
            (catalogue.dealings, fresh.dealings),
        )
    )
    rivals = catalogue.rivals.renewed(fresh.rivals, ids, latest)
    index = VectorIndex(state.ids, state.vectors)
    return Catalogue(catalogue.as_of, latest, seen, state, index, engaged, fraud, credit, dealt, rivals)


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
    dealt, rivals = dealings(seen, state.frame["price_usd"], latest), Rivals.of(seen, latest)
    return Catalogue(as_of, latest, seen, state, index, engagements(seen), fraud, credit, dealt, rivals)


def _laid_out(catalogue: Catalogue, own: Tables, ids: pd.Index) -> dict[str, pd.DataFrame]:
    """The catalogue's tables with the rows ``own`` of ``ids`` in the place of theirs; in tables that writes do not add
    to, only who is gone leaves, so that sums over all rows stay as they are, to the bit."""
    gone = ids.difference(pd.Index(own["creators"][c.CREATOR_ID]))
    left = {name: _without(frame, ids if name in WRITTEN else gone) for name, frame in catalogue.tables.items()}
    written = {name: pd.concat([left[name], own[name][[*LAID_OUT[name]]]], ignore_index=True) for name in WRITTEN}
    return left | written | {"creators": _in_place(written["creators"], catalogue.state.ids)}


def _in_place(creators: pd.DataFrame, before: pd.Index) -> pd.DataFrame:
    """The rows, one for each creator, in the order ``before``; new creators come last."""
    place = before.get_indexer(creators[c.CREATOR_ID])
    return creators.iloc[np.argsort(np.where(place < 0, len(before), place), kind="stable")].reset_index(drop=True)


def _without(frame: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    if c.CREATOR_ID not in frame or ids.empty:
        return frame
    return frame[~frame[c.CREATOR_ID].isin(ids)].reset_index(drop=True)


def _replaced(old: pd.DataFrame, fresh: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    return pd.concat([old[~old.index.isin(fresh.index)], fresh]).loc[ids]
