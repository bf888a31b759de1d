"""The engagement graph: whom its detectors flag in simulated markets, what each of its features is worth alone, and how
time grows.

Markets of world-1 as it is, and with FULLER times the engagements and accounts: the world's log is a sample of some 30
acts a creator, a platform's own log is not. Truth is read here only to measure.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from features import columns as c
from features.asof import data_as_of, known
from features.graph.creators import GRAPH_FEATURES, Graph, graph_features
from features.graph.evidence import Group
from features.tables import read_tables
from models.measures import average_precision
from training import simulate as simulation
from training.benchmarks.graph_scale import growth
from training.evaluation.fraud_groups import WINDOW
from training.simulate import fraud_target
from training.world import WORLD_1, World

SEED = 0
SEEDS = range(100, 105)
SIZE = {"creators": 2000, "briefs": 200, "days": 180}
FULLER = 10
_FULL = replace(
    WORLD_1.accounts,
    engagements_mean=FULLER * WORLD_1.accounts.engagements_mean,
    per_creator=FULLER * WORLD_1.accounts.per_creator,
)
WORLDS = {"world-1": WORLD_1, "fuller-log": replace(WORLD_1, accounts=_FULL)}
DETECTORS = ("lockstep", "dense", "circles", "pods")


def run(data: Path, _: Path) -> dict[str, object]:
    """Simulates the markets into the folder ``data`` (those already there stay) and measures each at the two ends of 90
    days; and the growth of time on markets of their own."""
    answer: dict[str, object] = {"growth": growth(SEED)}
    for name, world in WORLDS.items():
        rows = pd.concat([market(data / f"{name}-{seed}", world, seed) for seed in tqdm(SEEDS, name)])
        answer[name] = {"detectors": detectors(rows), "alone": alone(rows)}
    return answer


def market(folder: Path, world: World, seed: int) -> pd.DataFrame:
    """A row for each creator and date: GRAPH_FEATURES, flagged by each of DETECTORS, ``target``, ``innocent`` and
    ``seed``, and for each kind of campaign in the 90 days before whether the creator had it."""
    if not (folder / "truth").is_dir():
        simulation.write(simulation.simulate(world, **SIZE, rng=np.random.default_rng(seed)), folder)
    tables = read_tables(folder)
    truth = {path.stem: pd.read_parquet(path) for path in (folder / "truth").glob("*.parquet")}
    end = data_as_of(tables)
    return pd.concat([_rows(known(tables, date), truth, date) for date in (end - WINDOW, end)]).assign(seed=seed)


def _rows(tables: dict[str, pd.DataFrame], truth: dict[str, pd.DataFrame], as_of: pd.Timestamp) -> pd.DataFrame:
    rows = graph_features(tables, as_of)
    graph = Graph.of(tables, as_of)
    for name in DETECTORS:
        rows[name] = rows.index.isin(flagged(getattr(graph, name)))
    campaigns = truth["campaigns"]
    near = campaigns[(campaigns[c.PERIOD_START] < as_of) & (campaigns[c.PERIOD_END] >= as_of - WINDOW)]
    for kind, part in near.groupby(c.FRAUD_TYPE):
        rows[str(kind)] = rows.index.isin(part[c.CREATOR_ID])
    return rows.assign(target=fraud_target(truth, as_of).reindex(rows.index).astype(bool))


def flagged(groups: list[Group]) -> set[str]:
    """The creators of any group."""
    return {creator for one in groups for creator in one.creators}


def detectors(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Of each detector, and of any: how many it flags, the precision, and of each kind of campaign the share flagged,
    of the guilty in ``target`` for fraud and of the others for the innocent kinds and ``nothing``."""
    found = {name: rows[name] for name in DETECTORS} | {"any": rows[list(DETECTORS)].any(axis=1)}
    kinds = dict(_kinds(rows))
    return {
        name: {"flagged": int(flags.sum()), "precision": float(rows.loc[flags, "target"].mean())}
        | {kind: float(flags[theirs].mean()) for kind, theirs in kinds.items()}
        for name, flags in found.items()
    }


def alone(rows: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Of each feature and kind of fraud, ranking the guilty of that kind against everyone who is not ``target``: AUROC
    and PR-AUC, mean and standard deviation over seeds, and the share of the guilty, which chance reaches in PR-AUC.
    Unknown counts as 0."""
    kinds = {name: theirs for name, theirs in _kinds(rows) if rows.loc[theirs, "target"].all()}
    return {name: {kind: _alone(rows, name, theirs) for kind, theirs in kinds.items()} for name in GRAPH_FEATURES}


def _alone(rows: pd.DataFrame, feature: str, theirs: pd.Series) -> dict[str, float]:
    found = pd.DataFrame([_ranked(part, feature) for _, part in rows[theirs | ~rows["target"]].groupby("seed")])
    spread = found.std().drop("share").add_suffix("_sd")
    return {str(name): float(value) for name, value in pd.concat([found.mean(), spread]).items()}


def _ranked(rows: pd.DataFrame, feature: str) -> dict[str, float]:
    score, guilty = rows[feature].fillna(0).to_numpy(np.float64), rows["target"].to_numpy(np.float64)
    auroc = float(roc_auc_score(guilty, score))
    return {"auroc": auroc, "pr_auc": average_precision(score, guilty), "share": float(guilty.mean())}


def _kinds(rows: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Each kind of campaign with those who had it and are what it makes them; and ``nothing``: those without any."""
    kinds = [name for name in rows.columns if name.isupper()]
    had = rows[kinds].fillna(False).astype(bool)
    innocent = {kind.name for kind in WORLD_1.fraud.innocents}
    for kind in kinds:
        yield kind, had[kind] & (rows["target"] != (kind in innocent))
    yield "nothing", ~had.any(axis=1) & ~rows["target"]
