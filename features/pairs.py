"""What the ranker sees of a brief × creator: one small function a column, (k,) values for the creators in ``rows``.

Unknown is NaN, never a guess: LightGBM routes it by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from features import columns as c
from features.audience import target_share
from features.bank import Floats, TextBank, unit
from features.briefs import description_texts, names, reference_texts, without
from features.inputs import BRIEF_KINDS, brief_inputs
from features.lexical import term_counts, tfidf
from features.state import State, taste
from features.tags import Words
from features.vocabulary import OBJECTIVES

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
SAID = (c.TITLE, c.DESCRIPTION, c.REFERENCE_CAPTIONS, *dict.fromkeys(BRIEF_KINDS.values()))  # what Wording reads
FEW = 4  # times as many rows in the catalogue make a few


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

    The mean of their ``labels`` (t,), ``text`` (d,) and ``terms`` (B,), both of length 1, and of their ``size`` (ln of
    followers + 1), zeros or NaN without any; by brand of the world (b,) how alike it is in ``tastes`` and how many of
    its ``partners`` are the same (cosine of sets), 0 for this very brand.
    """

    jobs: int
    labels: Values
    text: Floats
    terms: Floats
    size: float
    tastes: Values
    partners: Values


@dataclass(frozen=True)
class Query:
    """A brief read at ``as_of`` against a state: what its :class:`Wording` holds (``terms`` as (B,)), the brief tower's
    ``vector`` (64,), the rows of the creators its ``brand`` has worked with (``past``, once per job) and failed with,
    the budget per creator, and by row what creators bid (``bids``), both in US dollars."""

    brief: pd.Series
    text: Floats
    reference: Floats
    terms: Floats
    inputs: Floats
    past: Rows
    failed: Rows
    brand: Past
    budget: float
    bids: Mapping[int, float]
    vector: Floats = field(default_factory=lambda: np.zeros(0, np.float32))


def wording(brief: pd.Series, bank: TextBank, idf: Floats) -> Wording:
    """What the brief says; the bank remembers it of recent briefs, which are asked about again with other filters."""
    said = tuple(
        tuple(one) if isinstance(one, list) else one if isinstance(one, str) else None for one in brief[[*SAID]]
    )
    _, found = bank.recent.get((id(idf), said), lambda: (idf, _read(brief, bank, idf)))  # kept, its id stays its own
    return found


def _read(brief: pd.Series, bank: TextBank, idf: Floats) -> Wording:
    unheard = _unheard(brief, idf)
    described = [text for text in (without(text, unheard) for text in description_texts(brief)) if text]
    texts = [described, reference_texts(brief)]
    vectors, counts = bank.pooled([*texts, [*texts[0], *texts[1], " ".join(brief[c.CONTENT_LABELS])]], keep=False)
    inputs = brief_inputs(brief.to_frame().T, unit(vectors[:1] + vectors[1:2]))[0]
    return Wording(vectors[0], vectors[1], tfidf(counts[[2]], idf), inputs)


