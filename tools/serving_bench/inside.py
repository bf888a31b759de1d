"""What a rank request costs inside the process, beside what no service could leave out, and what the narrow first stage
loses."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from features.bank import TextBank
from features.pairs import pair_features
from features.queries import Query
from features.trace import tracing
from models.bitmaps import Subset
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.eligibility import eligible
from models.engine import brief_row
from models.measures import Interval, bootstrap
from models.ranking import CANDIDATES, query_of, rank
from models.retriever import retrieve

AT_A_TIME = 50_000
FIRST = 10
SELECTIVITIES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001, 0.0001)
K = 200
DEPTHS = (100, 200, 300, 500, 700, 1000, 2000, 5000, 25_000)  # CANDIDATES is one of them


def costs(
    catalogue: Catalogue, bundle: Bundle, bank: TextBank, requests: Sequence[Mapping[str, Any]], repeats: int,
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """Milliseconds of the whole path with a warm brief, of its stages, and of the irreducible parts: the index's search
    among those allowed and LightGBM's predict over as many candidates; and how much more reasons cost, and filters that
    nobody has given before."""
    found = [one for request in requests for one in _costs_of(catalogue, bundle, bank, request, repeats, rng)]
    whole, least, explained, unseen, stages = (list(values) for values in zip(*found, strict=True))
    return {
        "rank_ms": _median(whole), "irreducible_ms": _median(least),
        "ratio": round(float(np.median(np.array(whole) / np.array(least))), 2),
        "explain_extra_ms": round(_median(explained) - _median(whole), 2),
        "unseen_filters_extra_ms": round(_median(unseen) - _median(whole), 2),
        "stages_ms": {name: _median([1000 * one[name] for one in stages if name in one]) for name in stages[0]},
    }  # fmt: skip


def _costs_of(
    catalogue: Catalogue, bundle: Bundle, bank: TextBank, request: Mapping[str, Any], repeats: int,
    rng: np.random.Generator,
) -> list[tuple[float, float, float, float, Mapping[str, float]]]:  # fmt: skip
    """For each repeat: the whole path, the irreducible parts, the path with reasons and with other filters, and the
    stages."""
    brief = brief_row(request, catalogue.latest)
    allowed = eligible(catalogue, request, brief).allowed
    query = query_of(catalogue, bundle, bank, brief, {})
    rows = retrieve(query, catalogue.state, catalogue.index, allowed, CANDIDATES)
    matrix = bundle.ranker._matrix(pair_features(query, catalogue.state, rows))

    def once(**more: Any) -> float:
        return _ms(lambda: rank(catalogue, bundle, bank, {**request, **more}, brief))

    def least() -> float:
        search = _ms(lambda: catalogue.index.search(query.vector, CANDIDATES, allowed))
        return search + _ms(lambda: bundle.ranker.booster.predict(matrix, num_threads=1))

    once()  # warms the brief
    found = []
    for _ in range(repeats):
        with tracing() as trace:
            whole = once()
        unseen = once(filters=_varied(request["filters"], rng))
        found.append((whole, least(), once(explain=True), unseen, dict(trace.seconds)))
    return found


def _varied(filters: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Filters that let almost the same creators through, and are written otherwise."""
    words = {"country_codes": list(rng.permutation(filters["country_codes"]))}
    bounds = {name: filters[name] * rng.uniform(0.99, 1) for name in ("min_followers", "max_fraud_probability")}
    return words | bounds


def recall(catalogue: Catalogue, queries: Sequence[Query], rng: np.random.Generator) -> dict[str, float]:
    """Of the :data:`K` nearest among the allowed, by an exact scan, the share that the index finds, by selectivity.
    Ties of the last one count as found."""
    vectors, found = catalogue.state.vectors, {}
    for share in SELECTIVITIES:
        allowed = Subset.of(rng.random(len(vectors)) < share)
        rows = allowed.rows
        k = min(K, len(rows))
        hits = []
        for query in queries:
            worst = np.partition(vectors[rows] @ query.vector, -k)[-k] if k else 0.0
            hits.append(float((catalogue.index.search(query.vector, K, allowed)[1] >= worst - 1e-6).sum() / max(k, 1)))
        found[f"{share:.2%}"] = round(float(np.mean(hits)), 4)
    return found


def fidelity(
    catalogue: Catalogue, bundle: Bundle, bank: TextBank, requests: Sequence[Mapping[str, Any]],
    rng: np.random.Generator,
) -> dict[int, dict[str, Interval]]:  # fmt: skip
    """By depth, in the mean of the requests: the share ``kept`` of the first :data:`FIRST` of a ranking of everyone
    allowed that are among so many candidates of the first stage, and how much more or less that is than among those
    that are served."""
    found = pd.DataFrame([_kept(catalogue, bundle, bank, request) for request in requests])
    more = found.sub(found[CANDIDATES], axis=0)
    return {
        depth: {"kept": bootstrap(found[depth].tolist(), rng), "minus_served": bootstrap(more[depth].tolist(), rng)}
        for depth in DEPTHS
    }


def _kept(catalogue: Catalogue, bundle: Bundle, bank: TextBank, request: Mapping[str, Any]) -> dict[int, float]:
    """Whoever scores as well as the last of the first counts as one of them, since many creators are copies."""
    brief, state = brief_row(request, catalogue.latest), catalogue.state
    allowed = eligible(catalogue, request, brief).allowed
    query, rows = query_of(catalogue, bundle, bank, brief, {}), allowed.rows
    scores = np.full(allowed.size, -np.inf)
    for part in np.array_split(rows, max(1, len(rows) // AT_A_TIME)):
        scores[part] = bundle.ranker.score(pair_features(query, state, part))
    last = np.sort(scores)[-FIRST]
    found = {depth: retrieve(query, state, catalogue.index, allowed, depth) for depth in DEPTHS}
    return {depth: min(1.0, float(np.sum(scores[kept] >= last)) / FIRST) for depth, kept in found.items()}


def requests_of(briefs: pd.DataFrame, count: int) -> list[dict[str, Any]]:
    """Rank requests for the latest briefs, with filters that a brand would set and 20 places."""
    filters = {
        "country_codes": ["US", "BR", "ID", "IN", "JP", "MX", "GB"], "min_followers": 1000,
        "max_fraud_probability": 0.8,
    }  # fmt: skip
    latest = briefs.sort_values("created_at", kind="stable").tail(count)
    return [{"brief": _given(row), "limit": 20, "filters": filters} for row in latest.to_dict("records")]


def _given(row: Mapping[Any, Any]) -> dict[str, Any]:
    """What a brief says, without the language filter that one with target_languages carries, and without its date."""
    said = {str(name): value for name, value in row.items() if name not in ("created_at", "target_languages")}
    return {name: value for name, value in said.items() if (value if isinstance(value, list) else pd.notna(value))}


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def _median(values: Sequence[float]) -> float:
    return round(float(np.median(values)), 2)
