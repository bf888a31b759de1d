"""How long a write takes under load, and until every worker shows it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np

from tools.serving_bench.load import Call, steady

IN_A_ROW = 10  # answers on connections of their own, which the workers share by chance
PAUSE_S = 0.01


def visible(url: str, call: Callable[[int], Call], rate: float, writes: int) -> dict[str, float]:
    """Milliseconds from a creator's upsert to its answer, and from there until :data:`IN_A_ROW` profiles running show
    the creator, while ``call`` comes at ``rate`` a second."""
    with ThreadPoolExecutor(1) as beside:
        load = beside.submit(steady, url, call, rate, 2.0 * writes)
        found = np.array([_written(url, f"written-{number}") for number in range(writes)]) * 1000
        load.result()
    took, shown = np.median(found, axis=0)
    return {"write_ms": round(took, 1), "visible_ms": round(shown, 1), "visible_worst_ms": round(found[:, 1].max(), 1)}


def _written(url: str, creator_id: str) -> tuple[float, float]:
    row = {"creator_id": creator_id, "bio": "Street food and slow recipes", "country_code": "US", "language": "en"}
    began = time.perf_counter()
    httpx.post(f"{url}/v1/creators/upsert", json={"creators": [row]}, timeout=30).raise_for_status()
    answered = time.perf_counter()
    seen, last = 0, answered
    while seen < IN_A_ROW:
        there = httpx.post(f"{url}/v1/creators/profile", json={"creator_ids": [creator_id]}, timeout=30)
        seen, last = (seen + 1, last) if there.status_code == 200 else (0, time.perf_counter())
        time.sleep(PAUSE_S)
    return answered - began, last - answered
