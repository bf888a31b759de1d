"""How long scoring every creator for fraud takes, from tables to probabilities in one pass, and how much memory.

Marketplaces are made of regions, as in :mod:`training.benchmarks.training_scale`; the model learns from the first.
"""

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from features.asof import data_as_of, known
from features.tables import read_tables
from models.accounts import AccountModel
from models.fraud import FraudModel, fit_fraud
from training.benchmarks.training_scale import SEED, alone, exponent, marketplace

REGIONS = (10, 30, 100)
REGION = {"creators": 1000, "briefs": 20, "days": 180}
READ = ("creators", "audience", "videos", "daily_stats", "accounts", "engagements", "fraud_labels")
ACCOUNTS = "accounts"  # beside the model that reads it
STEPS = ("read", "known", "features", "predict")
T = TypeVar("T")


def run(data: Path, _: Path) -> dict[str, object]:
    """Makes the marketplaces in the folder ``data`` (what is there already stays), scores each in a process of its own,
    and answers what :func:`measure` found and the exponents of growth with the number of creators."""
    model = alone(learned, alone(marketplace, 1, data, REGION, READ), data / "model")
    folders = [alone(marketplace, regions, data, REGION, READ) for regions in REGIONS]
    sizes = [alone(measure, folder, model) for folder in folders]
    costs = {name: [size[name] for size in sizes] for name in sizes[0]}
    growth = {name: exponent(costs["creators"], costs[name]) for name in ("seconds", "cpu_seconds", "peak_gb", *STEPS)}
    return {"sizes": sizes, "exponents": growth}


def learned(folder: Path, model: Path) -> Path:
    """Where the model of the marketplace in ``folder`` was saved."""
    tables = read_tables(folder)
    fitted = fit_fraud(tables, label_known_by=data_as_of(tables), rng=np.random.default_rng(SEED))
    fitted.save(model)
    if fitted.accounts is not None:
        fitted.accounts.save(model / ACCOUNTS)
    return model


def measure(folder: Path, model: Path) -> dict[str, float]:
    """Size of the marketplace in ``folder``; seconds, by the clock and of the processor, from its tables in memory to a
    probability of every creator, without reasons; of the processor's those of each of STEPS, of which ``read`` comes
    before; and the peak memory of this process, tables and all."""
    steps: dict[str, float] = {}
    tables = _timed(steps, "read", lambda: read_tables(folder))
    scorer, as_of = FraudModel.load(model, AccountModel.load(model / ACCOUNTS)), data_as_of(tables)
    began, cpu = time.perf_counter(), time.process_time()
    seen = _timed(steps, "known", lambda: known(tables, as_of, as_of))
    features = _timed(steps, "features", lambda: scorer.features(seen, as_of))
    scores = _timed(steps, "predict", lambda: scorer.predict(features))
    return {
        "creators": len(scores),
        "scored": int(scores.notna().sum()),
        "daily_rows": len(tables["daily_stats"]),
        "engagements": len(tables["engagements"]),
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    } | steps


def _timed(steps: dict[str, float], name: str, step: Callable[[], T]) -> T:
    began = time.process_time()
    answer = step()
    steps[name] = time.process_time() - began
    return answer
