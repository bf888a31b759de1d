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
from features.pairs import Query, Rows, asked_usd, build_query, pair_features
from features.trace import note, stage
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.considered import Considered, candidates
from models.diversity import pool_size
from models.exploration import FEW_JOBS, bonuses, floor_places, seed_of
from models.filters import Filtered, apply
from models.places import Exploring, Places, places
from models.reasons import Reason, in_language, said, spoken
from models.retriever import retrieve

LIMIT = 20
CREDIT = ("score", "stars", "band", "order_status")  # what a ranked list shows of it


@dataclass(frozen=True)
class Ranked:
    """Rows of the catalogue in their final order with what the models say of them, and whom the request's wishes
    for diversity and exploration moved up."""

    rows: Rows
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
    with stage("filter"):
        allowed, filtered, removed = eligible(catalogue, request, brief)
    with stage("query"):
        query = query_of(catalogue, bundle, bank, brief, _bids_usd(catalogue, request))
    with stage("retrieve"):
        retrieved = retrieve(query, catalogue.state, catalogue.index, allowed)
    note(catalogue=len(allowed), eligible=int(allowed.sum()), retrieved=len(retrieved))
    ranked = _score(catalogue, bundle, query, np.union1d(retrieved, pins), pins, request)
    return {
        "ranking_id": str(uuid4()),
        "results": _results(catalogue, bundle, query, ranked, request, pins),
        "candidates": {
            "catalogue": len(catalogue.state.ids),
            "removed": removed + filtered.removed,
            "eligible": int(np.count_nonzero(allowed)),
            "retrieved": len(retrieved),
        },
        "hints": filtered.hints,
        "models": bundle.versions,
        "data_as_of": catalogue.as_of.isoformat(),
    }


def query_of(
    catalogue: Catalogue, bundle: Bundle, bank: TextBank, brief: pd.Series, bids: Mapping[str, float]
) -> Query:
    """The brief against the catalogue, with the tower's vector; ``bids`` in US dollars by creator_id."""
    query = build_query(brief, catalogue.state, bank, bundle.idf, catalogue.engaged, catalogue.latest, bids)
    return replace(query, vector=bundle.towers.briefs(query.inputs[None])[0])


def eligible(
    catalogue: Catalogue, request: Mapping[str, Any], brief: pd.Series | None = None
) -> tuple[npt.NDArray[np.bool_], Filtered, list[dict[str, Any]]]:
    """(n,) who may be offered, what the brief's and the request's filters did, and what was removed before them
    (:func:`barred`)."""
    out, removed = barred(catalogue, request, brief)
    filters = wished(brief) | dict(request.get("filters") or {})
    filtered = apply(catalogue.listing, filters, within=~out)
    return filtered.allowed, filtered, removed


def wished(brief: pd.Series | None) -> dict[str, Any]:
    """What a brief asks for so plainly that it is a filter: a language is obeyed, all else it wants is weighed."""
    languages = [] if brief is None else brief[c.TARGET_LANGUAGES]
    return {c.TARGET_LANGUAGES: languages} if languages else {}


def barred(
    catalogue: Catalogue, request: Mapping[str, Any], brief: pd.Series | None = None
) -> tuple[npt.NDArray[np.bool_], list[dict[str, Any]]]:
    """(n,) whom the :func:`rules` exclude, and how many each of them removed."""
    out = np.zeros(len(catalogue.state.ids), bool)
    removed, count = [], 0
    for name, rule in rules(catalogue, request, brief).items():
        out |= rule
        total = int(np.count_nonzero(out))
        removed += [{"filter": name, "removed": total - count, "unknown": 0}] if total > count else []
        count = total
    return out, removed


def rules(
    catalogue: Catalogue, request: Mapping[str, Any], brief: pd.Series | None = None
) -> dict[str, npt.NDArray[np.bool_]]:
    """(n,) whom the marketplace's own rules, the request or the ``brief``'s competitors exclude, by rule."""
    found = {**catalogue.closed, "exclude_creator_ids": _among(catalogue, request.get("exclude_creator_ids") or [])}
    return found | ({} if brief is None else {"exclusivity": catalogue.rivals.bound(brief, catalogue.state.ids)})


def _among(catalogue: Catalogue, creator_ids: Sequence[str]) -> npt.NDArray[np.bool_]:
    """(n,) who is one of those named; an id that nobody has names nobody."""
    rows = catalogue.state.ids.get_indexer(list(creator_ids))
    named = np.zeros(len(catalogue.state.ids), bool)
    named[rows[rows >= 0]] = True
    return named