def build_query(
    brief: pd.Series, state: State, bank: TextBank, idf: Floats, engaged: pd.DataFrame, as_of: pd.Timestamp,
    bids: Mapping[str, float] | None = None, among: Sequence[tuple[State, npt.NDArray[np.bool_]]] = (),
) -> Query:  # fmt: skip
    """The query of one brief. ``engaged`` (features.state.engagements) counts strictly before ``as_of``; ``bids``
    replace prices, in US dollars by creator_id. Where ``state`` is one of several, they stand in ``among`` with who is
    gone (n,) from each."""
    said = wording(brief, bank, idf)
    before = engaged[((engaged[c.BRAND_ID] == brief[c.BRAND_ID]) & (engaged["engaged_at"] < as_of)).to_numpy()]
    rows = state.ids.get_indexer(before[c.CREATOR_ID])
    failed = rows[(before["failed_at"] < as_of).to_numpy()]
    wanted = brief[c.CREATORS_WANTED]
    budget = brief[c.BUDGET] * state.rates.get(brief[c.CURRENCY], np.nan)
    bidders = zip(state.ids.get_indexer(list(bids or {})), (bids or {}).values(), strict=True)
    return Query(
        brief=brief,
        text=said.text,
        reference=said.reference,
        terms=said.terms.toarray().ravel(),
        inputs=said.inputs,
        past=rows[rows >= 0],
        failed=failed[failed >= 0],
        brand=past_of(
            brief[c.BRAND_ID], pd.Index(before[c.CREATOR_ID]), among or [(state, np.zeros(len(state.ids), bool))]
        ),
        budget=float(budget) / (wanted if wanted > 0 else 1.0),
        bids={int(row): amount for row, amount in bidders if row >= 0},
    )


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
    shared = _sums(once, lambda state, rows: np.asarray(state.hired[rows].sum(axis=0)).ravel())
    others = world.brand_ids.get_indexer([brand_id])[0] != np.arange(len(world.brand_ids))
    union = np.sqrt(world.sizes * sum(len(rows) for _, rows in once))
    return Past(
        jobs=jobs,
        labels=sums / jobs,
        text=unit(_sums(found, lambda state, rows: state.text[rows].sum(axis=0)).astype(np.float32)),
        terms=unit(
            _sums(found, lambda state, rows: np.asarray(state.terms[rows].sum(axis=0)).ravel()).astype(np.float32)
        ),
        size=float(np.nanmean(known)) if (~np.isnan(known)).any() else np.nan,
        tastes=np.maximum(world.tastes @ taste(labels[None], world.usual)[0], 0) * others,
        partners=np.divide(shared, union, out=np.zeros(len(union)), where=union > 0) * others,
    )


def _no_past(state: State) -> Past:
    nobody = np.zeros(len(state.world.brand_ids))
    terms = np.zeros(0, np.float32)  # nobody reads them
    return Past(0, np.zeros(0), np.zeros(state.text.shape[1], np.float32), terms, np.nan, nobody, nobody)


def _labels(state: State, rows: Rows, width: int) -> Values:
    """(width,) sums of the labels that the world knows."""
    return np.asarray(state.labels.matrix[rows].sum(axis=0)).ravel()[:width]


def _sums(found: Sequence[tuple[State, Rows]], of: Callable[[State, Rows], npt.NDArray[np.floating]]) -> Values:
    """The sum over the states and rows ``found``, of which there is one at least."""
    return np.sum([of(state, rows) for state, rows in found], axis=0)


def _unheard(brief: pd.Series, idf: Floats) -> list[str]:
    """Names in the brief that no text trained on has: an encoder reads into them what they happen to sound like."""
    called = names(brief)
    heard = term_counts(called) @ (idf > 0)
    return [name for name, known in zip(called, heard, strict=True) if not known]


def _cosines(matrix: Floats, vector: Floats, rows: Rows) -> Values:
    """Dot products of unit rows, NaN where either side is empty; einsum, unlike BLAS, gives a row alone equal bits."""
    if not vector.any():
        return np.full(len(rows), np.nan)
    picked = matrix[rows]
    return np.where(picked.any(axis=1), np.einsum("ij,j->i", picked, vector), np.nan).astype(np.float64)


def _products(matrix: sparse.csr_matrix, vector: npt.NDArray[np.floating], rows: Rows) -> Values:
    """(k,) ``matrix[rows] @ vector``. Slicing sparse rows pays for few of them only; the bits are the same."""
    few = FEW * len(rows) < matrix.shape[0]
    return np.asarray(matrix[rows] @ vector if few else (matrix @ vector)[rows], dtype=np.float64)


def text_cosine(query: Query, state: State, rows: Rows) -> Values:
    """Embedding of title and description against that of bio and captions."""
    return _cosines(state.text, query.text, rows)


def reference_cosine(query: Query, state: State, rows: Rows) -> Values:
    """Embedding of the reference captions against that of bio and captions."""
    return _cosines(state.text, query.reference, rows)


def lexical_cosine(query: Query, state: State, rows: Rows) -> Values:
    """TF-IDF cosine of all words."""
    return _products(state.terms, query.terms, rows)


def tower_score(query: Query, state: State, rows: Rows) -> Values:
    """Dot product of the two towers."""
    return _cosines(state.vectors, query.vector, rows) if state.vectors.size else np.full(len(rows), np.nan)


