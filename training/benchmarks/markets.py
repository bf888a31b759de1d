"""Simulated markets that no development has seen: five of world-1, five random worlds, each trained and measured anew.

Also cold start: the history of a random twentieth of the creators is hidden when ranking, and their places compared.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.pairs import pair_features
from features.schema import Tables
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.ranking import query_of
from training import simulate as simulation
from training.benchmarks.marketplace import scores
from training.evaluation.briefs import measured
from training.evaluation.cases import Case, evidence, weekly
from training.evaluation.reading import ORACLE, RANKED
from training.evaluation.subject import trained_on_the_past
from training.world import WORLD_1, random_world

SEEDS = {"world-1": range(21, 26), "random": range(31, 36)}
SIZE = {"creators": 2000, "briefs": 800, "days": 180}
HISTORY = ("collaboration_events", "impressions", "fraud_labels", "daily_stats", "engagements")
HIDDEN = 0.05


def run(data: Path, cache: Path) -> dict[str, object]:
    """Simulates the markets into the folder ``data`` (those already there stay) and measures each: by world, the mean
    and standard deviation over markets of every score, and the scores of each market."""
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    answer: dict[str, object] = {}
    for world, seeds in SEEDS.items():
        found = pd.DataFrame({seed: market(simulated(data, world, seed), seed, bank) for seed in seeds}).T
        answer[world] = {"mean": found.mean().to_dict(), "sd": found.std().to_dict(), "markets": found.T.to_dict()}
    return answer


def simulated(data: Path, world: str, seed: int, size: Mapping[str, int] = SIZE) -> Path:
    """The folder of the market in ``data``, simulated at that ``size`` where it is not there yet."""
    folder = data / f"{world}-{seed}"
    if not (folder / "truth").is_dir():
        rng = np.random.default_rng(seed)
        drawn = WORLD_1 if world == "world-1" else random_world(rng)
        simulation.write(simulation.simulate(drawn, **size, rng=rng), folder)
    return folder


def market(folder: Path, seed: int, bank: TextBank) -> dict[str, float]:
    """Mean scores over one market's later briefs, the share of the oracle's NDCG@10 and how much of their places the
    hidden creators keep."""
    tables, utility = read_tables(folder), pd.read_parquet(folder / "truth" / "utility.parquet")
    known = evidence(tables, utility)
    later, bundle = known.after(known.cut), trained_on_the_past(tables, known.cut, bank)
    means = {str(name): float(mean) for name, mean in scores(measured(tables, later, bundle, bank)).mean().items()}
    kept = cold_start(tables, later, bundle, bank, np.random.default_rng(seed))
    return means | {"share_of_oracle": means[RANKED] / means[ORACLE], "cold_start": kept}


def cold_start(tables: Tables, cases: list[Case], bundle: Bundle, bank: TextBank, rng: np.random.Generator) -> float:
    """Mean of 1 / log2(1 + rank) of a random twentieth of the creators with their history hidden, over that with it
    seen."""
    ids = tables["creators"][c.CREATOR_ID].unique()
    hidden = pd.Index(rng.choice(ids, int(HIDDEN * len(ids)), replace=False))
    bare = {
        name: frame[~frame[c.CREATOR_ID].isin(hidden)] if name in HISTORY else frame for name, frame in tables.items()
    }
    seen, unseen = (np.mean(list(_places(known, cases, hidden, bundle, bank))) for known in (tables, bare))
    return float(unseen / seen)


def _places(tables: Tables, cases: list[Case], ids: pd.Index, bundle: Bundle, bank: TextBank) -> Iterator[float]:
    for catalogue, briefs in weekly(tables, [(case.as_of, case.brief) for case in cases], bundle, bank):
        for brief in briefs:
            yield float((1 / np.log2(1 + ranks(catalogue, brief, bundle, bank))).reindex(ids).mean())


def ranks(catalogue: Catalogue, brief: pd.Series, bundle: Bundle, bank: TextBank) -> pd.Series:
    """creator_id → the rank for the brief of everyone who may be ranked, 1 the best."""
    rows = np.flatnonzero(catalogue.state.rankable)
    scores = bundle.ranker.score(pair_features(query_of(catalogue, bundle, bank, brief, {}), catalogue.state, rows))
    return pd.Series(-scores, index=catalogue.state.ids[rows]).rank(method="first")
