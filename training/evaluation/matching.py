"""What was measured brief by brief, as means with bootstrap intervals over briefs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from features import columns as c
from models.measures import Interval, bootstrap, bootstrap_of, coverage, gini
from training.evaluation.briefs import Found
from training.evaluation.reading import ORACLE, RANKED

MEASURES = ("ndcg10", "map", "mrr")
LEAST = 10  # briefs of a slice; fewer say nothing
BY_BRIEF = ("objective", "brief_language")


def matching_figures(found: Found, rng: np.random.Generator) -> dict[str, Any]:
    """JSON-able figures of ranking, retriever, exposure and slices; a brief that got nothing counts as zero."""
    lists, slices = pd.DataFrame(found.lists), pd.DataFrame(found.slices)
    ranking = {
        str(method): {name: bootstrap(rows[name].tolist(), rng) for name in MEASURES}
        for method, rows in lists.groupby("method", sort=False)
    }
    by_brief = lists.pivot(index=c.BRIEF_ID, columns="method", values="ndcg10")
    return {
        "briefs": len(by_brief),
        "eligible": float(lists["eligible"].mean()),
        "wanting_nobody": int((~lists.drop_duplicates(c.BRIEF_ID)["wanted"]).sum()),
        "ranking": ranking,
        "lead": {name: bootstrap((by_brief[RANKED] - by_brief[name]).tolist(), rng) for name in rivals(ranking)},
        "share_of_oracle": _share(by_brief, rng) if ORACLE in by_brief else None,
        "retriever": _retriever(pd.DataFrame(found.retrieved), rng),
        "exposure": exposure_figures(found),
        "slices": {name: _by_brief(lists, name, rng) for name in BY_BRIEF}
        | {str(name): _by_creator(rows, rng) for name, rows in slices.groupby("family", sort=False)},
    }


def rivals(methods: Mapping[str, Any]) -> list[str]:
    """The methods beside the whole path that do not know the truth."""
    return [name for name in methods if name not in (RANKED, ORACLE)]


def _share(by_brief: pd.DataFrame, rng: np.random.Generator) -> Interval:
    """Mean NDCG@10 of the whole path over the oracle's."""
    ranked, oracle = by_brief[RANKED].to_numpy(), by_brief[ORACLE].to_numpy()
    return bootstrap_of(lambda rows: float(ranked[rows].mean() / oracle[rows].mean()), np.arange(len(ranked)), rng)


def _retriever(retrieved: pd.DataFrame, rng: np.random.Generator) -> dict[str, dict[str, Interval]]:
    """Method → k → recall@k."""
    return {
        str(method): {str(k): bootstrap(some["recall"].tolist(), rng) for k, some in rows.groupby("k")}
        for method, rows in retrieved.groupby("method", sort=False)
    }


def exposure_figures(found: Found) -> dict[str, dict[str, float]]:
    """Method → coverage and Gini over all ``candidates`` of what each got of the first ten places."""
    creators = sorted(found.candidates)
    got = {name: pd.Series(one, dtype=float).reindex(creators).fillna(0.0) for name, one in found.exposure.items()}
    return {
        name: {"coverage": coverage(one.to_numpy()), "gini": gini(one.to_numpy())}
        for name, one in got.items()
        if name != ORACLE
    }


def _by_brief(lists: pd.DataFrame, trait: str, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    return {
        str(group): _slice(rows, rng) for group, rows in lists.groupby(trait) if rows[c.BRIEF_ID].nunique() >= LEAST
    }


def _by_creator(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Over the briefs for which somebody in the group was worth something; shares are over all briefs."""
    every = rows[rows["method"] == RANKED].groupby("group")[["places", "candidates", "all"]].sum()
    places = rows[rows["method"] == RANKED].groupby(c.BRIEF_ID)["places"].sum().sum()
    found = {}
    for group, some in rows[rows["wanted"]].groupby("group"):
        if some[c.BRIEF_ID].nunique() >= LEAST:
            of = every.loc[group]
            shares = {"of_places": _ratio(of["places"], places), "of_candidates": _ratio(of["candidates"], of["all"])}
            found[str(group)] = _slice(some, rng) | shares
    return found


def _slice(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    """Briefs, and NDCG@10 by method."""
    ndcg10 = {
        str(name): bootstrap(some["ndcg10"].tolist(), rng)
        for name, some in rows.groupby("method", sort=False)
        if name != ORACLE
    }
    return {"briefs": int(rows[c.BRIEF_ID].nunique()), "ndcg10": ndcg10}


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
