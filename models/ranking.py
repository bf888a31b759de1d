"""The answer to a rank request: filter, retrieve, rank, explain."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.errors import bad
from features.money import to_usd
from features.pairs import Pairs, Rows, pair_features
from features.queries import Query, build_query
from features.trace import note, stage
from models.bundle import Bundle
from models.catalogue import Catalogue, Reading
from models.considered import Considered, candidates
from models.diversity import pool_size
from models.eligibility import barred, eligible
from models.exploration import FEW_JOBS, bonuses, floor_places, seed_of
from models.filters import Filtered, Removed, hints, together
from models.places import Exploring, Places, places
from models.reasons import Reason, in_language, said, spoken
from models.retriever import champions, retrieve

LIMIT = 20
# What the ranker scores for one answer. More cost as much again, and change less and less (docs/serving.md).
CANDIDATES = 1_000


@dataclass(frozen=True)
class Offer:
    """What one part of the catalogue has for a request: who is ``allowed`` (n,), what the filters did, whom the first
    stage ``retrieved``, and the candidates' ``rows`` (k,), with the pinned ones."""

    part: Catalogue
    query: Query
    allowed: npt.NDArray[np.bool_]
    filtered: Filtered
    removed: list[Removed]
    retrieved: int
    rows: Rows


@dataclass(frozen=True)
class Ranked:
    """The candidates in their final order, by their place ``best`` among all offers' rows, with what the models say of
    them, and whom the request's wishes for diversity and exploration moved up."""

    best: Rows
    scores: npt.NDArray[np.float64]
    pairs: pd.DataFrame
    success: npt.NDArray[np.float64]
    explored: npt.NDArray[np.bool_]
    diverse: npt.NDArray[np.bool_]