def label_overlap(query: Query, state: State, rows: Rows) -> Values:
    """Cosine of the brief's and the creator's content labels."""
    return state.labels.cosine(query.brief[c.CONTENT_LABELS], rows)


def style_overlap(query: Query, state: State, rows: Rows) -> Values:
    """Cosine of the content styles."""
    return state.styles.cosine(query.brief[c.CONTENT_STYLES], rows)


def format_overlap(query: Query, state: State, rows: Rows) -> Values:
    """Cosine of the content formats."""
    return state.formats.cosine(query.brief[c.CONTENT_FORMATS], rows)


def brand_label_share(query: Query, state: State, rows: Rows) -> Values:
    """How usual the creator's labels are among those the brand has worked with."""
    if not query.brand.jobs:
        return np.full(len(rows), np.nan)
    usual = np.zeros(state.labels.matrix.shape[1])
    usual[: len(query.brand.labels)] = query.brand.labels
    return np.asarray(state.labels.matrix[rows] @ usual, dtype=np.float64)


def brand_similarity(query: Query, state: State, rows: Rows) -> Values:
    """Embedding cosine to the mean of the creators the brand has worked with."""
    return _cosines(state.text, query.brand.text, rows)


def brand_lexical(query: Query, state: State, rows: Rows) -> Values:
    """TF-IDF cosine to the mean of the creators the brand has worked with."""
    return _products(state.terms, query.brand.terms, rows) if query.brand.jobs else np.full(len(rows), np.nan)


def brand_jobs(query: Query, state: State, rows: Rows) -> Values:
    """Jobs this creator has taken for this brand."""
    return _times(query.past, rows)


def brand_failures(query: Query, state: State, rows: Rows) -> Values:
    """Jobs of this brand this creator has failed."""
    return _times(query.failed, rows)


def _times(seen: Rows, rows: Rows) -> Values:
    """(k,) how often each of ``rows`` stands in ``seen``."""
    ordered = np.sort(seen)
    return (np.searchsorted(ordered, rows, side="right") - np.searchsorted(ordered, rows)).astype(np.float64)


def brand_interest(query: Query, state: State, rows: Rows) -> Values:
    """How often this brand looked closer when it was shown this creator, beside what the positions explain."""
    return state.interest.of_brand(query.brief[c.BRAND_ID], rows)


def all_interest(query: Query, state: State, rows: Rows) -> Values:
    """How often brands wanted this creator when shown it, beside what the positions explain."""
    return state.interest.creators[rows]


def brand_size_gap(query: Query, state: State, rows: Rows) -> Values:
    """Distance of the creator's followers from those of whom the brand has hired, as a ratio: |ln of it|."""
    return np.abs(np.log1p(state.frame["followers_count"].to_numpy()[rows]) - query.brand.size)


def lookalike_brands(query: Query, state: State, rows: Rows) -> Values:
    """Collaborative: word similarity of the *other* briefs this creator has worked for, summed."""
    jobs = state.partners[rows]
    briefs, places = np.unique(jobs.indices, return_inverse=True)
    others = briefs != state.world.brief_ids.get_indexer([query.brief[c.BRIEF_ID]])
    similar = _products(state.world.briefs, query.terms, briefs) * others
    return np.asarray(sparse.csr_matrix((jobs.data, places, jobs.indptr), (len(rows), len(briefs))) @ similar)


def lookalike_tastes(query: Query, state: State, rows: Rows) -> Values:
    """Collaborative: likeness of the *other* brands this creator has worked for, by the labels of whom they hire."""
    return _products(state.hired, query.brand.tastes, rows)


def lookalike_partners(query: Query, state: State, rows: Rows) -> Values:
    """Collaborative: likeness of the *other* brands this creator has worked for, by the creators they share with this
    brand (cosine of sets)."""
    return _products(state.hired, query.brand.partners, rows)


def _target_share(dimension: str, column: str) -> Callable[[Query, State, Rows], Values]:
    def feature(query: Query, state: State, rows: Rows) -> Values:
        return target_share(state.audience[dimension], query.brief[column], rows)

    feature.__name__ = f"audience_{dimension}"
    feature.__doc__ = f"Share of the creator's audience in the brief's {column}."
    return feature


