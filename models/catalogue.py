"""The creators being served: their state, vectors in FAISS, and what filters read. Renewed aside and swapped whole."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.asof import known
from features.bank import Floats, TextBank
from features.fraud import fraud_features
from features.inputs import creator_inputs
from features.queries import Query
from features.recent import Recent
from features.schema import Tables
from features.state import State, World, build_state, engagements, spliced
from models.bitmaps import Bits, packed
from models.bundle import Bundle
from models.credit import credit_scores
from models.dealings import dealings
from models.exclusivity import Rivals
from models.filters import Removed
from models.index import VectorIndex
from models.listing import Listing
from models.retriever import Favourites
from models.towers import Towers

LAID_OUT = {
    "creators": (
        c.CREATOR_ID, c.COUNTRY_CODE, c.LANGUAGE, c.ONBOARDING_STATUS, c.MAX_OPEN_ORDERS, c.CREATOR_PRICE, c.CURRENCY,
        c.CONTENT_LABELS, c.CONTENT_STYLES, c.CONTENT_FORMATS,
    ),
    "audience": (c.CREATOR_ID, c.DIMENSION, c.BUCKET, c.SHARE),
    "creator_prices": (c.CREATOR_ID, c.CONTENT_FORMAT, c.AMOUNT, c.CURRENCY),
    "impressions": (c.BRIEF_ID, c.CREATOR_ID, c.POSITION, c.OUTCOME),
}  # fmt: skip
"""What is laid out over all recent creators at once when some of them change: the columns that are kept for it."""
AT_A_TIME = 50_000  # creators
DERIVED = ("closed", "listing", "standing")  # from what no write changes: of a million it takes a tenth of a second
KINDS = {"score": np.float64, "stars": np.int64, "band": object, "order_status": object}
FEW = 200  # creators are looked up one by one in less than what it takes to look them up together
MOST_READINGS = 64  # of some two megabytes
Rows = npt.NDArray[np.int64]
Edition = tuple[str, int]
SHARED = {"exchange_rates": (c.CURRENCY, c.DATE, c.USD), "briefs": (c.BRIEF_ID, c.BRAND_ID, c.INDUSTRY)}
"""What is about no creator and is read for each."""


@dataclass(frozen=True)
class Reading:
    """A ``brief`` that was read against a part of the catalogue: its ``query``, and whom that speaks for."""

    brief: pd.Series
    query: Query
    favourites: Favourites


@dataclass(frozen=True)
class Catalogue:
    """State, index, ``engaged`` (who worked for whom), the models' scores of every creator, their ``dealings``
    (:func:`models.dealings.dealings`) and who works for whose ``rivals``, built at ``as_of`` from ``tables``.

    What was built never changes: the rows of creators who changed since are ``gone`` (n,), and a small catalogue of
    their own, ``recent``, has them instead (as the segments of Lucene do). It knows what came until ``latest``, as
    ``engaged`` and ``rivals`` do; windows of time end at ``as_of`` for everyone, so that creators stay comparable, and
    it reads the world as it was learned then. Every write makes another ``edition``; ``changes`` tell the last one that
    was about a creator.
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
    gone: npt.NDArray[np.bool_]
    recent: "Catalogue | None" = None
    edition: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def readings(self) -> Recent[Reading]:
        """Briefs that were read against this part lately, by their ``id``, which stays their own as they are kept."""
        return Recent(MOST_READINGS)

    @cached_property
    def bound(self) -> Recent[tuple[pd.Series, Rows]]:
        """By the ``id`` of a recent brief: the brief, and the rows of who works for its brand's competitors."""
        return Recent(MOST_READINGS)

    @property
    def parts(self) -> tuple["Catalogue", ...]:
        """Itself and the recent creators: everyone who is there is in one of them."""
        return (self, self.recent) if self.recent else (self,)

    @cached_property
    def size(self) -> int:
        """How many creators are there."""
        return sum(int(np.count_nonzero(~part.gone)) for part in self.parts)

    @property
    def changed(self) -> int:
        """How many creators have changed since it was built."""
        return max(int(np.count_nonzero(self.gone)), len(self.recent.state.ids) if self.recent else 0)

    def editions_of(self, creator_ids: Iterable[str]) -> list[Edition]:
        """Each creator and since when it is as it is: what was made of its rows holds while this stays the same."""
        return [(creator_id, self.changes.get(creator_id, 0)) for creator_id in creator_ids]

    def rows_of(self, creator_ids: Collection[str]) -> npt.NDArray[np.int64]:
        """The rows of creators in this part, -1 for who is not in it (any more)."""
        if not len(creator_ids):
            return np.zeros(0, np.int64)
        rows = self._places(creator_ids)
        return np.where((rows >= 0) & ~self.gone[rows], rows, -1) if len(self.gone) else rows

    def _places(self, creator_ids: Collection[str]) -> Rows:
        ids = self.state.ids
        if len(creator_ids) > FEW:
            return ids.get_indexer(list(creator_ids)).astype(np.int64)
        return np.array([ids.get_loc(one) if one in ids else -1 for one in creator_ids], np.int64)

    def missing(self, creator_ids: Sequence[str]) -> list[str]:
        """Those of the ids that no part has."""
        there = np.any([part.rows_of(creator_ids) >= 0 for part in self.parts], axis=0)
        return [one for one, known in zip(creator_ids, there, strict=True) if not known]

    def of(self, frame: Callable[["Catalogue"], pd.DataFrame], creator_ids: Sequence[str]) -> pd.DataFrame:
        """The rows of a frame of the parts about creators who are there, in the order of their ids."""
        found = [(part, part.rows_of(creator_ids)) for part in self.parts]
        return pd.concat([frame(part).iloc[rows[rows >= 0]] for part, rows in found]).loc[list(creator_ids)]

    def everyone(self, frame: Callable[["Catalogue"], pd.DataFrame]) -> pd.DataFrame:
        """The rows of a frame of the parts about everyone who is there."""
        whole = [frame(part) if not part.gone.any() else frame(part)[~part.gone] for part in self.parts]
        return pd.concat(whole) if len(whole) > 1 else whole[0]

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
    def standing(self) -> dict[str, npt.NDArray[Any]]:
        """Of each creator what a ranked list shows of its credit, by column: score, stars, band and order status."""
        return {name: self.credit[name].to_numpy(KINDS[name]) for name in KINDS}

    @cached_property
    def open(self) -> tuple[Bits, list[Removed]]:
        """Who is neither gone nor :attr:`closed`, and how many each rule removes of those before it."""
        out, removed = self.gone.copy(), list[Removed]()
        for name, rule in self.closed.items():
            removed.append(Removed(filter=name, removed=int(np.count_nonzero(rule & ~out)), unknown=0))
            out |= rule
        return packed(~out), [one for one in removed if one["removed"]]

    @cached_property
    def listing(self) -> Listing:
        """What filters and sorts read."""
        return Listing.of(self.state)

    def served(self) -> "Catalogue":
        """With no more of its tables than it needs to follow writes."""
        return replace(self, tables={name: self.tables[name][[*columns]] for name, columns in SHARED.items()})