def _score(
    catalogue: Catalogue, bundle: Bundle, query: Query, rows: Rows, pins: Rows, request: Mapping[str, Any]
) -> Ranked:
    """Scores ``rows`` and keeps the first ``limit``: pins in their order, then by score, ties by creator_id; then as
    the request's ``explore`` and ``diversity`` move them."""
    with stage("features"):
        pairs = pair_features(query, catalogue.state, rows)
    with stage("score"):
        scores = bundle.ranker.score(pairs)
    pinned = np.full(len(rows), len(pins))
    pinned[np.searchsorted(rows, pins)] = np.arange(len(pins))
    order = np.lexsort((catalogue.state.by_id[rows], -scores, pinned))
    limit, diversity = request.get("limit", LIMIT), request.get("diversity") or 0.0
    draw = _explorer(catalogue, bundle, pairs, order, limit) if request.get("explore") else None
    vectors = catalogue.state.vectors[rows] if diversity else catalogue.state.vectors[:0]

    def placed(rng: np.random.Generator) -> Places:
        return places(order, scores, vectors, limit, len(pins), diversity, draw(rng) if draw else None)

    shown = placed(np.random.default_rng(seed_of(request, query.brief) if draw else 0))
    kept = pairs.iloc[shown.best]
    ranked = Ranked(rows[shown.best], scores[shown.best], kept, _success(bundle, kept), shown.explored, shown.diverse)
    best = candidates(shown.best, order)
    redrawn = (lambda rng: placed(rng).best == shown.best) if draw else None
    note(considered=Considered(pairs.iloc[best], scores[best], ranked.success, shown.explored, shown.diverse, redrawn))
    return ranked


def _explorer(
    catalogue: Catalogue, bundle: Bundle, pairs: pd.DataFrame, order: Rows, limit: int
) -> Callable[[np.random.Generator], Exploring]:
    """What draws bonuses for the best of the new creators among ``pairs`` (k, p)."""
    new = pairs["jobs"].to_numpy() < FEW_JOBS
    tried = order[new[order]][: pool_size(limit)]
    success = _success(bundle, pairs.iloc[tried])
    completed, failed = catalogue.dealings.loc[pairs.index[tried], ["completed", "failed"]].to_numpy().T

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
    catalogue: Catalogue, bundle: Bundle, query: Query, ranked: Ranked, request: Mapping[str, Any], pins: Rows
) -> list[dict[str, Any]]:
    explain = bool(request.get("explain"))
    language = spoken(query.brief[c.LANGUAGE])
    explained = in_language(bundle.ranker.reasons(ranked.pairs), ranked.pairs, language) if explain else None
    bids = {bid["creator_id"]: bid for bid in request.get("bids") or []}
    credit = catalogue.credit[list(CREDIT)].iloc[ranked.rows].to_dict("records")
    fraud = pd.Series(catalogue.state.frame["fraud_probability"].to_numpy()[ranked.rows])
    note(success=ranked.success, fraud=fraud.to_numpy(), credit=np.array([one["score"] for one in credit]))
    model = bundle.fraud
    levels = model.risk_levels(fraud, catalogue.fraud.iloc[ranked.rows]) if model else [None] * len(fraud)
    usd = asked_usd(query, catalogue.state, ranked.rows)
    results = []
    for i, row in enumerate(ranked.rows):
        creator_id = catalogue.state.ids[row]
        bid = bids.get(creator_id)
        price = _price(catalogue, query, row, bid)
        decided = {
            "PINNED": row in pins, "BID": bid is not None, "EXPLORATION": ranked.explored[i],
            "DIVERSITY": ranked.diverse[i],
        }  # fmt: skip
        reasons = _other_reasons(query, price, usd[i], decided) if explained else []
        results.append(
            {
                "creator_id": creator_id,
                "rank": i + 1,
                "score": float(ranked.scores[i]),
                "success_probability": number(ranked.success[i]),
                "reasons": [*explained[i], *reasons] if explained else [],
                "price": price,
                "forecast": None,
                "credit": credit[i] | {"score": number(credit[i]["score"]), "stars": int(credit[i]["stars"])},
                "fraud": {
                    "probability": number(fraud.iloc[i]),
                    "risk_level": levels[i],
                },
            }
        )
    return results


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


def _pins(catalogue: Catalogue, request: Mapping[str, Any]) -> Rows:
    """Rows of the pinned creators. InputError for one that the catalogue does not have or that may not be offered.

    Who pins a creator that has worked for a competitor wants just that one: exclusivity does not hold for pins.
    """
    ids = list(dict.fromkeys(request.get("pin_creator_ids") or []))
    rows = catalogue.state.ids.get_indexer(ids).astype(np.int64)
    if (rows < 0).any():
        raise bad("pin_creator_ids", "no such creator", ids[int(np.argmin(rows))], "NOT_FOUND")
    if len(rows) and (out := barred(catalogue, request)[0][rows]).any():
        problem = "may not be ranked: excluded, suspended, fully booked or not onboarded; leave it out"
        raise bad("pin_creator_ids", problem, ids[int(np.argmax(out))])
    return rows


def number(value: float) -> float | None:
    """A JSON number: null for NaN."""
    return None if pd.isna(value) else float(value)