audience_age = _target_share("age", c.TARGET_AGES)
audience_gender = _target_share("gender", c.TARGET_GENDERS)
audience_country = _target_share("country", c.TARGET_COUNTRIES)
audience_language = _target_share("language", c.TARGET_LANGUAGES)
audience_interest = _target_share("interest", c.TARGET_INTERESTS)


def language_match(query: Query, state: State, rows: Rows) -> Values:
    """1 where the creator writes in a target language (else the brief's own), NaN where unknown."""
    wanted = query.brief[c.TARGET_LANGUAGES] or [query.brief[c.LANGUAGE]]
    return _matches(state.languages, wanted, rows)


def country_match(query: Query, state: State, rows: Rows) -> Values:
    """1 where the creator lives in a target country, NaN where unknown or not asked for."""
    return _matches(state.countries, query.brief[c.TARGET_COUNTRIES], rows)


def _matches(known: Words, wanted: list[str], rows: Rows) -> Values:
    asked = {word.lower() for word in wanted if isinstance(word, str)}
    hits = known.having(lambda word: word.lower() in asked, rows)
    return np.where(known.unknown[rows] | (not asked), np.nan, hits)


def asked_usd(query: Query, state: State, rows: Rows) -> Values:
    """(k,) US dollars: what creators bid, else what they ask for the brief's formats."""
    prices = state.prices.usd(query.brief[c.CONTENT_FORMATS], rows)
    if query.bids:
        prices = np.array([query.bids.get(row, price) for row, price in zip(rows.tolist(), prices, strict=True)])
    return prices


def price_to_budget(query: Query, state: State, rows: Rows) -> Values:
    """Price asked over the budget per creator, both in US dollars."""
    return asked_usd(query, state, rows) / query.budget if query.budget > 0 else np.full(len(rows), np.nan)


def cost_per_mille(query: Query, state: State, rows: Rows) -> Values:
    """Price asked in US dollars per thousand median views (CPM)."""
    return asked_usd(query, state, rows) / np.maximum(state.frame["median_views"].to_numpy()[rows] / 1000, 1e-3)


def followers_in_range(query: Query, state: State, rows: Rows) -> Values:
    """1 where followers lie in the brief's range, NaN where unknown or no range is given."""
    low, high = query.brief[c.MIN_FOLLOWERS], query.brief[c.MAX_FOLLOWERS]
    values = state.frame["followers_count"].to_numpy()[rows]
    inside = ~(values < low) & ~(values > high)
    return np.where(np.isnan(values) | (np.isnan(low) and np.isnan(high)), np.nan, inside).astype(np.float64)


def objective(query: Query, state: State, rows: Rows) -> Values:
    """The brief's objective as its place in the vocabulary, NaN where unknown."""
    places = {word: float(place) for place, word in enumerate(OBJECTIVES)}
    return np.full(len(rows), places.get(query.brief[c.OBJECTIVE], np.nan))


PAIR_FEATURES: tuple[Callable[[Query, State, Rows], Values], ...] = (
    text_cosine, reference_cosine, lexical_cosine, tower_score, label_overlap, style_overlap, format_overlap,
    brand_label_share, brand_similarity, brand_lexical, brand_jobs, brand_failures, brand_interest,
    all_interest, brand_size_gap, lookalike_brands, lookalike_tastes,
    lookalike_partners, audience_age,
    audience_gender, audience_country, audience_language, audience_interest, language_match, country_match,
    price_to_budget, cost_per_mille, followers_in_range, objective,
)  # fmt: skip


def pair_features(query: Query, state: State, rows: Rows) -> pd.DataFrame:
    """(len(rows), p) float64: PAIR_FEATURES, then the creator's own columns of ``state.frame``, indexed by
    creator_id."""
    pairs = np.column_stack([feature(query, state, rows) for feature in PAIR_FEATURES])
    columns = [*(feature.__name__ for feature in PAIR_FEATURES), *state.frame.columns]
    return pd.DataFrame(
        np.hstack([pairs, state.frame.to_numpy()[rows]]), index=state.ids[rows], columns=columns, copy=False
    )
