"""How long training the match models takes, and how much memory, as the whole marketplace grows tenfold and again.

A marketplace is made of regions, each simulated by itself (the simulator asks every creator about every brief, which
nobody waits for with a hundred thousand of them) and then trained on as one: every brief is read against the creators
of all regions. Fraud is another model with other data: its tables are left out, and the scores it would give are null.
"""

import resource
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.memory import return_freed_arrays
from features.tables import read_tables, write_tables
from features.text import EmbeddingCache, load_encoder
from training import simulate as simulation
from training.fit import fit_matching, term_weights
from training.world import WORLD_1

REGIONS = (1, 10, 100)
REGION = {"creators": 1000, "briefs": 400, "days": 180}  # 10,000 impressions
READ = (
    "creators", "creator_prices", "audience", "videos", "daily_stats", "briefs", "impressions", "collaboration_events",
)  # fmt: skip
TIME = {
    "daily_stats": c.DATE, "briefs": c.CREATED_AT, "impressions": c.SHOWN_AT, "collaboration_events": c.EVENT_TIME,
    "accounts": c.CREATED_AT, "engagements": c.EVENT_TIME, "fraud_labels": c.KNOWN_AT,
}  # fmt: skip
"""The tables that are in order of time, as a platform that appends has them; the others are in order of creators."""
RATES = "exchange_rates.parquet"
SEED = 0
T = TypeVar("T")


def run(data: Path, cache: Path) -> dict[str, object]:
    """Makes the marketplaces in the folder ``data`` (what is there already stays), trains on each in a process of its
    own, and answers what :func:`measure` found and the exponents of growth with the number of impressions."""
    sizes = [alone(measure, alone(marketplace, regions, data), cache) for regions in REGIONS]
    costs = {name: [size[name] for size in sizes] for name in sizes[0]}
    growth = {name: exponent(costs["impressions"], costs[name]) for name in ("seconds", "cpu_seconds", "peak_gb")}
    return {"sizes": sizes, "exponents": growth}


def measure(folder: Path, cache: Path) -> dict[str, float]:
    """Size of the marketplace in ``folder``; seconds, by the clock and of the processor, to train the match models on
    it once its texts are embedded (that takes ``embedding_seconds``, once for all trainings), and the peak memory of
    this process, tables and all."""
    return_freed_arrays()
    tables = read_tables(folder)
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    began = time.perf_counter()
    term_weights(tables, bank)
    embedded, cpu = time.perf_counter(), time.process_time()
    fit_matching(tables, bank, np.random.default_rng(SEED), progress=True)
    return {
        "impressions": len(tables["impressions"]),
        "creators": tables["creators"][c.CREATOR_ID].nunique(),
        "embedding_seconds": embedded - began,
        "seconds": time.perf_counter() - embedded,
        "cpu_seconds": time.process_time() - cpu,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def alone(task: Callable[..., T], *arguments: object) -> T:
    """What ``task`` answers in a fresh process, whose memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(task, *arguments).result()


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """b of the least-squares line log cost = a + b log size: 1 is linear growth."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def marketplace(regions: int, data: Path, region: Mapping[str, int] = REGION, read: Sequence[str] = READ) -> Path:
    """The folder of the marketplace made of the first so many regions, each of the size ``region``, with the tables
    ``read``; simulated where it is not there yet."""
    folder = data / f"{regions}-regions"
    if not (folder / RATES).is_file():
        parts = [_region(place, data, region) for place in range(regions)]
        folder.mkdir(parents=True, exist_ok=True)
        for name in read:
            tables = [_named(pd.read_parquet(part / f"{name}.parquet"), place) for place, part in enumerate(parts)]
            joined = pd.concat(tables).sort_values(TIME.get(name, c.CREATOR_ID), kind="stable")
            joined.to_parquet(folder / f"{name}.parquet", index=False)
        shutil.copy(parts[0] / RATES, folder)  # the same currencies everywhere
    return folder


def _region(place: int, data: Path, size: Mapping[str, int]) -> Path:
    folder = data / f"region-{place}"
    if not folder.is_dir():
        simulated = simulation.simulate(WORLD_1, **size, rng=np.random.default_rng([SEED, place]))
        write_tables(simulated.tables, folder)
    return folder


def _named(table: pd.DataFrame, region: int) -> pd.DataFrame:
    """The table with ids that no other region has."""
    ids = [name for name in table if name.endswith("_id") or name == c.REFERS_TO]
    return table.assign(**{name: f"{region}-" + table[name] for name in ids})