def rank(
    catalogue: Catalogue, bundle: Bundle, bank: TextBank, request: Mapping[str, Any], brief: pd.Series
) -> dict[str, Any]:
    """The rank answer for a checked ``request`` and its ``brief`` row."""
    pins = _pins(catalogue, request)
    bids = _bids_usd(catalogue, request)
    offers = [_offer(catalogue, part, bundle, bank, request, brief, bids, pins) for part in catalogue.parts]
    eligible = sum(int(np.count_nonzero(offer.allowed)) for offer in offers)
    retrieved = sum(offer.retrieved for offer in offers)
    note(catalogue=catalogue.size, eligible=eligible, retrieved=retrieved)
    ranked = _score(bundle, offers, pins, request, brief)
    return {
        "ranking_id": str(uuid4()),
        "results": _results(bundle, offers, ranked, request, pins),
        "candidates": {
            "catalogue": catalogue.size,
            "removed": together([offer.removed + offer.filtered.removed for offer in offers]),
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
        allowed, filtered, removed = eligible(part, request, brief)
    with stage("query"):

        def read() -> Reading:
            query = query_of(catalogue, bundle, bank, brief, bids, part)
            return Reading(brief, query, champions(query, part.state))

        # Without bids, the brief of a page, or of other filters, is one of those that were just read.
        reading = read() if bids else part.readings.get(id(brief), read)
        query = reading.query
    with stage("retrieve"):
        retrieved = retrieve(query, part.state, part.index, allowed, CANDIDATES, reading.champions)
    pinned = part.rows_of(pins)
    return Offer(part, query, allowed, filtered, removed, len(retrieved), np.union1d(retrieved, pinned[pinned >= 0]))


def query_of(
    catalogue: Catalogue, bundle: Bundle, bank: TextBank, brief: pd.Series, bids: Mapping[str, float],
    part: Catalogue | None = None,
) -> Query:  # fmt: skip
    """The brief against a ``part`` of the catalogue, its first one unless it is said, with the tower's vector; ``bids``
    in US dollars by creator_id."""
    part = part or catalogue
    among = [(one.state, one.gone) for one in catalogue.parts]
    query = build_query(brief, part.state, bank, bundle.idf, catalogue.engaged, catalogue.latest, bids, among)
    return replace(query, vector=bundle.towers.briefs(query.inputs[None])[0])


def _score(
    bundle: Bundle, offers: Sequence[Offer], pins: Sequence[str], request: Mapping[str, Any], brief: pd.Series
) -> Ranked:
    """Scores everyone offered and keeps the first ``limit``: pins in their order, then by score, ties by creator_id;
    then as the request's ``explore`` and ``diversity`` move them."""
    with stage("features"):
        found = [pair_features(offer.query, offer.part.state, offer.rows) for offer in offers]
        pairs = pd.concat(found) if len(found) > 1 else found[0]
    note(pairs=pairs, inputs=bundle.inputs)
    with stage("score"):
        scores = bundle.ranker.score(pairs)
    pinned = np.full(len(pairs), len(pins))
    if pins:
        pinned[pairs.index.get_indexer(list(pins))] = np.arange(len(pins))
    order = np.lexsort((_by_id(offers), -scores, pinned))
    limit, diversity = request.get("limit", LIMIT), request.get("diversity") or 0.0
    draw = _explorer(bundle, offers, pairs, order, limit) if request.get("explore") else None
    vectors = [offer.part.state.vectors[offer.rows if diversity else offer.rows[:0]] for offer in offers]

    def placed(rng: np.random.Generator) -> Places:
        return places(order, scores, np.vstack(vectors), limit, len(pins), diversity, draw(rng) if draw else None)

    shown = placed(np.random.default_rng(seed_of(request, brief) if draw else 0))
    kept = pairs.iloc[shown.best]
    ranked = Ranked(shown.best, scores[shown.best], kept, _success(bundle, kept), shown.explored, shown.diverse)
    best = candidates(shown.best, order)
    redrawn = (lambda rng: placed(rng).best == shown.best) if draw else None
    note(considered=Considered(pairs.iloc[best], scores[best], ranked.success, shown.explored, shown.diverse, redrawn))
    return ranked


def _by_id(offers: Sequence[Offer]) -> npt.NDArray[np.integer]:
    """(k,) numbers in the order of the candidates' ids."""
    if len(offers) == 1:
        return offers[0].part.state.by_id[offers[0].rows]
    ids = np.concatenate([offer.part.state.ids[offer.rows].to_numpy(object) for offer in offers])
    return np.argsort(np.argsort(ids, kind="stable"), kind="stable")


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
        return bundle.success.predict(pairs)["success"].to_numpy() if bundle.success else np.full(len(pairs), np.nan)


def _results(
    bundle: Bundle, offers: Sequence[Offer], ranked: Ranked, request: Mapping[str, Any], pins: Sequence[str]
) -> list[dict[str, Any]]:
    brief = offers[0].query.brief
    language = spoken(brief[c.LANGUAGE])
    explain = bool(request.get("explain"))
    explained = in_language(bundle.ranker.reasons(ranked.pairs), ranked.pairs, language) if explain else None
    bids = {bid["creator_id"]: bid for bid in request.get("bids") or []}
    known = _known(bundle, offers, ranked.best, bids)
    results = []
    for i, one in enumerate(known):
        decided = {
            "PINNED": one["creator_id"] in pins, "BID": one["creator_id"] in bids,
            "EXPLORATION": ranked.explored[i], "DIVERSITY": ranked.diverse[i],
        }  # fmt: skip
        usd = one.pop("usd")
        reasons = [*explained[i], *_other_reasons(offers[0].query, one["price"], usd, decided)] if explained else []
        said = {
            "rank": i + 1, "score": float(ranked.scores[i]), "success_probability": number(ranked.success[i]),
            "reasons": reasons,
        }  # fmt: skip
        results.append({"creator_id": one.pop("creator_id")} | said | one)
    note(
        success=ranked.success,
        fraud=np.array([one["fraud"]["probability"] for one in results], np.float64),
        credit=np.array([one["credit"]["score"] for one in results], np.float64),
    )
    return results


def _known(
    bundle: Bundle, offers: Sequence[Offer], best: Rows, bids: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What the catalogue knows of the candidates at the places ``best`` among all offers' rows: creator_id, price (in
    US dollars as ``usd``), credit and fraud."""
    found: list[dict[str, Any]] = [{} for _ in best]
    ends = np.cumsum([0, *(len(offer.rows) for offer in offers)])
    for offer, start, end in zip(offers, ends, ends[1:], strict=False):
        mine = np.flatnonzero((best >= start) & (best < end))
        rows, part = offer.rows[best[mine] - start], offer.part
        standing = {name: values[rows].tolist() for name, values in part.standing.items()}
        credit = [dict(zip(standing, values, strict=True)) for values in zip(*standing.values(), strict=True)]
        fraud = pd.Series(part.state.frame["fraud_probability"].to_numpy()[rows])
        scores = part.dealings["risk_score"].to_numpy()[rows]
        levels = bundle.fraud.policy.levels_of(scores) if bundle.fraud else [None] * len(rows)
        usd = Pairs(offer.query, part.state, rows).asked_usd
        for i, row, owed, probability, level, dollars in zip(mine, rows, credit, fraud, levels, usd, strict=True):
            creator_id = part.state.ids[row]
            found[i] = {
                "creator_id": creator_id,
                "price": _price(part, offer.query, row, bids.get(creator_id)),
                "forecast": None,
                "credit": owed | {"score": number(owed["score"])},
                "fraud": {"probability": number(probability), "risk_level": level},
                "usd": dollars,
            }
    return found


def _other_reasons(
    query: Query, price: Mapping[str, Any] | None, usd: float, decided: Mapping[str, bool | np.bool_]
) -> list[Reason]:
    """Reasons outside the margin's sum: what the request or the marketplace decided, not the model."""
    language = spoken(query.brief[c.LANGUAGE])
    found = [Reason(code=code, text=said(code, language), contribution=0.0) for code, so in decided.items() if so]
    if missing := _not_comparable(query, price, usd):
        found.append(
            Reason(code="CURRENCY_NOT_COMPARABLE", text=said(missing[0], language, missing[1]), contribution=0.0)
        )
    return found


def _not_comparable(query: Query, price: Mapping[str, Any] | None, usd: float) -> tuple[str, str | None] | None:
    """What keeps price and budget from being compared, and the currency concerned."""
    if price and np.isnan(usd):
        return "PRICE_WITHOUT_RATE" if price["currency"] else "PRICE_WITHOUT_CURRENCY", price["currency"]
    currency = query.brief[c.CURRENCY]
    if price and np.isnan(query.budget) and not np.isnan(query.brief[c.BUDGET]):
        known = isinstance(currency, str)
        return ("BUDGET_WITHOUT_RATE", currency) if known else ("BUDGET_WITHOUT_CURRENCY", None)
    return None


def _price(catalogue: Catalogue, query: Query, row: int, bid: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the creator bids, else asks for the brief's formats; None for one who names no price."""
    if bid:
        amount, currency = float(bid["amount"]), bid["currency"]
    else:
        amount, currency = catalogue.state.prices.asked(row, query.brief[c.CONTENT_FORMATS])
    if np.isnan(amount):
        return None
    return {"amount": amount, "currency": currency, "fair_low": None, "fair_high": None}


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
        if (out := barred(part, request)[0][rows] & (rows >= 0)).any():
            problem = "may not be ranked: excluded, suspended, fully booked or not onboarded; leave it out"
            raise bad("pin_creator_ids", problem, pins[int(np.argmax(out))])
    return pins


def number(value: float) -> float | None:
    """A JSON number: null for NaN."""
    return None if pd.isna(value) else float(value)
