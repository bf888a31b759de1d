"""What the ranker sees of a brief × creator: one small function a column, (k,) values for the creators of ``pairs``.

Unknown is NaN, never a guess: LightGBM routes it by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.audience import target_share
from features.bank import Floats
from features.picked import Picked
from features.queries import Query, place_of
from features.state import State
from features.tags import Words
from features.vocabulary import OBJECTIVES

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
BLOCK = 64  # rows of vectors, which stay in the processor's cache until all products with them are made


@dataclass(frozen=True)
class Pairs:
    """A ``query`` held against the creators in ``rows`` (k,) of a ``state``.

    A million creators' arrays are in no cache, and looking rows up takes longer than the sums do. So what several
    features read is picked once, by ``take``, which costs half of what an index does.
    """

    query: Query
    state: State
    rows: Rows

    @cached_property
    def text_cosines(self) -> Values:
        """(3, k) of the embedding of bio and captions and those of what the brief describes, of what it refers to, and
        of whom its brand has worked with."""
        query = self.query
        return _cosines(self.state.text, self.rows, query.text, query.reference, query.brand.text)

    @cached_property
    def terms(self) -> Picked:
        """(k, B) TF-IDF of all words."""
        return Picked(self.state.terms, self.rows)

    @cached_property
    def labels(self) -> Picked:
        """(k, t) content labels."""
        return self.state.labels.picked(self.rows)

    @cached_property
    def hired(self) -> Picked:
        """(k, b) 1 where a creator has worked for a brand."""
        return Picked(self.state.hired, self.rows)

    @cached_property
    def own(self) -> Values:
        """(k, p) the creators' own columns."""
        return self.state.frame.to_numpy().take(self.rows, axis=0)

    @cached_property
    def asked_usd(self) -> Values:
        """(k,) US dollars: what creators bid, else what they ask for the brief's formats."""
        prices = self.state.prices.usd(self.query.brief[c.CONTENT_FORMATS], self.rows)
        bids = self.query.bids
        if not bids:
            return prices
        return np.array([bids.get(row, price) for row, price in zip(self.rows.tolist(), prices, strict=True)])

    def creators(self, name: str) -> Values:
        """(k,) a column of the creators' own."""
        return np.ascontiguousarray(self.own[:, self.state.frame.columns.get_loc(name)])

    def constant(self, value: float) -> Values:
        """(k,) the same ``value`` for everyone."""
        return np.full(len(self.rows), value)


def _cosines(matrix: Floats, rows: Rows, *vectors: Floats) -> Values:
    """(len(vectors), k) dot products of unit ``rows``, NaN where either side is empty; einsum, unlike BLAS, gives a row
    alone equal bits."""
    found = np.full((len(vectors), len(rows)), np.nan)
    told = [i for i, vector in enumerate(vectors) if vector.any()]
    for start in range(0, len(rows) if told else 0, BLOCK):
        block = slice(start, start + BLOCK)
        picked = matrix.take(rows[block], axis=0)
        for i in told:
            found[i, block] = np.einsum("ij,j->i", picked, vectors[i])
    if told:  # only a product of 0 can be one with an empty row
        doubtful = np.flatnonzero(found[told[0]] == 0)
        found[:, doubtful[~matrix[rows[doubtful]].any(axis=1)]] = np.nan
    return found


def text_cosine(pairs: Pairs) -> Values:
    """Embedding of title and description against that of bio and captions."""
    return pairs.text_cosines[0]


def reference_cosine(pairs: Pairs) -> Values:
    """Embedding of the reference captions against that of bio and captions."""
    return pairs.text_cosines[1]


def lexical_cosine(pairs: Pairs) -> Values:
    """TF-IDF cosine of all words."""
    return pairs.terms @ pairs.query.terms


def tower_score(pairs: Pairs) -> Values:
    """Dot product of the two towers."""
    if not pairs.state.vectors.size:
        return pairs.constant(np.nan)
    return _cosines(pairs.state.vectors, pairs.rows, pairs.query.vector)[0]


def label_overlap(pairs: Pairs) -> Values:
    """Cosine of the brief's and the creator's content labels."""
    return pairs.state.labels.cosine(pairs.query.brief[c.CONTENT_LABELS], pairs.labels)


def style_overlap(pairs: Pairs) -> Values:
    """Cosine of the content styles."""
    styles = pairs.state.styles
    return styles.cosine(pairs.query.brief[c.CONTENT_STYLES], styles.picked(pairs.rows))


def format_overlap(pairs: Pairs) -> Values:
    """Cosine of the content formats."""
    formats = pairs.state.formats
    return formats.cosine(pairs.query.brief[c.CONTENT_FORMATS], formats.picked(pairs.rows))


def brand_label_share(pairs: Pairs) -> Values:
    """How usual the creator's labels are among those the brand has worked with."""
    brand = pairs.query.brand
    usual = np.zeros(len(pairs.state.labels.columns))
    usual[: len(brand.labels)] = brand.labels
    return pairs.labels @ usual if brand.jobs else pairs.constant(np.nan)


def brand_similarity(pairs: Pairs) -> Values:
    """Embedding cosine to the mean of the creators the brand has worked with."""
    return pairs.text_cosines[2]


def brand_lexical(pairs: Pairs) -> Values:
    """TF-IDF cosine to the mean of the creators the brand has worked with."""
    return pairs.terms @ pairs.query.brand_terms if pairs.query.brand.jobs else pairs.constant(np.nan)


def brand_jobs(pairs: Pairs) -> Values:
    """Jobs this creator has taken for this brand."""
    return _times(pairs.query.past, pairs.rows)


def brand_failures(pairs: Pairs) -> Values:
    """Jobs of this brand this creator has failed."""
    return _times(pairs.query.failed, pairs.rows)


