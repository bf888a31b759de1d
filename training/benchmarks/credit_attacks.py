"""What attackers make of credit, and what bounds them: made-up praise, revenge, trust built up to be abused, and a new
identity. Ledgers are made up order by order; nothing is drawn."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import pandas as pd

from features import columns as c
from features.schema import COLLABORATION_EVENTS, conform
from models.credit import credit_scores, load_policy
from models.credit_factors import FACTORS, TOP, factor_scores, total
from models.credit_policy import Curve, Policy

START = pd.Timestamp("2026-01-01")
USD = 200.0
ENDS = {
    "PRAISED": ("CONTENT_SUBMITTED", "PUBLISHED", "SETTLED", "RATED"),
    "SLANDERED": ("CONTENT_SUBMITTED", "PUBLISHED", "SETTLED", "RATED"),
    "UNRATED": ("CONTENT_SUBMITTED", "PUBLISHED", "SETTLED"),
    "DEFAULTED": ("DEFAULTED",),
}
"""What comes after the contract, an hour apart."""
STARS = {"PRAISED": 5.0, "SLANDERED": 1.0}
FEW, MANY = (1, 2, 3, 5, 10, 20), (0, 3, 10, 50, 200)
MOST_DEFAULTS = 8
MOST_WORK = 60


class Order(NamedTuple):
    """An order of that brand, agreed on that day, and how it ended (a key of ENDS)."""

    brand: str
    day: float
    end: str


def run() -> dict[str, object]:
    """Scores of each attack by its size, and what bounds it."""
    policy = load_policy()
    return {
        "ballot_stuffing": by_brands("PRAISED", policy) | {"one_brand_at_most": one_brand_at_most(policy)},
        "bad_mouthing": by_brands("SLANDERED", policy)
        | {
            "one_brand_at_least": one_brand_at_least(policy),
            "unrated": scores({n: work(n, "UNRATED") for n in FEW}, policy)["score"].to_dict(),
        },
        "build_up_then_cheat": {
            "score": {good: cheated(good, policy)["score"].tolist() for good in MANY},
            "limited_after": {good: limited_after(good, policy) for good in MANY},
            "at_most": [after_defaults_at_most(defaults, policy) for defaults in range(MOST_DEFAULTS + 1)],
        },
        "whitewashing": whitewashing(policy),
    }


def scores(variants: Mapping[int, Sequence[Order]], policy: Policy) -> pd.DataFrame:
    """Score and order_status of a creator after each of the lists of orders, indexed as they are, on the day after the
    last order of all."""
    events = pd.concat([ledger(orders, str(name)) for name, orders in variants.items()], ignore_index=True)
    day = 1 + max((order.day for orders in variants.values() for order in orders), default=0.0)
    ids = pd.Index([str(name) for name in variants])
    return credit_scores(events, policy, START + pd.Timedelta(days=day), ids).set_axis(pd.Index(variants))


def ledger(orders: Sequence[Order], creator: str) -> pd.DataFrame:
    """The events of these orders of one creator."""
    rows = chain.from_iterable(_events(order, f"{creator}-{place}") for place, order in enumerate(orders))
    return conform(
        pd.DataFrame(rows, columns=COLLABORATION_EVENTS.names).assign(**{c.CREATOR_ID: creator}), COLLABORATION_EVENTS
    )


def _events(order: Order, name: str) -> list[dict[str, object]]:
    start = START + pd.Timedelta(days=order.day)
    return [
        {
            c.EVENT_ID: f"{name}-{hour}",
            c.COLLABORATION_ID: name,
            c.BRAND_ID: order.brand,
            c.EVENT_TYPE: step,
            c.EVENT_TIME: start + pd.Timedelta(hours=hour),
            c.DUE_AT: start + pd.Timedelta(days=1) if step == "CONTRACTED" else None,
            c.AMOUNT: USD if step == "CONTRACTED" else None,
            c.CURRENCY: "USD" if step == "CONTRACTED" else None,
            c.RATING: STARS.get(order.end) if step == "RATED" else None,
        }
        for hour, step in enumerate(("CONTRACTED", *ENDS[order.end]))
    ]


def work(orders: int, end: str, brands: int | None = None) -> list[Order]:
    """So many orders, one a day, of so many brands in turn, by default each of its own."""
    return [Order(f"{end}{place % (brands or orders)}", float(place), end) for place in range(orders)]


def by_brands(end: str, policy: Policy) -> dict[str, object]:
    """A newcomer's score after so many orders of one brand within 180 days, and of as many brands."""
    return {
        "one_brand": scores({n: work(n, end, brands=1) for n in FEW}, policy)["score"].to_dict(),
        "each_another_brand": scores({n: work(n, end) for n in FEW}, policy)["score"].to_dict(),
    }


