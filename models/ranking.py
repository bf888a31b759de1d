"""The answer to a rank request: filter, retrieve, rank, explain."""

from collections.abc import Mapping, Sequence
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
from features.pairs import Query, Rows, build_query, pair_features
from features.trace import note, stage
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.diversity import pool_size
from models.exclusivity import bound
from models.exploration import FEW_JOBS, bonuses, floor_places, record, seed_of
from models.filters import Filtered, apply
from models.places import Exploring, places
from models.reasons import Reason, in_language, said, spoken
from models.retriever import retrieve

LIMIT = 20


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
            "eligible": int(allowed.sum()),
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
    filtered = apply(catalogue.filtered, catalogue.state.audience, filters, within=~out)
    return filtered.allowed & ~out, filtered, removed


def wished(brief: pd.Series | None) -> dict[str, Any]:
    """What a brief asks for so plainly that it is a filter: a language is obeyed, all else it wants is weighed."""
    languages = [] if brief is None else brief[c.TARGET_LANGUAGES]
    return {c.TARGET_LANGUAGES: languages} if languages else {}


def barred(
    catalogue: Catalogue, request: Mapping[str, Any], brief: pd.Series | None = None
) -> tuple[npt.NDArray[np.bool_], list[dict[str, Any]]]:
    """(n,) whom the :func:`rules` exclude, and how many each of them removed."""
    out = np.zeros(len(catalogue.state.ids), bool)
    removed = []
    for name, rule in rules(catalogue, request, brief).items():
        new = rule & ~out
        removed += [{"filter": name, "removed": int(new.sum()), "unknown": 0}] if new.any() else []
        out |= new
    return out, removed


def rules(
    catalogue: Catalogue, request: Mapping[str, Any], brief: pd.Series | None = None
) -> dict[str, npt.NDArray[np.bool_]]:
    """(n,) whom the marketplace's own rules, the request or the ``brief``'s competitors exclude, by rule."""
    status, most = catalogue.credit["order_status"], catalogue.credit["max_open_orders"]
    own = catalogue.state.creators[c.MAX_OPEN_ORDERS]
    found = {
        "onboarding_status": ~catalogue.state.rankable,
        "order_status": status == "SUSPENDED",
        "max_open_orders": catalogue.state.frame["open_orders"] >= np.fmin(most, own).fillna(np.inf),
        "exclude_creator_ids": catalogue.state.ids.isin(request.get("exclude_creator_ids") or []),
    }
    found |= {} if brief is None else {"exclusivity": bound(catalogue, brief)}
    return {name: np.asarray(rule, bool) for name, rule in found.items()}


def _score(
    catalogue: Catalogue, bundle: Bundle, query: Query, rows: Rows, pins: Rows, request: Mapping[str, Any]
) -> Ranked:
    """Scores ``rows`` and keeps the first ``limit``: pins in their order, then by score, ties by creator_id; then as
    the request's ``explore`` and ``diversity`` move them."""
    with stage("features"):
        pairs = pair_features(query, catalogue.state, rows)
    with stage("score"):
        scores = bundle.ranker.score(pairs)
    place = {row: i for i, row in enumerate(pins)}
    pinned = np.array([place.get(row, len(pins)) for row in rows], dtype=np.int64)
    order = np.lexsort((catalogue.state.ids[rows].to_numpy(), -scores, pinned))
    limit, diversity = request.get("limit", LIMIT), request.get("diversity") or 0.0
    exploring = _exploring(catalogue, bundle, pairs, order, request, query.brief) if request.get("explore") else None
    shown = places(order, scores, catalogue.state.vectors[rows], limit, len(pins), diversity, exploring)
    kept = pairs.iloc[shown.best]
    return Ranked(rows[shown.best], scores[shown.best], kept, _success(bundle, kept), shown.explored, shown.diverse)


def _exploring(
    catalogue: Catalogue, bundle: Bundle, pairs: pd.DataFrame, order: Rows, request: Mapping[str, Any], brief: pd.Series
) -> Exploring:
    """Bonuses for the best of the new creators among ``pairs`` (k, p), by the request's seed."""
    rng = np.random.default_rng(seed_of(request, brief))
    limit = request.get("limit", LIMIT)
    new = catalogue.state.frame["jobs"].loc[pairs.index].to_numpy() < FEW_JOBS
    tried = order[new[order]][: pool_size(limit)]
    completed, failed = record(catalogue.tables["collaboration_events"], pairs.index[tried])
    bonus = np.zeros(len(pairs))
    bonus[tried] = bonuses(_success(bundle, pairs.iloc[tried]), completed, failed, rng)
    return Exploring(new, bonus, floor_places(limit, rng))


