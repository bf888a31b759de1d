"""The catalogue as of a date, laid out for scoring a brief against thousands of creators at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from features import columns as c
from features.asof import known_at
from features.audience import Shares, shares
from features.bank import Floats, TextBank, groups_of, unit
from features.briefs import description_texts, rebuilt_brief, reference_texts
from features.collaborations import collaborations
from features.creators import creator_features
from features.inputs import creator_inputs
from features.interest import Interest, Positions, build_interest
from features.lexical import Champions, tfidf
from features.money import latest_rates
from features.prices import Prices, build_prices
from features.schema import COLLABORATION_EVENTS, Tables
from features.tags import Lists, Tags, Words
from features.text import creator_texts
from features.vocabulary import AUDIENCE_DIMENSIONS, NEVER_RANKED

UPSTREAM = ("credit_score", "fraud_probability")
LISTS = (c.CONTENT_LABELS, c.CONTENT_STYLES, c.CONTENT_FORMATS)


@dataclass(frozen=True)
class World:
    """What is learned over all creators at once, and read into the rows of each.

    ``brief_ids`` (m,) known by then with their words ``briefs`` (m, BUCKETS) in TF-IDF; ``brand_ids`` (b,) of who has
    hired, how many creators each (``sizes`` (b,)) and its ``tastes`` (b, t): how far their labels differ from
    everyone's ``usual`` (t,) ones, of length 1; ``columns`` is label → its place there; ``positions`` what places alone
    explain.
    """

    brief_ids: pd.Index
    briefs: sparse.csr_matrix
    brand_ids: pd.Index
    sizes: npt.NDArray[np.float64]
    tastes: Floats
    usual: Floats
    columns: Mapping[str, int]
    positions: Positions

    @cached_property
    def nobody(self) -> npt.NDArray[np.float64]:
        """(b,) zeros: no brand resembles one of whom nothing is known. One array for all of these."""
        return np.zeros(len(self.brand_ids))


def build_world(tables: Tables, as_of: pd.Timestamp, bank: TextBank, idf: Floats) -> World:
    """What is learned over all creators in ``tables``, which must be known at ``as_of``."""
    brief_ids, briefs = _brief_terms(tables, as_of, bank, idf)
    engaged = engagements(tables)
    brand_ids = pd.Index(sorted(engaged[c.BRAND_ID].dropna().unique()), dtype="str")
    creators = _creators(tables, _ids(tables))
    labels = Tags.of(list(creators[c.CONTENT_LABELS]))
    hired = _partners(engaged, c.BRAND_ID, brand_ids, creators.index)
    usual = np.asarray(labels.matrix.mean(axis=0)).ravel() if len(creators) else np.zeros(labels.matrix.shape[1])
    return World(
        brief_ids=brief_ids,
        briefs=briefs,
        brand_ids=brand_ids,
        sizes=np.bincount(hired.indices, minlength=len(brand_ids)).astype(np.float64),
        tastes=taste((hired.T.tocsr() @ labels.matrix).toarray(), usual),
        usual=usual.astype(np.float32),
        columns=labels.columns,
        positions=Positions.of(tables["impressions"]),
    )


def taste(sums: npt.NDArray[np.floating], usual: npt.NDArray[np.floating]) -> Floats:
    """(b, t) unit vectors: the shares of labels in ``sums`` (b, t) less the ``usual`` ones (t,); zero without any."""
    totals = sums.sum(axis=1, keepdims=True)
    shares = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
    return unit((shares - usual / max(usual.sum(), 1e-12)) * (totals > 0))


@dataclass(frozen=True)
class State:
    """Creators in the order of ``ids``; everything else is aligned with it and known at ``as_of``.

    ``countries``, ``languages`` and onboarding ``statuses`` are theirs as they are written, ``lists`` (by column) what
    they list, ``max_open_orders`` (n,) NaN where they name no number; ``text`` (n, d) unit embeddings; ``terms`` (n,
    BUCKETS) TF-IDF; ``inputs`` (n, p) what the creator tower reads and ``vectors`` (n, 64) what it makes of them;
    ``partners`` (n, m) 1 where a creator has worked for a brief of the ``world`` and ``hired`` (n, b) the same by
    brand; ``rates`` US dollars for one unit of a currency.
    """

    as_of: pd.Timestamp
    ids: pd.Index
    countries: Words
    languages: Words
    statuses: Words
    lists: Mapping[str, Lists]
    max_open_orders: npt.NDArray[np.float64]
    frame: pd.DataFrame
    text: Floats
    terms: sparse.csr_matrix
    inputs: Floats
    labels: Tags
    styles: Tags
    formats: Tags
    audience: Mapping[str, Shares]
    prices: Prices
    rates: Mapping[str, float]
    world: World
    partners: sparse.csr_matrix
    hired: sparse.csr_matrix
    interest: Interest
    vectors: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @cached_property
    def rankable(self) -> npt.NDArray[np.bool_]:
        """(n,) who may be ranked at all, by onboarding status; training draws its candidates from them, too."""
        return ~self.statuses.having(NEVER_RANKED.__contains__)

    @cached_property
    def workers(self) -> npt.NDArray[np.int64]:
        """The rows of the creators who have worked for a brand of the world."""
        return np.flatnonzero(np.diff(self.hired.indptr))

    @cached_property
    def champions(self) -> Champions:
        """Who has most of each word."""
        return Champions.of(self.terms)

    @cached_property
    def by_id(self) -> npt.NDArray[np.int32]:
        """(n,) each creator's place in the order of the ids, which settles ties."""
        places = np.empty(len(self.ids), np.int32)
        places[np.argsort(self.ids.to_numpy(object), kind="stable")] = np.arange(len(self.ids), dtype=np.int32)
        return places


