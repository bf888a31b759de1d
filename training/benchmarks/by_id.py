"""How many answers by id one core gives, one creator at a time: computed from its rows, and told from what was kept.

Rows are in memory here: what a database adds to a first answer is not in the figures. Rates are answers per second of
CPU.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from features import columns as c
from features.source import InMemory
from features.tables import read_tables
from features.text import EMBEDDINGS
from models.engine import Engine
from models.registry import local_champion

SEED = 0
ASKED = 60
ROUNDS = 50
Answer = dict[str, Any]


def run(data: Path, home: Path) -> dict[str, object]:
    """For credit and fraud scores of ASKED creators, drawn by lot: ``computed`` (the first answer of each), ``kept``
    (ROUNDS more of each), ``ratio`` between the two, and ``together`` (computed in one request); of credit also
    ``dated``, at a moment that the request names, which is computed every time.

    Raises InputError without data or a promoted release.
    """
    tables = read_tables(data)
    engine = Engine.load(local_champion(home), InMemory(tables), home / EMBEDDINGS)
    everyone = tables["creators"][c.CREATOR_ID].unique()
    ids = np.random.default_rng(SEED).permutation(everyone)[: 2 * ASKED]
    now = engine.as_of.isoformat()
    return {
        "creators": len(everyone),
        "credit": measured(engine.credit, ids)
        | {"dated": rate(lambda one: engine.credit(one | {"as_of": now}), ids[:ASKED])},
        "fraud": measured(engine.fraud_score, ids),
    }


def measured(ask: Callable[[Answer], Answer], ids: Iterable[str]) -> dict[str, float]:
    """Answers per second; of those who are asked for alone and those who are asked for together."""
    alone, others = np.array_split(np.asarray(ids), 2)
    computed, kept = rate(ask, alone), rate(ask, np.tile(alone, ROUNDS))
    began = time.process_time()
    ask({"creator_ids": list(others)})
    together = len(others) / (time.process_time() - began)
    return {"computed": computed, "kept": kept, "ratio": kept / computed, "together": together}


def rate(ask: Callable[[Answer], Answer], ids: Iterable[str]) -> float:
    """Answers per second of CPU, one creator in each request."""
    requests = [{"creator_ids": [creator_id]} for creator_id in ids]
    began = time.process_time()
    for request in requests:
        ask(request)
    return len(requests) / (time.process_time() - began)