def build_catalogue(bundle: Bundle, tables: Tables, as_of: pd.Timestamp, bank: TextBank) -> Catalogue:
    """Everything the release's models say of the creators in ``tables`` at ``as_of``."""
    return _scored(bundle, known(tables, as_of), as_of, as_of, bank)


def renewed(
    catalogue: Catalogue, bundle: Bundle, own: Tables, ids: pd.Index, latest: pd.Timestamp, bank: TextBank
) -> Catalogue:
    """The ``served`` catalogue after rows about the creators ``ids`` became ``own`` (:func:`features.source.about`),
    known at ``latest``; who has no row in its ``creators`` is gone.

    Only these are computed anew, as they would be among all creators with the same ``as_of``, ``latest`` and world;
    whom others' engagements tell of has to be among them. Of the others, credit does not age.
    """
    own = {**own, "briefs": catalogue.tables["briefs"]}
    fresh = _scored(bundle, own, catalogue.as_of, latest, bank, catalogue.state.world)
    there = catalogue.engaged[~catalogue.engaged[c.CREATOR_ID].isin(ids)]
    engaged = pd.concat([there, fresh.engaged]).sort_values("engaged_at", kind="stable", ignore_index=True)
    rivals = catalogue.rivals.renewed(fresh.rivals, ids, latest)
    recent = _spliced(catalogue.recent, fresh, ids, engaged) if catalogue.recent else fresh
    recent = replace(recent, rivals=rivals, tables={name: recent.tables[name][[*LAID_OUT[name]]] for name in LAID_OUT})
    gone, rows = catalogue.gone.copy(), catalogue.state.ids.get_indexer(ids)
    gone[rows[rows >= 0]] = True
    edition = catalogue.edition + 1
    after = replace(
        catalogue, latest=latest, engaged=engaged, rivals=rivals, gone=gone,
        recent=recent if len(recent.state.ids) else None, edition=edition,
        changes={**catalogue.changes, **dict.fromkeys(ids, edition)},
    )  # fmt: skip
    after.__dict__.update({name: catalogue.__dict__[name] for name in DERIVED if name in catalogue.__dict__})
    return after


