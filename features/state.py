"""The catalogue as of a date, laid out for scoring a brief against thousands of creators at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from features import columns as c
from features.asof import known_at
from features.audience import shares
from features.bank import Floats, TextBank, groups_of, unit
from features.briefs import description_texts, rebuilt_brief, reference_texts
from features.collaborations import collaborations
from features.creators import creator_features
from features.inputs import creator_inputs
from features.interest import Interest, build_interest
from features.lexical import tfidf
from features.money import latest_rates
from features.prices import Prices, build_prices
from features.schema import COLLABORATION_EVENTS, Tables
from features.text import creator_texts
from features.vocabulary import AUDIENCE_DIMENSIONS, NEVER_RANKED

UPSTREAM = ("credit_score", "fraud_probability")


@dataclass(frozen=True)
class Tags:
    """Multi-hot tags of the creators: ``matrix`` (n, t) with a column per word, rows of length 1."""

    columns: dict[str, int]
    matrix: sparse.csr_matrix

    @classmethod
    def of(cls, lists: Sequence[list[str]]) -> "Tags":
        """The tags of each creator, compared without regard to case."""
        groups = [sorted({word.lower() for word in words}) for words in lists]
        columns = {word: i for i, word in enumerate(sorted({word for group in groups for word in group}))}
        rows = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        values = np.repeat([1 / np.sqrt(max(len(group), 1)) for group in groups], [len(group) for group in groups])
        where = [columns[word] for group in groups for word in group]
        return cls(columns, sparse.csr_matrix((values, (rows, where)), (len(groups), len(columns))))

    def cosine(self, words: Sequence[str], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """(k,) cosine between the tags of the creators in ``rows`` and ``words``; NaN when no word is asked for."""
        wanted = {word.lower() for word in words}
        if not wanted:
            return np.full(len(rows), np.nan)
        hits = [self.columns[word] for word in wanted if word in self.columns]
        return np.asarray(self.matrix[rows][:, hits].sum(axis=1)).ravel() / np.sqrt(len(wanted))


@dataclass(frozen=True)
class Words:
    """A word of each of n creators, in lower case: its place (n,) among ``words``, -1 where there is none."""

    words: list[str]
    places: npt.NDArray[np.int64]

    @classmethod
    def of(cls, column: "pd.Series[str]") -> "Words":
        """Each different word once."""
        places, words = pd.factorize(column.str.lower())
        return cls(list(words), places)


@dataclass(frozen=True)
class Brands:
    """Brands by whom they have hired: ``partners`` (n, b) 1 where a creator has worked for a brand, ``tastes`` (b, t)
    how far its creators' labels differ from everyone's ``usual`` (t,) ones, of length 1."""

    ids: pd.Index
    partners: sparse.csr_matrix
    tastes: Floats
    usual: Floats

    @classmethod
    def of(cls, engaged: pd.DataFrame, ids: pd.Index, labels: Tags) -> "Brands":
        """The brands of ``engaged`` (:func:`engagements`) over the creators ``ids``."""
        brands = pd.Index(sorted(engaged[c.BRAND_ID].dropna().unique()), dtype="str")
        partners = _partners(engaged, c.BRAND_ID, brands, ids)
        usual = np.asarray(labels.matrix.mean(axis=0)).ravel() if len(ids) else np.zeros(labels.matrix.shape[1])
        tastes = taste((partners.T.tocsr() @ labels.matrix).toarray(), usual)
        return cls(brands, partners, tastes, usual.astype(np.float32))


def taste(sums: npt.NDArray[np.floating], usual: npt.NDArray[np.floating]) -> Floats:
    """(b, t) unit vectors: the shares of labels in ``sums`` (b, t) less the ``usual`` ones (t,); zero without any."""
    totals = sums.sum(axis=1, keepdims=True)
    shares = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
    return unit((shares - usual / max(usual.sum(), 1e-12)) * (totals > 0))


@dataclass(frozen=True)
class State:
    """Creators in the order of ``ids``; everything else is aligned with it and known at ``as_of``.

    ``text`` (n, d) unit embeddings; ``terms`` (n, BUCKETS) TF-IDF; ``inputs`` (n, p) what the creator tower reads and
    ``vectors`` (n, 64) what it makes of them; ``briefs`` (m, BUCKETS) TF-IDF of the briefs known by then and
    ``partners`` (n, m) 1 where a creator worked for one; ``brands`` the same by brand; ``rates`` US dollars for one
    unit of a currency.
    """

    as_of: pd.Timestamp
    ids: pd.Index
    creators: pd.DataFrame
    frame: pd.DataFrame
    text: Floats
    terms: sparse.csr_matrix
    inputs: Floats
    labels: Tags
    styles: Tags
    formats: Tags
    audience: dict[str, pd.DataFrame]
    prices: Prices
    rates: Mapping[str, float]
    brief_ids: pd.Index
    briefs: sparse.csr_matrix
    partners: sparse.csr_matrix
    brands: Brands
    interest: Interest
    vectors: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @cached_property
    def languages(self) -> Words:
        """What creators write in."""
        return Words.of(self.creators[c.LANGUAGE])

    @cached_property
    def countries(self) -> Words:
        """Where they live."""
        return Words.of(self.creators[c.COUNTRY_CODE])

    @cached_property
    def rankable(self) -> npt.NDArray[np.bool_]:
        """(n,) who may be ranked at all, by onboarding status; training draws its candidates from them, too."""
        return ~self.creators[c.ONBOARDING_STATUS].isin(NEVER_RANKED).to_numpy()


def build_state(tables: Tables, as_of: pd.Timestamp, bank: TextBank, idf: Floats, upstream: pd.DataFrame) -> State:
    """The state of all creators in ``tables``, which must be known at ``as_of``.

    ``upstream`` is indexed by creator_id with the columns UPSTREAM, null where unknown.
    """
    ids = pd.Index(tables["creators"][c.CREATOR_ID].unique())
    creators = tables["creators"].drop_duplicates(c.CREATOR_ID, keep="last").set_index(c.CREATOR_ID).reindex(ids)
    text, counts = bank.pooled(groups_of(creator_texts(tables), ids))
    brief_ids, briefs = _brief_terms(tables, as_of, bank, idf)
    return State(
        as_of=as_of,
        ids=ids,
        creators=creators,
        frame=creator_features(tables, ids, as_of).join(upstream.reindex(columns=list(UPSTREAM))),
        text=text,
        terms=tfidf(counts, idf),
        inputs=creator_inputs(tables, ids, text),
        rates=latest_rates(tables["exchange_rates"], as_of),
        brief_ids=brief_ids,
        briefs=briefs,
        **_together(tables, creators, engagements(tables), brief_ids, as_of),
    )


def spliced(state: State, fresh: State, tables: Tables, engaged: pd.DataFrame) -> State:
    """``state`` with ``fresh`` in the place of what it has of the same creators: those of ``tables``, in their order.

    Equal to a state of all ``tables`` (known then; ``engaged`` their :func:`engagements`) but for ``vectors``, which
    stay; ``fresh`` is one of the changed creators' own rows.
    """
    ids = pd.Index(tables["creators"][c.CREATOR_ID].unique())
    old, new = state.ids.get_indexer(ids), fresh.ids.get_indexer(ids)
    rows = np.where(new < 0, old, len(state.ids) + new)
    creators = pd.concat([state.creators, fresh.creators]).iloc[rows]
    return replace(
        state,
        ids=ids,
        creators=creators,
        frame=pd.concat([state.frame, fresh.frame]).iloc[rows],
        text=np.vstack([state.text, fresh.text])[rows],
        terms=sparse.csr_matrix(sparse.vstack([state.terms, fresh.terms], format="csr")[rows]),
        inputs=np.vstack([state.inputs, fresh.inputs])[rows],
        **_together(tables, creators, engaged, state.brief_ids, state.as_of),
    )


def _together(
    tables: Tables, creators: pd.DataFrame, engaged: pd.DataFrame, brief_ids: pd.Index, as_of: pd.Timestamp
) -> dict[str, Any]:
    """The parts of a state that are laid out over all creators at once."""
    ids = creators.index
    labels = Tags.of(list(creators[c.CONTENT_LABELS]))
    return {
        "labels": labels,
        "styles": Tags.of(list(creators[c.CONTENT_STYLES])),
        "formats": Tags.of(list(creators[c.CONTENT_FORMATS])),
        "audience": {dimension: shares(tables["audience"], ids, dimension) for dimension in AUDIENCE_DIMENSIONS},
        "prices": build_prices(tables, creators, as_of),
        "partners": _partners(engaged, c.BRIEF_ID, brief_ids, ids),
        "brands": Brands.of(engaged, ids, labels),
        "interest": build_interest(tables, ids),
    }


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