def build_state(
    tables: Tables, as_of: pd.Timestamp, bank: TextBank, idf: Floats, upstream: pd.DataFrame,
    world: World | None = None, learning: bool = True,
) -> State:  # fmt: skip
    """The state of all creators in ``tables``, which must be known at ``as_of``.

    ``upstream`` is indexed by creator_id with the columns UPSTREAM, null where unknown. With ``world`` they are read as
    some of many, of whom all that was learned before. Who learns no towers needs no ``inputs``, which are the largest
    part by far: without ``learning`` they are left out.
    """
    world = world or build_world(tables, as_of, bank, idf)
    ids = _ids(tables)
    text, counts = bank.pooled(groups_of(creator_texts(tables), ids))
    return State(
        as_of=as_of,
        ids=ids,
        frame=solid(creator_features(tables, ids, as_of).join(upstream.reindex(columns=list(UPSTREAM)))),
        text=text,
        terms=tfidf(counts, idf),
        inputs=creator_inputs(tables, ids, text) if learning else text[:, :0],
        rates=latest_rates(tables["exchange_rates"], as_of),
        world=world,
        **_laid_out(tables, ids, engagements(tables), world, as_of),
    )


def spliced(state: State, fresh: State, tables: Tables, engaged: pd.DataFrame) -> State:
    """``state`` with ``fresh`` in the place of what it has of the same creators: those of ``tables``, in their order.

    Equal to a state of all ``tables`` (known then; ``engaged`` their :func:`engagements`) in the same world, but for
    ``inputs``; ``fresh`` is one of the changed creators' own rows.
    """
    ids = _ids(tables)
    old, new = state.ids.get_indexer(ids), fresh.ids.get_indexer(ids)
    rows = np.where(new < 0, old, len(state.ids) + new)
    return replace(
        state,
        ids=ids,
        frame=solid(pd.concat([state.frame, fresh.frame]).iloc[rows]),
        text=np.vstack([state.text, fresh.text])[rows],
        terms=sparse.csr_matrix(sparse.vstack([state.terms, fresh.terms], format="csr")[rows]),
        vectors=np.vstack([state.vectors, fresh.vectors])[rows],
        **_laid_out(tables, ids, engaged, state.world, state.as_of),
    )


def _laid_out(
    tables: Tables, ids: pd.Index, engaged: pd.DataFrame, world: World, as_of: pd.Timestamp
) -> dict[str, Any]:
    """The parts of a state that cost little to lay out anew."""
    creators = _creators(tables, ids)
    return {
        "countries": Words.of(creators[c.COUNTRY_CODE]),
        "languages": Words.of(creators[c.LANGUAGE]),
        "statuses": Words.of(creators[c.ONBOARDING_STATUS]),
        "lists": {name: Lists.of(list(creators[name])) for name in LISTS},
        "max_open_orders": creators[c.MAX_OPEN_ORDERS].to_numpy(np.float64),
        "labels": Tags.of(list(creators[c.CONTENT_LABELS]), world.columns),
        "styles": Tags.of(list(creators[c.CONTENT_STYLES])),
        "formats": Tags.of(list(creators[c.CONTENT_FORMATS])),
        "audience": {dimension: shares(tables["audience"], ids, dimension) for dimension in AUDIENCE_DIMENSIONS},
        "prices": build_prices(tables, creators, as_of),
        "partners": _partners(engaged, c.BRIEF_ID, world.brief_ids, ids),
        "hired": _partners(engaged, c.BRAND_ID, world.brand_ids, ids),
        "interest": build_interest(tables, ids, world.positions),
    }