def _success(bundle: Bundle, pairs: pd.DataFrame) -> npt.NDArray[np.float64]:
    """(k,) probabilities of success; NaN without a success model."""
    with stage("success"):
        return bundle.success.predict(pairs)["success"].to_numpy() if bundle.success else np.full(len(pairs), np.nan)


def _results(
    catalogue: Catalogue, bundle: Bundle, query: Query, ranked: Ranked, request: Mapping[str, Any], pins: Rows
) -> list[dict[str, Any]]:
    explain = bool(request.get("explain"))
    language = spoken(query.brief[c.LANGUAGE])
    told = bundle.ranker.reasons(ranked.pairs) if explain else [[] for _ in ranked.rows]
    explained = in_language(told, ranked.pairs, language)
    bids = {bid["creator_id"]: bid for bid in request.get("bids") or []}
    credit, fraud = catalogue.credit.iloc[ranked.rows], catalogue.state.frame["fraud_probability"].iloc[ranked.rows]
    note(success=ranked.success, fraud=fraud.to_numpy(), credit=credit["score"].to_numpy())
    model = bundle.fraud
    levels = model.risk_levels(fraud, catalogue.fraud.loc[fraud.index]) if model else [None] * len(fraud)
    results = []
    for i, row in enumerate(ranked.rows):
        creator_id = catalogue.state.ids[row]
        bid = bids.get(creator_id)
        price = _price(catalogue, query, row, bid)
        decided = {
            "PINNED": row in pins, "BID": bid is not None, "EXPLORATION": ranked.explored[i],
            "DIVERSITY": ranked.diverse[i],
        }  # fmt: skip
        reasons = _other_reasons(query, price, row, decided) if explain else []
        results.append(
            {
                "creator_id": creator_id,
                "rank": i + 1,
                "score": float(ranked.scores[i]),
                "success_probability": number(ranked.success[i]),
                "reasons": [*explained[i], *reasons],
                "price": price,
                "forecast": None,
                "credit": _credit(credit.iloc[i]),
                "fraud": {
                    "probability": number(fraud.iloc[i]),
                    "risk_level": levels[i],
                },
            }
        )
    return results


def _other_reasons(
    query: Query, price: Mapping[str, Any] | None, row: int, decided: Mapping[str, bool | np.bool_]
) -> list[Reason]:
    """Reasons outside the margin's sum: what the request or the marketplace decided, not the model."""
    language = spoken(query.brief[c.LANGUAGE])
    found = [Reason(code=code, text=said(code, language), contribution=0.0) for code, so in decided.items() if so]
    if missing := _not_comparable(query, price, row):
        found.append(
            Reason(code="CURRENCY_NOT_COMPARABLE", text=said(missing[0], language, missing[1]), contribution=0.0)
        )
    return found


def _not_comparable(query: Query, price: Mapping[str, Any] | None, row: int) -> tuple[str, str | None] | None:
    """What keeps price and budget from being compared, and the currency concerned."""
    if price and np.isnan(query.prices[row]):
        return "PRICE_WITHOUT_RATE" if price["currency"] else "PRICE_WITHOUT_CURRENCY", price["currency"]
    currency = query.brief[c.CURRENCY]
    if price and np.isnan(query.budget) and not np.isnan(query.brief[c.BUDGET]):
        known = isinstance(currency, str)
        return ("BUDGET_WITHOUT_RATE", currency) if known else ("BUDGET_WITHOUT_CURRENCY", None)
    return None


def _price(catalogue: Catalogue, query: Query, row: int, bid: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the creator bids, else asks for the brief's formats; None for one who names no price."""
    asked = bid or catalogue.state.prices.asked(row, query.brief[c.CONTENT_FORMATS])
    if pd.isna(asked["amount"]):
        return None
    currency = asked["currency"] if isinstance(asked["currency"], str) else None
    return {"amount": float(asked["amount"]), "currency": currency, "fair_low": None, "fair_high": None}


def _credit(row: pd.Series) -> dict[str, Any]:
    return {
        "score": number(row["score"]),
        "stars": int(row["stars"]),
        "band": row["band"],
        "order_status": row["order_status"],
    }


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
    if (out := barred(catalogue, request)[0][rows]).any():
        problem = "may not be ranked: excluded, suspended, fully booked or not onboarded; leave it out"
        raise bad("pin_creator_ids", problem, ids[int(np.argmax(out))])
    return rows


def number(value: float) -> float | None:
    """A JSON number: null for NaN."""
    return None if pd.isna(value) else float(value)