def _times(seen: Rows, rows: Rows) -> Values:
    """(k,) how often each of ``rows`` stands in ``seen``."""
    ordered = np.sort(seen)
    return (np.searchsorted(ordered, rows, side="right") - np.searchsorted(ordered, rows)).astype(np.float64)


def brand_interest(pairs: Pairs) -> Values:
    """How often this brand looked closer when it was shown this creator, beside what the positions explain."""
    return pairs.state.interest.of_brand(pairs.query.brief[c.BRAND_ID], pairs.rows)


def all_interest(pairs: Pairs) -> Values:
    """How often brands wanted this creator when shown it, beside what the positions explain."""
    return pairs.state.interest.creators.take(pairs.rows)


def brand_size_gap(pairs: Pairs) -> Values:
    """Distance of the creator's followers from those of whom the brand has hired, as a ratio: |ln of it|."""
    return np.abs(np.log1p(pairs.creators("followers_count")) - pairs.query.brand.size)


def lookalike_brands(pairs: Pairs) -> Values:
    """Collaborative: word similarity of the *other* briefs this creator has worked for, summed."""
    world, jobs = pairs.state.world, Picked(pairs.state.partners, pairs.rows)
    briefs = np.unique(jobs.columns)
    others = briefs != place_of(pairs.query.brief[c.BRIEF_ID], world.brief_ids)
    similar = np.zeros(len(world.brief_ids))
    similar[briefs] = (Picked(world.briefs, briefs) @ pairs.query.terms) * others
    return jobs @ similar


def lookalike_tastes(pairs: Pairs) -> Values:
    """Collaborative: likeness of the *other* brands this creator has worked for, by the labels of whom they hire."""
    return pairs.hired @ pairs.query.brand.tastes


def lookalike_partners(pairs: Pairs) -> Values:
    """Collaborative: likeness of the *other* brands this creator has worked for, by the creators they share with this
    brand (cosine of sets)."""
    return pairs.hired @ pairs.query.brand.partners


def _target_share(dimension: str, column: str) -> Callable[[Pairs], Values]:
    def feature(pairs: Pairs) -> Values:
        return target_share(pairs.state.audience[dimension], pairs.query.brief[column], pairs.rows)

    feature.__name__ = f"audience_{dimension}"
    feature.__doc__ = f"Share of the creator's audience in the brief's {column}."
    return feature


audience_age = _target_share("age", c.TARGET_AGES)
audience_gender = _target_share("gender", c.TARGET_GENDERS)
audience_country = _target_share("country", c.TARGET_COUNTRIES)
audience_language = _target_share("language", c.TARGET_LANGUAGES)
audience_interest = _target_share("interest", c.TARGET_INTERESTS)


def language_match(pairs: Pairs) -> Values:
    """1 where the creator writes in a target language (else the brief's own), NaN where unknown."""
    wanted = pairs.query.brief[c.TARGET_LANGUAGES] or [pairs.query.brief[c.LANGUAGE]]
    return _matches(pairs.state.languages, wanted, pairs.rows)


def country_match(pairs: Pairs) -> Values:
    """1 where the creator lives in a target country, NaN where unknown or not asked for."""
    return _matches(pairs.state.countries, pairs.query.brief[c.TARGET_COUNTRIES], pairs.rows)


def _matches(known: Words, wanted: list[str], rows: Rows) -> Values:
    asked = {word.lower() for word in wanted if isinstance(word, str)}
    picked = known.picked(rows)
    hits = picked.having(lambda word: word.lower() in asked)
    return np.where(picked.unknown | (not asked), np.nan, hits)


def price_to_budget(pairs: Pairs) -> Values:
    """Price asked over the budget per creator, both in US dollars."""
    return pairs.asked_usd / pairs.query.budget if pairs.query.budget > 0 else pairs.constant(np.nan)


def cost_per_mille(pairs: Pairs) -> Values:
    """Price asked in US dollars per thousand median views (CPM)."""
    return pairs.asked_usd / np.maximum(pairs.creators("median_views") / 1000, 1e-3)


def followers_in_range(pairs: Pairs) -> Values:
    """1 where followers lie in the brief's range, NaN where unknown or no range is given."""
    low, high = pairs.query.brief[c.MIN_FOLLOWERS], pairs.query.brief[c.MAX_FOLLOWERS]
    values = pairs.creators("followers_count")
    inside = ~(values < low) & ~(values > high)
    return np.where(np.isnan(values) | (np.isnan(low) and np.isnan(high)), np.nan, inside).astype(np.float64)


def objective(pairs: Pairs) -> Values:
    """The brief's objective as its place in the vocabulary, NaN where unknown."""
    places = {word: float(place) for place, word in enumerate(OBJECTIVES)}
    return pairs.constant(places.get(pairs.query.brief[c.OBJECTIVE], np.nan))


PAIR_FEATURES: tuple[Callable[[Pairs], Values], ...] = (
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
    return unnamed_features(query, state, rows).set_axis(state.ids.take(rows))


def unnamed_features(query: Query, state: State, rows: Rows) -> pd.DataFrame:
    """What :func:`pair_features` gives, indexed by place: to look up a thousand ids costs what several features do."""
    pairs, columns = Pairs(query, state, rows), _columns(tuple(state.frame.columns))
    values = np.empty((len(rows), len(columns)))
    for i, feature in enumerate(PAIR_FEATURES):
        values[:, i] = feature(pairs)
    values[:, len(PAIR_FEATURES) :] = pairs.own
    return pd.DataFrame(values, columns=columns, copy=False)


@cache
def _columns(own: tuple[str, ...]) -> pd.Index:
    """The names of all features: one index, in which pandas has to look up each name but once."""
    return pd.Index([*(feature.__name__ for feature in PAIR_FEATURES), *own])
