"""A brief as features read it: what it says, and what its brand's earlier choices say of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from features import columns as c
from features.bank import Floats, TextBank, unit
from features.briefs import description_texts, names, reference_texts, without
from features.inputs import BRIEF_KINDS, brief_inputs
from features.lexical import buckets, term_counts, tfidf, words
from features.picked import Picked
from features.state import State, taste

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
SAID = (c.TITLE, c.DESCRIPTION, c.REFERENCE_CAPTIONS, *dict.fromkeys(BRIEF_KINDS.values()))  # what Wording reads


@dataclass(frozen=True)
class Wording:
    """What a brief says, whoever it is held against: unit embeddings of its ``text`` and ``reference`` (d,), its
    ``terms`` (1, B) in TF-IDF, and the ``inputs`` (q,) of the brief tower."""

    text: Floats
    reference: Floats
    terms: sparse.csr_matrix
    inputs: Floats


@dataclass(frozen=True)
class Past:
    """What a brand's earlier choices say, over however many states its creators are spread.

    The mean of their ``labels`` (t,), ``text`` (d,) and ``terms`` (1, B), both of length 1, and of their ``size`` (ln
    of followers + 1), zeros or NaN without any; by brand of the world (b,) how alike it is in ``tastes`` and how many
    of its ``partners`` are the same (cosine of sets), 0 for this very brand.
    """

    jobs: int
    labels: Values
    text: Floats
    terms: sparse.csr_matrix
    size: float
    tastes: Values
    partners: Values


@dataclass(frozen=True)
class History:
    """What a brand has done before a date, held against a state: the rows of the creators it has hired (``past``, once
    per job), of those who ``failed`` it, and what they all say of the ``brand``, in whichever state they are."""

    past: Rows
    failed: Rows
    brand: Past

    @cached_property
    def elsewhere(self) -> "History":
        """The same held against a state that has none of these creators."""
        return replace(self, past=self.past[:0], failed=self.failed[:0])


@dataclass(frozen=True)
class Query:
    """A brief read at ``as_of`` against a state: what its :class:`Wording` holds (``terms`` as (B,), and which of them
    it has as ``words`` (w,), sorted), the brief tower's ``vector`` (64,), the rows of the creators its ``brand`` has
    worked with (``past``, once per job) and failed with, their ``brand_terms`` (B,), the budget per creator, and by row
    what creators bid (``bids``), both in US dollars."""

    brief: Mapping[str, Any]
    text: Floats
    reference: Floats
    terms: Floats
    words: Rows
    inputs: Floats
    past: Rows
    failed: Rows
    brand: Past
    brand_terms: Floats
    budget: float
    bids: Mapping[int, float]
    vector: Floats = field(default_factory=lambda: np.zeros(0, np.float32))


def wording(brief: pd.Series, bank: TextBank, idf: Floats) -> Wording:
    """What the brief says; the bank remembers it of recent briefs, which are asked about again with other filters."""
    told = (brief[name] for name in SAID)
    said = tuple(tuple(one) if isinstance(one, list) else one if isinstance(one, str) else None for one in told)
    _, found = bank.recent.get((id(idf), said), lambda: (idf, _read(brief, bank, idf)))  # kept, its id stays its own
    return found


def _read(brief: pd.Series, bank: TextBank, idf: Floats) -> Wording:
    unheard = _unheard(brief, idf)
    described = [text for text in (without(text, unheard) for text in description_texts(brief)) if text]
    referred = reference_texts(brief)
    vectors = bank.vectors([described, referred])
    terms = tfidf(term_counts(["\n".join([*described, *referred, *brief[c.CONTENT_LABELS]])]), idf)
    told = {name: [brief[name]] for name in BRIEF_KINDS.values()}
    inputs = brief_inputs(told, unit(vectors[:1] + vectors[1:]))[0]
    return Wording(vectors[0], vectors[1], terms, inputs)


def build_query(
    brief: pd.Series, state: State, bank: TextBank, idf: Floats, engaged: pd.DataFrame, as_of: pd.Timestamp,
    bids: Mapping[str, float] | None = None,
) -> Query:  # fmt: skip
    """The query of one brief against the ``state`` of all creators, see :func:`histories` and :func:`read_query`."""
    [history] = histories(brief[c.BRAND_ID], engaged, as_of, [(state, np.zeros(len(state.ids), bool))])
    return read_query(brief, state, bank, idf, history, bids)


def read_query(
    brief: pd.Series, state: State, bank: TextBank, idf: Floats, history: History,
    bids: Mapping[str, float] | None = None,
) -> Query:  # fmt: skip
    """The query of one brief, whose brand has this ``history`` against the ``state``; ``bids`` replace prices, in US
    dollars by creator_id."""
    said = wording(brief, bank, idf)
    wanted = brief[c.CREATORS_WANTED]
    budget = brief[c.BUDGET] * state.rates.get(brief[c.CURRENCY], np.nan)
    bidders = zip(state.ids.get_indexer(list(bids)), bids.values(), strict=True) if bids else ()
    return Query(
        brief=brief.to_dict(),
        text=said.text,
        reference=said.reference,
        terms=said.terms.toarray().ravel(),
        words=np.sort(said.terms.indices),
        inputs=said.inputs,
        past=history.past,
        failed=history.failed,
        brand=history.brand,
        brand_terms=history.brand.terms.toarray().ravel(),
        budget=float(budget) / (wanted if wanted > 0 else 1.0),
        bids={int(row): amount for row, amount in bidders if row >= 0},
    )


def histories(
    brand_id: object, engaged: pd.DataFrame, as_of: pd.Timestamp, among: Sequence[tuple[State, npt.NDArray[np.bool_]]]
) -> list[History]:
    """What a brand has done strictly before ``as_of`` by ``engaged`` (:func:`features.state.engagements`), held against
    each of the states ``among`` which creators are spread, with who is gone (n,) from each."""
    before = ((engaged[c.BRAND_ID] == brand_id) & (engaged["engaged_at"] < as_of)).to_numpy()
    hired = pd.Index(engaged[c.CREATOR_ID].array[before])
    failed = engaged["failed_at"].to_numpy()[before] < as_of.to_datetime64()
    brand = past_of(brand_id, hired, among)
    rows = [state.ids.get_indexer(hired) for state, _ in among]
    return [History(one[one >= 0], one[failed & (one >= 0)], brand) for one in rows]


def place_of(key: object, index: pd.Index) -> int:
    """Where ``key`` stands among the distinct keys of ``index``, -1 where it does not."""
    return int(index.get_loc(key)) if key in index else -1


def past_of(brand_id: object, hired: pd.Index, among: Sequence[tuple[State, npt.NDArray[np.bool_]]]) -> Past:
    """What the creators ``hired``, once per job, say of a brand; each of them is there in one state at most."""
    first, _ = among[0]
    world, width = first.world, len(first.world.columns)
    places = [(state, gone, state.ids.get_indexer(hired)) for state, gone in among]
    found = [(state, rows[(rows >= 0) & ~gone[rows]]) for state, gone, rows in places if (rows >= 0).any()]
    jobs = sum(len(rows) for _, rows in found)
    if not jobs:
        return _no_past(first)
    once = [(state, np.unique(rows)) for state, rows in found]
    sums, labels = (_sums(one, lambda state, rows: _labels(state, rows, width)) for one in (found, once))
    sizes = [np.log1p(state.frame["followers_count"].to_numpy()[rows]) for state, rows in found]
    known = np.concatenate(sizes)
    shared = _sums(once, lambda state, rows: Picked(state.hired, rows).sums())
    others = place_of(brand_id, world.brand_ids) != np.arange(len(world.brand_ids))
    union = np.sqrt(world.sizes * sum(len(rows) for _, rows in once))
    terms = unit(_sums(found, lambda state, rows: Picked(state.terms, rows).sums()).astype(np.float32))
    told = np.flatnonzero(terms != 0)
    return Past(
        jobs=jobs,
        labels=sums / jobs,
        text=unit(_sums(found, lambda state, rows: state.text[rows].sum(axis=0)).astype(np.float32)),
        terms=sparse.csr_matrix((terms[told], told, [0, len(told)]), (1, len(terms))),
        size=float(np.nanmean(known)) if (~np.isnan(known)).any() else np.nan,
        tastes=np.maximum(world.tastes @ taste(labels[None], world.usual)[0], 0) * others,
        partners=np.divide(shared, union, out=np.zeros(len(union)), where=union > 0) * others,
    )


def _no_past(state: State) -> Past:
    nobody = state.world.nobody
    terms = sparse.csr_matrix((1, 0), dtype=np.float32)  # nobody reads them
    return Past(0, np.zeros(0), np.zeros(state.text.shape[1], np.float32), terms, np.nan, nobody, nobody)


def _labels(state: State, rows: Rows, width: int) -> npt.NDArray[np.floating]:
    """(width,) sums of the labels that the world knows."""
    return state.labels.picked(rows).sums()[:width]


def _sums(
    found: Sequence[tuple[State, Rows]], of: Callable[[State, Rows], npt.NDArray[np.floating]]
) -> npt.NDArray[np.floating]:
    """The sum over the states and rows ``found``, of which there is one at least."""
    return reduce(np.add, (of(state, rows) for state, rows in found))


def _unheard(brief: pd.Series, idf: Floats) -> list[str]:
    """Names in the brief that no text trained on has: an encoder reads into them what they happen to sound like."""
    return [name for name in names(brief) if not idf[buckets(words(name))].any()]