def _spliced(recent: Catalogue, fresh: Catalogue, ids: pd.Index, engaged: pd.DataFrame) -> Catalogue:
    """The ``recent`` creators with the ``fresh`` ones in the place of ``ids``."""
    tables = {
        name: _with(recent.tables[name], fresh.tables[name][[*columns]], ids) for name, columns in LAID_OUT.items()
    }
    shared = {name: fresh.tables[name] for name in SHARED}
    state = spliced(recent.state, fresh.state, tables | shared, engaged)
    fraud, credit, dealt = (
        _replaced(old, new, state.ids)
        for old, new in (
            (recent.fraud, fresh.fraud),
            (recent.credit, fresh.credit),
            (recent.dealings, fresh.dealings),
        )
    )
    return replace(
        recent, latest=fresh.latest, tables=tables, state=state, index=VectorIndex(state.ids, state.vectors),
        engaged=engaged, fraud=fraud, credit=credit, dealings=dealt, gone=np.zeros(len(state.ids), bool),
    )  # fmt: skip


def _scored(
    bundle: Bundle, seen: Tables, as_of: pd.Timestamp, latest: pd.Timestamp, bank: TextBank,
    world: World | None = None,
) -> Catalogue:  # fmt: skip
    """The catalogue of the creators in ``seen``, tables as they were known at ``latest``, in a ``world`` of others or
    in their own."""
    ids = pd.Index(seen["creators"][c.CREATOR_ID].unique())
    read = bundle.fraud.features if bundle.fraud else fraud_features
    starts = range(0, max(len(ids), 1), AT_A_TIME)  # the days of a million at once are many gigabytes
    fraud = pd.concat([read(seen, as_of, ids[start : start + AT_A_TIME]) for start in starts])
    credit = credit_scores(seen["collaboration_events"], bundle.policy, latest, ids)
    probability = bundle.fraud.predict(fraud) if bundle.fraud else np.full(len(ids), np.nan)
    upstream = pd.DataFrame({"credit_score": credit["score"], "fraud_probability": probability}, index=ids)
    state = build_state(seen, as_of, bank, bundle.idf, upstream, world, learning=False)
    state = replace(state, vectors=_vectors(bundle.towers, seen, state))
    return Catalogue(
        as_of=as_of,
        latest=latest,
        tables=seen,
        state=state,
        index=VectorIndex(state.ids, state.vectors),
        engaged=engagements(seen),
        fraud=fraud,
        credit=credit,
        dealings=dealings(seen, state.frame["price_usd"], latest).assign(risk_score=_risk_scores(bundle, state, fraud)),
        rivals=Rivals.of(seen, latest),
        gone=np.zeros(len(ids), bool),
    )


def _risk_scores(bundle: Bundle, state: State, fraud: pd.DataFrame) -> npt.NDArray[np.float64]:
    """(n,) NaN where nothing is said of fraud."""
    if bundle.fraud is None:
        return np.full(len(fraud), np.nan)
    return np.asarray(bundle.fraud.risk_scores(state.frame["fraud_probability"], fraud), np.float64)


def _vectors(towers: Towers, seen: Tables, state: State) -> Floats:
    """(n, 64) what the creator tower makes of everyone in ``seen``; its inputs, ten times as much, are made of some
    creators at a time."""
    creators, audience = (_in_order(seen[name], state.ids) for name in ("creators", "audience"))
    parts = []
    for start in range(0, len(state.ids), AT_A_TIME):
        ids = state.ids[start : start + AT_A_TIME]
        some = {"creators": _slice(*creators, start, len(ids)), "audience": _slice(*audience, start, len(ids))}
        parts.append(towers.creators(creator_inputs(some, ids, state.text[start : start + AT_A_TIME])))
    return np.vstack(parts) if parts else np.zeros((0, towers.creator.shape[1]), np.float32)


def _in_order(frame: pd.DataFrame, ids: pd.Index) -> tuple[pd.DataFrame, Rows]:
    """The rows in the order of ``ids``, and the place of each."""
    places = ids.get_indexer(frame[c.CREATOR_ID])
    if (np.diff(places) < 0).any():
        order = np.argsort(places, kind="stable")
        frame, places = frame.iloc[order], places[order]
    return frame, places


def _slice(frame: pd.DataFrame, places: Rows, start: int, size: int) -> pd.DataFrame:
    """The rows of ``size`` creators from the one at ``start``."""
    return frame.iloc[slice(*np.searchsorted(places, [start, start + size]))]


def _with(stored: pd.DataFrame, rows: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    return pd.concat([stored[~stored[c.CREATOR_ID].isin(ids)], rows], ignore_index=True)


def _replaced(old: pd.DataFrame, fresh: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    return pd.concat([old[~old.index.isin(fresh.index)], fresh]).loc[ids]
