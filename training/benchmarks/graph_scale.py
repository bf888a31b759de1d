"""How time and memory of the graph's detectors grow with the number of engagements.

A market of S engagements has S / 5 accounts and S / 50 creators with Pareto-distributed popularity, over 90 days, and
in S / 10,000 rings 12 of the accounts act on 8 of the creators within three days. Everything per head stays the same.
"""

import resource
import time

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.graph.creators import graph_features
from features.schema import complete
from training.benchmarks.training_scale import exponent

SIZES = (100_000, 300_000, 1_000_000, 3_000_000)
RING = (12, 8)  # accounts, creators
PER_RING = 10_000
TAIL = 2.0  # of popularity: a creator in a hundred has ten times the least
JOINS = 0.7  # of a ring's accounts on each of its creators
DAYS, START = 90, pd.Timestamp("2026-01-01")
AS_OF = START + pd.Timedelta(days=DAYS)
GIGABYTE = 1024**2  # of the kilobytes in which Linux counts ru_maxrss


def growth(seed: int) -> dict[str, object]:
    """Seconds by the clock and of the processor, peak memory of the process so far and share of the planted rings'
    creators in a group, for each of SIZES, ascending; and the power with which processor seconds grow."""
    rows = [measured(size, np.random.default_rng(seed)) for size in tqdm(SIZES, "sizes")]
    return {"sizes": rows, "exponent": exponent(SIZES, [row["cpu_seconds"] for row in rows])}


def measured(size: int, rng: np.random.Generator) -> dict[str, float]:
    """All graph features of all creators, and with them every group of every detector."""
    events, buyers = market(size, rng)
    tables = complete({"creators": pd.DataFrame({c.CREATOR_ID: events[c.CREATOR_ID].unique()}), "engagements": events})
    began, cpu = time.perf_counter(), time.process_time()
    found = graph_features(tables, AS_OF)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    flagged, guilty = (
        (found[["lockstep_share", "dense_share", "circle_share"]] > 0).any(axis=1),
        found.index.isin(buyers),
    )
    return {
        "engagements": len(events),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIGABYTE,
        "rings_found": float(flagged[guilty].mean()),
        "others_flagged": float(flagged[~guilty].mean()),
    }


def market(size: int, rng: np.random.Generator) -> tuple[pd.DataFrame, set[str]]:
    """``engagements`` and the creators that rings serve."""
    bots, buyers = (
        rng.permutation(size // per)[: size // PER_RING * side] for per, side in zip((5, 50), RING, strict=True)
    )
    account, creator = _popular(size // 5, size, rng), _popular(size // 50, size, rng)
    day = rng.uniform(0, DAYS, size)
    ring, begins = np.arange(len(bots) // RING[0]), rng.uniform(0, DAYS - 3, len(bots) // RING[0])
    ring, member, served = (part.ravel() for part in np.meshgrid(ring, *map(np.arange, RING), indexing="ij"))
    joins = rng.random(len(ring)) < JOINS
    arranged = slice(joins.sum())  # they take the place of as many others
    account[arranged] = bots[ring * RING[0] + member][joins]
    creator[arranged] = buyers[ring * RING[1] + served][joins]
    day[arranged] = (begins[ring] + rng.uniform(0, 3, len(ring)))[joins]
    names = pd.Index([f"c{one}" for one in range(size // 50)])
    events = pd.DataFrame({c.ACCOUNT_ID: account, c.CREATOR_ID: names[creator], c.ACTION: "LIKE"})
    times = START + pd.to_timedelta(day, unit="D")
    return events.assign(**{c.ACCOUNT_ID: "a" + events[c.ACCOUNT_ID].astype(str), c.EVENT_TIME: times}), set(
        names[buyers]
    )


def _popular(count: int, draws: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """(draws,) numbers below ``count``, each as often as it is popular."""
    popularity = 1 + rng.pareto(TAIL, count)
    return rng.choice(count, draws, p=popularity / popularity.sum())
