"""Creators' fraud on simulated markets that no development has seen: five of world-1, five random worlds.

Each market trains on labels known two months before its end and is measured against the truth at the two month ends
after. What needs many rows (calibration, groups, look-alikes) is measured over all markets of a world together.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from features.asof import data_as_of
from features.schema import Tables
from features.tables import read_tables
from models.fraud import fit_fraud
from training import simulate as simulation
from training.evaluation.cases import read_truth
from training.evaluation.fraud import (
    MONTH,
    TEST_MONTHS,
    Truth,
    calibration,
    figures_of,
    month_ends,
    score_after,
)
from training.evaluation.fraud_groups import false_positives
from training.world import WORLD_1, random_world

SEEDS = {"world-1": range(21, 26), "random": range(31, 36)}
SIZE = {"creators": 2000, "briefs": 20, "days": 180}  # fraud does not read briefs
PARTS = ("model", "never_reviewed", "rules", "scenarios")
Market = tuple[Tables, Truth]


def run(data: Path, _: Path) -> dict[str, object]:
    """Simulates the markets into the folder ``data`` (those already there stay) and measures each: by world, the mean
    and standard deviation over markets of every figure, and the figures of all markets ``together``."""
    return {
        world: summary([measured(market(data, world, seed), seed) for seed in tqdm(seeds, world)])
        for world, seeds in SEEDS.items()
    }


def market(data: Path, world: str, seed: int) -> Market:
    """Tables and truth of that market, simulated into ``data`` where it is not there yet."""
    folder, rng = data / f"{world}-{seed}", np.random.default_rng(seed)
    if not (folder / "truth").is_dir():
        drawn = WORLD_1 if world == "world-1" else random_world(rng)
        simulation.write(simulation.simulate(drawn, **SIZE, rng=rng), folder)
    return read_tables(folder), read_truth(folder) or {}


def cutoff(tables: Tables) -> pd.Timestamp:
    """Two months before the end: labels known until then are learned from."""
    return data_as_of(tables) - TEST_MONTHS * MONTH


def measured(found: Market, seed: int) -> tuple[dict[str, Any], pd.DataFrame]:
    """The market's figures, and the rows at its month ends."""
    tables, truth = found
    until, rng = cutoff(tables), np.random.default_rng(seed)
    model = fit_fraud(tables, label_known_by=until, rng=rng)
    scored = score_after(model, tables, truth, until, TEST_MONTHS)
    return figures_of(scored, tables["fraud_labels"], until, rng), month_ends(scored)


def summary(markets: list[tuple[dict[str, Any], pd.DataFrame]]) -> dict[str, Any]:
    """Mean and standard deviation of the markets' figures by dotted name; all their rows ``together``."""
    rows = pd.concat([rows for _, rows in markets])
    by_market = pd.json_normalize([{name: found[name] for name in PARTS} for found, _ in markets])
    together = calibration(rows) | {"rows": len(rows), "false_positives": false_positives(rows)}
    return {"mean": by_market.mean().to_dict(), "sd": by_market.std().to_dict(), "together": together}
