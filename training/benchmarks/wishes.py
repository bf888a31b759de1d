"""What it costs to want more than relevance: the first ten of each later brief of a simulated market, as they are
served, with one wish more, and under one rule of the marketplace at a time.

Relevance is the grade the brand would have given, over everyone who is onboarded and not suspended, so that a creator
whom a rule or a filter keeps out is lost. The models are trained on the earlier briefs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.bank import TextBank
from features.errors import bad
from features.pairs import Rows, pair_features
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.eligibility import rules, wished
from models.exploration import FEW_JOBS
from models.filters import apply
from models.measures import Interval, bootstrap, gini, ndcg
from models.ranking import query_of, rank
from training.evaluation.cases import Case, evidence, read_truth, weekly
from training.evaluation.subject import SEED, trained_on_the_past

DEPTH = 10
SERVED, UNRULED = "served", "without_rules"
WISHES: dict[str, dict[str, Any]] = {
    SERVED: {},
    **{f"diversity_{share:g}": {"diversity": share} for share in (0.25, 0.5, 0.75, 1.0)},
    "explore": {"explore": True},
    **{
        f"brand_safety_{rule.lower()}": {"filters": {"brand_safety": [rule]}}
        for rule in ("ADULT_AUDIENCE_ONLY", "ALCOHOL", "GAMBLING")
    },
}
ALWAYS = ("onboarding_status", "order_status")  # who is out by these can take no order whatsoever
RULES = ("max_open_orders", "exclusivity", c.TARGET_LANGUAGES)
# What each list is compared with, brief by brief.
BESIDE = dict.fromkeys(WISHES, SERVED) | dict.fromkeys((SERVED, *RULES), UNRULED)
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """A brief asked of the catalogue of its week, (n,) who is ``out`` for every brand and (n,) what the grade of each
    creator is worth to this one."""

    catalogue: Catalogue
    brief: pd.Series
    out: Flags
    gains: npt.NDArray[np.float64]


def run(data: Path, cache: Path) -> dict[str, object]:
    """Trains on the first part of the market in ``data`` and measures wishes and rules on its later briefs.

    Raises InputError when the folder has no ``truth/``.
    """
    if (truth := read_truth(data)) is None:
        raise bad("--data", "needs a simulated marketplace, with its truth/ folder", str(data))
    tables = read_tables(data)
    known = evidence(tables, truth["utility"])
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    bundle, later = trained_on_the_past(tables, known.cut, bank), known.after(known.cut)
    weeks = weekly(tables, [(case.as_of, case) for case in later], bundle, bank)
    each = (asked(catalogue, case) for catalogue, cases in weeks for case in cases)
    return evaluate(tqdm(each, "ranking", len(later)), bundle, bank)


def asked(catalogue: Catalogue, case: Case) -> Asked:
    """The case, asked of ``catalogue``."""
    found = rules(catalogue, {}, case.brief)
    out = np.logical_or.reduce([found[name] for name in ALWAYS])
    grades = case.grades.reindex(catalogue.state.ids).fillna(0).to_numpy(np.float64)
    return Asked(catalogue, case.brief, out, 2.0**grades - 1)


def evaluate(cases: Iterable[Asked], bundle: Bundle, bank: TextBank) -> dict[str, object]:
    """By list: NDCG@10, its difference from the list it is compared with (``BESIDE``), how alike its creators are, the
    share of new ones, and the Gini coefficient of who is shown how often among all who could be."""
    rows, shown, able = [], [], set[str]()
    for one in cases:
        found = {name: wish(one, bundle, bank, name) for name in WISHES} | unwished(one, bundle, bank)
        rows.append({name: scores(one, places) for name, places in found.items()})
        shown.append({name: one.catalogue.state.ids[places] for name, places in found.items()})
        able |= set(one.catalogue.state.ids[~one.out])
    measured = {name: pd.DataFrame([row[name] for row in rows]) for name in (*WISHES, UNRULED, *RULES)}
    exposure = {name: gini(_counts([row[name] for row in shown], able)) for name in measured}
    return {"briefs": len(rows)} | {
        name: _summary(found, measured[BESIDE.get(name, name)]) | {"gini": exposure[name]}
        for name, found in measured.items()
    }


def wish(one: Asked, bundle: Bundle, bank: TextBank, name: str) -> Rows:
    """The first ten of the whole path."""
    answer = rank(one.catalogue, bundle, bank, {"limit": DEPTH} | WISHES[name], one.brief)["results"]
    return one.catalogue.state.ids.get_indexer([result[c.CREATOR_ID] for result in answer]).astype(np.int64)


def unwished(one: Asked, bundle: Bundle, bank: TextBank) -> dict[str, Rows]:
    """The ranker's first ten of everyone, and under each of the RULES alone."""
    catalogue, rows = one.catalogue, np.flatnonzero(~one.out)
    pairs = pair_features(query_of(catalogue, bundle, bank, one.brief, {}), catalogue.state, rows)
    order = rows[np.lexsort((catalogue.state.ids[rows].to_numpy(), -bundle.ranker.score(pairs)))]
    obeyed = apply(catalogue.listing, wished(one.brief)).allowed.flags
    found = rules(catalogue, {}, one.brief) | {c.TARGET_LANGUAGES: ~obeyed, UNRULED: one.out}
    return {name: order[~found[name][order]][:DEPTH] for name in (UNRULED, *RULES)}


def scores(one: Asked, places: Rows) -> dict[str, float]:
    """NDCG@10, mean cosine between two of the creators, and the share of those with few jobs."""
    state = one.catalogue.state
    vectors = state.vectors[places]
    pairs = np.triu_indices(len(places), 1)
    return {
        "ndcg": ndcg(one.gains[places], one.gains[~one.out], DEPTH),
        "alikeness": float((vectors @ vectors.T)[pairs].mean()) if len(places) > 1 else 1.0,
        "new": float((state.frame["jobs"].to_numpy()[places] < FEW_JOBS).sum() / DEPTH),
    }


def _summary(found: pd.DataFrame, beside: pd.DataFrame) -> dict[str, object]:
    rng = np.random.default_rng(SEED)
    difference: Interval = bootstrap((found["ndcg"] - beside["ndcg"]).tolist(), rng)
    means = {str(name): float(mean) for name, mean in found.mean().items()}
    return means | {"difference": difference}


def _counts(shown: list[pd.Index], able: set[str]) -> npt.NDArray[np.float64]:
    counts = pd.Series(np.concatenate(shown)).value_counts()
    return counts.reindex(sorted(able), fill_value=0).to_numpy(np.float64)
