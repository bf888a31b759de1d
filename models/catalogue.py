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
from features.queries import History, Query, histories
from features.recent import Recent
from features.schema import Tables
from features.state import State, World, build_state, engagements
from models.bitmaps import Bits, count, packed
from models.bundle import Bundle
from models.credit import credit_scores
from models.dealings import dealings
from models.exclusivity import Rivals
from models.filters import Removed
from models.index import VectorIndex
from models.listing import Listing
from models.retriever import Favourites
from models.towers import Towers

AT_A_TIME = 50_000  # creators
KINDS = {"score": np.float64, "stars": np.int64, "band": object, "order_status": object}
FEW = 200  # creators are looked up one by one in less than what it takes to look them up together
MOST_READINGS = 64  # of two to four megabytes
MOST_HISTORIES = range(64, 1024)  # as many as are HISTORY_BYTES: each has two numbers for every brand
HISTORY_BYTES = 64_000_000
Rows = npt.NDArray[np.int64]
Edition = tuple[str, int]
SHARED = {"exchange_rates": (c.CURRENCY, c.DATE, c.USD), "briefs": (c.BRIEF_ID, c.BRAND_ID, c.INDUSTRY)}
"""What is about no creator and is read for each."""


@dataclass(frozen=True)
class Reading:
    """A ``brief`` that was read against a part of the catalogue, with its brand's ``history``: its ``query``, and whom
    that speaks for."""

    brief: pd.Series
    history: History
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
    was about a creator, ``moved`` the brands who had hired one of these.
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
    moved: frozenset[str] = frozenset()

    @cached_property
    def readings(self) -> Recent[Reading]:
        """Briefs that were read against this part lately, by the ``id`` of the brief and of its brand's history, which
        stay their own as they are kept."""
        return Recent(MOST_READINGS)

    @cached_property
    def histories(self) -> Recent[list[History]]:
        """By brand_id what brands who asked lately had done by ``latest``, held against each part."""
        fit = HISTORY_BYTES // (16 * max(len(self.state.world.brand_ids), 1))
        return Recent(min(max(fit, MOST_HISTORIES.start), MOST_HISTORIES.stop))

    def history(self, brand_id: str, part: "Catalogue") -> History:
        """What a brand had done by ``latest``, held against one of the parts."""
        among = [(one.state, one.gone) for one in self.parts]
        first, *rest = self.histories.get(brand_id, lambda: histories(brand_id, self.engaged, self.latest, among))
        return first if part is self else rest[0] if rest else first.elsewhere

    @cached_property
    def bound(self) -> Recent[Rows]:
        """By brand_id and industry, those last asked for, the rows of who works for the brand's competitors."""
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
    def closed_bits(self) -> dict[str, Bits]:
        """:attr:`closed` as bits."""
        return {name: packed(rule) for name, rule in self.closed.items()}

    @cached_property
    def standing(self) -> dict[str, npt.NDArray[Any]]:
        """Of each creator what a ranked list shows of its credit, by column: score, stars, band and order status."""
        return {name: self.credit[name].to_numpy(KINDS[name]) for name in KINDS}

    @cached_property
    def open(self) -> tuple[Bits, list[Removed]]:
        """Who is neither gone nor :attr:`closed`, and how many each rule removes of those before it."""
        left, removed = packed(~self.gone), list[Removed]()
        for name, rule in self.closed_bits.items():
            removed.append(Removed(filter=name, removed=count(left & rule), unknown=0))
            left &= ~rule
        return left, [one for one in removed if one["removed"]]

    @cached_property
    def listing(self) -> Listing:
        """What filters and sorts read."""
        return Listing.of(self.state)

    def served(self) -> "Catalogue":
        """With no more of its tables than it needs to follow writes."""
        return replace(self, tables={name: self.tables[name][[*columns]] for name, columns in SHARED.items()})


def build_catalogue(bundle: Bundle, tables: Tables, as_of: pd.Timestamp, bank: TextBank) -> Catalogue:
    """Everything the release's models say of the creators in ``tables`` at ``as_of``."""
    return scored(bundle, known(tables, as_of), as_of, as_of, bank)


def scored(
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
