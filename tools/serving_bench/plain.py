"""The plain service that ours is held against: FastAPI, pandas filters, a flat FAISS index and ``Booster.predict``.

It answers the same question from the same catalogue, release and features: it embeds the brief, filters, retrieves as
many candidates, scores them with the same trees and answers with the best. It writes and explains nothing.

Run as ``python -m tools.serving_bench.plain RELEASE CATALOGUE CACHE DEPTH PORT WORKERS``.
"""

import sys
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pandas as pd
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from features import columns as c
from features.pairs import pair_features
from features.queries import build_query
from models.bundle import Bundle
from models.engine import bank_for, brief_row
from models.ranker import SERVED_POSITION
from models.shelf import load_catalogue


class Request(BaseModel):
    """What the benchmark asks."""

    brief: dict[str, Any]
    filters: dict[str, Any] = {}
    limit: int = 20


def build(release: Path, folder: Path, cache: Path, depth: int) -> FastAPI:
    """The application."""
    bundle, catalogue = Bundle.load(release), load_catalogue(folder)
    bank, state = bank_for(bundle, cache), catalogue.state
    table = pd.DataFrame(
        {
            c.COUNTRY_CODE: state.countries.series(state.ids).to_numpy(),
            c.FOLLOWERS_COUNT: state.frame["followers_count"].to_numpy(),
            "fraud_probability": state.frame["fraud_probability"].to_numpy(),
            "open": ~np.any(list(catalogue.closed.values()), axis=0),
        }
    )
    flat = faiss.IndexFlatIP(state.vectors.shape[1])
    flat.add(np.ascontiguousarray(state.vectors))
    app = FastAPI()

    @app.post("/v1/creators/rank")
    def rank(request: Request) -> dict[str, Any]:
        asked = request.filters
        rows = table[table["open"]]
        rows = rows[rows[c.COUNTRY_CODE].isin(asked["country_codes"])] if "country_codes" in asked else rows
        rows = rows[rows[c.FOLLOWERS_COUNT] >= asked["min_followers"]] if "min_followers" in asked else rows
        if "max_fraud_probability" in asked:
            rows = rows[~(rows["fraud_probability"] > asked["max_fraud_probability"])]
        brief = brief_row({"brief": request.brief}, catalogue.latest)
        query = build_query(brief, state, bank, bundle.idf, catalogue.engaged, catalogue.latest)
        vector = bundle.towers.briefs(query.inputs[None])
        parameters = faiss.SearchParameters()
        parameters.sel = selector = faiss.IDSelectorBatch(rows.index.to_numpy(np.int64))
        found = flat.search(vector, depth, params=parameters)[1][0]
        del selector
        found = found[found >= 0]
        pairs = pair_features(query, state, found)
        matrix = np.hstack([pairs[list(bundle.ranker.features)], np.full((len(pairs), 1), SERVED_POSITION)])
        scores = bundle.ranker.booster.predict(matrix, num_threads=1)
        best = np.argsort(-scores, kind="stable")[: request.limit]
        return {
            "results": [
                {"creator_id": state.ids[found[i]], "rank": place, "score": float(scores[i])}
                for place, i in enumerate(best, 1)
            ]
        }

    return app


def made() -> FastAPI:
    """The application of the command line: each worker builds its own."""
    faiss.omp_set_num_threads(1)
    _, release, folder, cache, depth, *_ = sys.argv
    return build(Path(release), Path(folder), Path(cache), int(depth))


if __name__ == "__main__":
    port, workers = map(int, sys.argv[-2:])
    uvicorn.run("tools.serving_bench.plain:made", factory=True, port=port, workers=workers, log_level="warning")
