"""The list that answers a rank request: of each creator who is shown its place, price, credit, fraud and reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from features.pairs import Pairs
from features.queries import Query
from features.trace import note
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.offers import Offer, Ranked, by_offer
from models.reasons import Reason, in_language, said, spoken


def results_of(
    bundle: Bundle, offers: Sequence[Offer], ranked: Ranked, request: Mapping[str, Any], pins: Sequence[str]
) -> list[dict[str, Any]]:
    """The creators ``ranked``, each as the API tells of it; reasons only where the ``request`` asks for them."""
    brief = offers[0].query.brief
    language = spoken(brief[c.LANGUAGE])
    explain = bool(request.get("explain"))
    explained = in_language(bundle.ranker.reasons(ranked.pairs), ranked.pairs, language) if explain else None
    bids = {bid["creator_id"]: bid for bid in request.get("bids") or []}
    known = _known(bundle, offers, ranked, bids)
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
    bundle: Bundle, offers: Sequence[Offer], ranked: Ranked, bids: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What the catalogue knows of those ``ranked``: creator_id, price (in US dollars as ``usd``), credit and fraud."""
    ids, found = ranked.pairs.index.tolist(), [dict[str, Any]() for _ in ranked.best]
    for offer, mine, rows in by_offer(offers, ranked.best):
        part, formats = offer.part, offer.query.brief[c.CONTENT_FORMATS]
        standing = {name: values[rows].tolist() for name, values in part.standing.items()}
        credit = [dict(zip(standing, values, strict=True)) for values in zip(*standing.values(), strict=True)]
        fraud = ranked.pairs["fraud_probability"].to_numpy()[mine].tolist()
        scores = part.dealings["risk_score"].to_numpy()[rows]
        levels = bundle.fraud.policy.levels_of(scores) if bundle.fraud else [None] * len(rows)
        usd = Pairs(offer.query, part.state, rows).asked_usd.tolist()
        for i, row, owed, probability, level, dollars in zip(mine, rows, credit, fraud, levels, usd, strict=True):
            found[i] = {
                "creator_id": ids[i],
                "price": _price(part, formats, row, bids.get(ids[i])),
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


def _price(
    catalogue: Catalogue, formats: Sequence[str], row: int, bid: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """What the creator bids, else asks for the ``formats``; None for one who names no price."""
    if bid:
        amount, currency = float(bid["amount"]), bid["currency"]
    else:
        amount, currency = catalogue.state.prices.asked(row, formats)
    if np.isnan(amount):
        return None
    return {"amount": amount, "currency": currency, "fair_low": None, "fair_high": None}


def number(value: float) -> float | None:
    """A JSON number: null for NaN."""
    return None if pd.isna(value) else float(value)