def one_brand_at_most(policy: Policy) -> float:
    """The score that a newcomer cannot exceed by orders of one brand within ``repeated.days``, however many: what the
    best order says for good, times 1 + r + r² + … = 1 / (1 − r)."""
    said = [policy.events[code] for code in ("CONTENT_SUBMITTED_ON_TIME", "PUBLISHED_ON_TIME", "SETTLED")]
    return _newcomer_after([*said, {_rated(policy).factor: _rated(policy).weight[-1]}], policy)


def one_brand_at_least(policy: Policy) -> float:
    """The score below which ratings of one brand within ``repeated.days`` cannot bring a newcomer, however many."""
    return _newcomer_after([{_rated(policy).factor: _rated(policy).weight[0]}], policy)


def after_defaults_at_most(defaults: int, policy: Policy) -> float:
    """The score that nobody has after so many defaults of orders of usual value for different brands, whatever came
    before.

    A factor holds at most 1 / (1 − γ) events. Defaults of weight W in all leave γ^W of them on the good side and put
    the rest on the bad one; the other factors may be perfect.
    """
    weight = sum(policy.events["DEFAULTED"].values()) * defaults
    full = np.full((1, len(FACTORS)), 1 / (1 - policy.memory))
    kept = policy.memory ** abs(weight)
    struck = np.array([name in policy.events["DEFAULTED"] for name in FACTORS])
    points = np.where(struck, factor_scores(kept * full, (1 - kept) * full, policy), TOP)
    return float(total(points, policy)[0])


def cheated(good: int, policy: Policy) -> pd.DataFrame:
    """Score and status after so many good orders and then 0, 1, … MOST_DEFAULTS defaults, each of another brand."""
    first = work(good, "PRAISED")
    bad = [Order(f"victim{place}", float(good + place), "DEFAULTED") for place in range(MOST_DEFAULTS)]
    return scores({defaults: first + bad[:defaults] for defaults in range(MOST_DEFAULTS + 1)}, policy)


def limited_after(good: int, policy: Policy) -> int | None:
    """The number of defaults after which orders are limited; None where MOST_DEFAULTS do not."""
    limited = cheated(good, policy)["order_status"] == "LIMITED"
    return int(limited.idxmax()) if limited.any() else None


def whitewashing(policy: Policy) -> dict[int, dict[str, float | None]]:
    """By defaults so far: the score that a new identity would cast off, and how many good orders of different brands
    the old one would need to have the newcomer's again (None: more than MOST_WORK)."""
    bad = work(MOST_DEFAULTS, "DEFAULTED")
    good = [Order(f"next{place}", float(MOST_DEFAULTS + place), "PRAISED") for place in range(MOST_WORK)]
    found: dict[int, dict[str, float | None]] = {}
    for defaults in range(1, MOST_DEFAULTS + 1, 2):
        score = scores({n: bad[:defaults] + good[:n] for n in range(MOST_WORK + 1)}, policy)["score"]
        back = score >= policy.base_score
        found[defaults] = {"score": float(score.iloc[0]), "orders_back": int(back.idxmax()) if back.any() else None}
    return found


def _rated(policy: Policy) -> Curve:
    return policy.curves["RATED"]


def _newcomer_after(said: Sequence[Mapping[str, float]], policy: Policy) -> float:
    """A newcomer's score after orders that say this (signed weights by factor, of one sign), as often as one brand may
    have them within ``repeated.days`` and in the class of value that weighs most."""
    times = max(one.times for one in policy.value_classes) / (1 - policy.repeated.times)
    moved = times * np.array([[sum(one.get(name, 0.0) for one in said) for name in FACTORS]])
    kept = policy.memory ** np.abs(moved)
    full = 1 / (1 - policy.memory)
    alpha, beta = (
        kept * side + (1 - kept) * full * (sign * moved > 0) for side, sign in zip(policy.prior, (1, -1), strict=True)
    )
    return float(total(factor_scores(alpha, beta, policy), policy)[0])
