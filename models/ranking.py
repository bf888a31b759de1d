"""The answer to a rank request: filter, retrieve, rank, explain."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.errors import bad
from features.money import to_usd
from features.pairs import Rows, unnamed_features
from features.queries import Query, read_query
from features.trace import note, stage
from models.bitmaps import has
from models.bundle import Bundle
from models.catalogue import Catalogue, Reading
from models.considered import Considered, candidates
from models.diversity import pool_size
from models.eligibility import admitted, eligible
from models.exploration import FEW_JOBS, bonuses, floor_places, seed_of
from models.filters import hints, together
from models.offers import Offer, Ranked, by_offer
from models.places import Exploring, Places, places
from models.results import results_of
from models.retriever import Favourites, retrieve

LIMIT = 20
# What the ranker scores for one answer. Twice as many take a quarter longer; they change who is shown, and NDCG next to
# nothing (docs/serving.md).
CANDIDATES = 500


def rank(
    catalogue: Catalogue, bundle: Bundle, bank: TextBank, request: Mapping[str, Any], brief: pd.Series
) -> dict[str, Any]:
    """The rank answer for a checked ``request`` and its ``brief`` row."""
    pins = _pins(catalogue, request)
    bids = _bids_usd(catalogue, request)
    offers = [_offer(catalogue, part, bundle, bank, request, brief, bids, pins) for part in catalogue.parts]
    eligible = sum(offer.filtered.allowed.count for offer in offers)
    retrieved = sum(offer.retrieved for offer in offers)
    note(catalogue=catalogue.size, eligible=eligible, retrieved=retrieved)
    ranked = _score(bundle, offers, pins, request, brief)
    return {
        "ranking_id": str(uuid4()),
        "results": results_of(bundle, offers, ranked, request, pins),
        "candidates": {
            "catalogue": catalogue.size,
            "removed": together([offer.filtered.removed for offer in offers]),
            "eligible": eligible,
            "retrieved": retrieved,
        },
        "hints": hints([offer.filtered for offer in offers]),
        "models": bundle.versions,
        "data_as_of": catalogue.as_of.isoformat(),
    }


def _offer(
    catalogue: Catalogue, part: Catalogue, bundle: Bundle, bank: TextBank, request: Mapping[str, Any],
    brief: pd.Series, bids: Mapping[str, float], pins: Sequence[str],
) -> Offer:  # fmt: skip
    with stage("filter"):
        filtered = eligible(part, request, brief)
    with stage("query"):

        def read() -> Reading:
            query = query_of(catalogue, bundle, bank, brief, bids, part)
            return Reading(brief, history, query, Favourites(query, part.state))

        # Without bids, the brief of a page, or of other filters, is one of those that were just read.
        history = catalogue.history(brief[c.BRAND_ID], part)
        reading = read() if bids else part.readings.get((id(brief), id(history)), read)
        query = reading.query
    with stage("retrieve"):
        retrieved = retrieve(query, part.state, part.index, filtered.allowed, CANDIDATES, reading.favourites)
    pinned = part.rows_of(pins)
    rows = np.union1d(retrieved, pinned[pinned >= 0]) if pins else np.sort(retrieved)
    return Offer(part, query, filtered, len(retrieved), rows, pinned)


def query_of(
    catalogue: Catalogue, bundle: Bundle, bank: TextBank, brief: pd.Series, bids: Mapping[str, float],
    part: Catalogue | None = None,
) -> Query:  # fmt: skip
    """The brief against a ``part`` of the catalogue, its first one unless it is said, with the tower's vector; ``bids``
    in US dollars by creator_id."""
    part = part or catalogue
    query = read_query(brief, part.state, bank, bundle.idf, catalogue.history(brief[c.BRAND_ID], part), bids)
    return replace(query, vector=bundle.towers.briefs(query.inputs[None])[0])


def _score(
    bundle: Bundle, offers: Sequence[Offer], pins: Sequence[str], request: Mapping[str, Any], brief: pd.Series
) -> Ranked:
    """Scores everyone offered and keeps the first ``limit``: pins in their order, then by score, ties by creator_id;
    then as the request's ``explore`` and ``diversity`` move them."""
    with stage("features"):
        found = [unnamed_features(offer.query, offer.part.state, offer.rows) for offer in offers]
        pairs = pd.concat(found, ignore_index=True) if len(found) > 1 else found[0]
    note(pairs=pairs, inputs=bundle.inputs)
    with stage("score"):
        scores = bundle.ranker.score(pairs)
    order = np.lexsort((_by_id(offers, scores), -scores, _pinned(offers, len(pins))))
    limit, diversity = request.get("limit", LIMIT), request.get("diversity") or 0.0
    draw = _explorer(bundle, offers, pairs, order, limit) if request.get("explore") else None
    vectors = [offer.part.state.vectors[offer.rows if diversity else offer.rows[:0]] for offer in offers]

    def placed(exploring: Exploring | None) -> Places:
        return places(order, scores, np.vstack(vectors), limit, len(pins), diversity, exploring)

    shown = placed(draw(np.random.default_rng(seed_of(request, brief))) if draw else None)
    best = candidates(shown.best, order)
    named = _named(offers, pairs, best)
    kept = named.iloc[: len(shown.best)]
    ranked = Ranked(shown.best, scores[shown.best], kept, _success(bundle, kept), shown.explored, shown.diverse)
    redrawn = (lambda rng: placed(draw(rng)).best == shown.best) if draw else None
    note(considered=Considered(named, scores[best], ranked.success, shown.explored, shown.diverse, redrawn))
    return ranked