def _ids(tables: Tables) -> pd.Index:
    return pd.Index(tables["creators"][c.CREATOR_ID].unique())


def solid(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame in one block of float64, whose rows lie together: picking some of them is one copy."""
    values = np.ascontiguousarray(frame.to_numpy(np.float64))
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)


def _creators(tables: Tables, ids: pd.Index) -> pd.DataFrame:
    """The creators' latest rows in the order of ``ids``."""
    return tables["creators"].drop_duplicates(c.CREATOR_ID, keep="last").set_index(c.CREATOR_ID).reindex(ids)


def engagements(tables: Tables) -> pd.DataFrame:
    """Who worked for whom: brand_id, brief_id, creator_id, engaged_at (accepted or completed, whichever is
    known first) and failed_at, each the time at which it became known. Sorted by engaged_at."""
    events = tables["collaboration_events"]
    done = collaborations(events.assign(**{c.EVENT_TIME: known_at(events, COLLABORATION_EVENTS)}))
    done = done.assign(engaged_at=done[["accepted_at", "completed_at"]].min(axis=1))
    keep = [c.BRAND_ID, c.BRIEF_ID, c.CREATOR_ID, "engaged_at", "failed_at"]
    return done.loc[done["engaged_at"].notna(), keep].sort_values("engaged_at", kind="stable").reset_index(drop=True)


def known_brief(tables: Tables, brief_id: str, brand_id: str, as_of: pd.Timestamp) -> pd.Series:
    """The brief's row, or, where it is not written yet at ``as_of``, one rebuilt from its events' notes before that."""
    briefs = tables["briefs"]
    row = briefs[(briefs[c.BRIEF_ID] == brief_id) & ~(briefs[c.CREATED_AT] > as_of)]
    if len(row):
        return row.iloc[0]
    events = tables["collaboration_events"]
    notes = _notes(events[events[c.BRIEF_ID] == brief_id], as_of)
    return rebuilt_brief(brief_id, brand_id, notes.get(brief_id, []), as_of)


def _notes(events: pd.DataFrame, as_of: pd.Timestamp) -> "pd.Series[object]":
    """brief_id → notes known strictly before ``as_of`` (an event's own note would give its creator away), oldest
    first."""
    before = known_at(events, COLLABORATION_EVENTS) < as_of
    events = events[before & events[c.NOTE].notna()].sort_values(c.EVENT_TIME, kind="stable")
    return events.groupby(c.BRIEF_ID)[c.NOTE].agg(list)


def _brief_terms(
    tables: Tables, as_of: pd.Timestamp, bank: TextBank, idf: Floats
) -> tuple[pd.Index, sparse.csr_matrix]:
    notes = _notes(tables["collaboration_events"], as_of)
    written = tables["briefs"][[c.BRIEF_ID, c.TITLE, c.DESCRIPTION, c.REFERENCE_CAPTIONS]].to_dict("records")
    later = notes.index.difference(tables["briefs"][c.BRIEF_ID])
    briefs = [*written, *(rebuilt_brief(brief_id, "", notes[brief_id], as_of) for brief_id in later)]
    _, counts = bank.pooled([description_texts(brief) + reference_texts(brief) for brief in briefs])
    return pd.Index([brief[c.BRIEF_ID] for brief in briefs], dtype="str"), tfidf(counts, idf)


def _partners(engaged: pd.DataFrame, key: str, keys: pd.Index, ids: pd.Index) -> sparse.csr_matrix:
    """(n, len(keys)) 1 where a creator has worked for a brief or brand, by the column ``key`` of ``engaged``."""
    rows, columns = ids.get_indexer(engaged[c.CREATOR_ID]), keys.get_indexer(engaged[key])
    known = (rows >= 0) & (columns >= 0)
    pairs = np.unique(np.stack([rows[known], columns[known]], axis=1), axis=0)
    return sparse.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (len(ids), len(keys)))