def _by_id(offers: Sequence[Offer], scores: npt.NDArray[np.float64]) -> npt.NDArray[np.integer]:
    """(k,) numbers in the order of the candidates' ids, which settle ties; any numbers where there are none."""
    if len(offers) == 1:
        return offers[0].part.state.by_id[offers[0].rows]
    if len(np.unique(scores)) == len(scores):
        return np.arange(len(scores))
    ids = np.concatenate([offer.part.state.ids[offer.rows].to_numpy(object) for offer in offers])
    return np.argsort(np.argsort(ids, kind="stable"), kind="stable")


def _pinned(offers: Sequence[Offer], pins: int) -> Rows:
    """(k,) each candidate's place among the pins, after them for all others."""
    found = [np.full(len(offer.rows), pins) for offer in offers]
    for offer, order in zip(offers, found, strict=True):
        here = np.flatnonzero(offer.pinned >= 0)
        order[np.searchsorted(offer.rows, offer.pinned[here])] = here
    return np.concatenate(found)


def _named(offers: Sequence[Offer], pairs: pd.DataFrame, places: Rows) -> pd.DataFrame:
    """Those at some ``places`` among all offers' rows, indexed by creator_id."""
    (mine, index), *others = [(mine, one.part.state.ids.take(rows)) for one, mine, rows in by_offer(offers, places)]
    if others:
        order = np.argsort(np.concatenate([mine, *(one for one, _ in others)]))
        index = index.append([ids for _, ids in others]).take(order)
    return pd.DataFrame(pairs.to_numpy()[places], index=index, columns=pairs.columns)


def _explorer(
    bundle: Bundle, offers: Sequence[Offer], pairs: pd.DataFrame, order: Rows, limit: int
) -> Callable[[np.random.Generator], Exploring]:
    """What draws bonuses for the best of the new creators among ``pairs`` (k, p)."""
    new = pairs["jobs"].to_numpy() < FEW_JOBS
    tried = order[new[order]][: pool_size(limit)]
    success = _success(bundle, pairs.iloc[tried])
    jobs = [offer.part.dealings[["completed", "failed"]].to_numpy()[offer.rows] for offer in offers]
    completed, failed = np.vstack(jobs)[tried].T

    def draw(rng: np.random.Generator) -> Exploring:
        bonus = np.zeros(len(new))
        bonus[tried] = bonuses(success, completed, failed, rng)
        return Exploring(new, bonus, floor_places(limit, rng))

    return draw


def _success(bundle: Bundle, pairs: pd.DataFrame) -> npt.NDArray[np.float64]:
    """(k,) probabilities of success; NaN without a success model."""
    with stage("success"):
        return bundle.success.probabilities(pairs)[-1] if bundle.success else np.full(len(pairs), np.nan)


def _bids_usd(catalogue: Catalogue, request: Mapping[str, Any]) -> dict[str, float]:
    bids: Sequence[Mapping[str, Any]] = request.get("bids") or []
    if not bids:
        return {}
    frame = pd.DataFrame(bids)
    amounts = to_usd(frame["amount"], frame["currency"].astype("str"), catalogue.state.rates)
    return dict(zip(frame["creator_id"], np.asarray(amounts, float), strict=True))


def _pins(catalogue: Catalogue, request: Mapping[str, Any]) -> list[str]:
    """The pinned creators. InputError for one that the catalogue does not have or that may not be offered.

    Who pins a creator that has worked for a competitor wants just that one: exclusivity does not hold for pins.
    """
    pins = list(dict.fromkeys(request.get("pin_creator_ids") or []))
    if missing := catalogue.missing(pins):
        raise bad("pin_creator_ids", "no such creator", missing[0], "NOT_FOUND")
    for part in catalogue.parts if pins else ():
        rows = part.rows_of(pins)
        if (out := (rows >= 0) & ~has(admitted(part, request)[0], rows)).any():
            problem = "may not be ranked: excluded, suspended, fully booked or not onboarded; leave it out"
            raise bad("pin_creator_ids", problem, pins[int(np.argmax(out))])
    return pins
