"""The ranker's settings on a simulated marketplace: tuned inside the past, then measured once on the later briefs.

What a grade is worth and how deep LambdaMART looks are measured there too, one at a time over the served settings; they
are evidence, nothing is chosen by them.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.asof import data_as_of, exported
from features.bank import TextBank
from features.errors import bad
from features.pairs import Values, pair_features
from features.schema import Tables, complete
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.fraud import fit_fraud
from models.measures import Interval, bootstrap, ndcg
from models.ranker import Ranker
from models.ranking import eligible, query_of
from training.benchmarks.marketplace import DEPTH, SEED, TRAINED_UNTIL, weekly
from training.fit import Trained, bundle_of, prepared
from training.matching import RankingRows, fit_towers_and_rows
from training.tune import GAINS, SERVED, Settings, fitted, tune

SEEDS = range(2)  # of the rankers measured
TRUNCATIONS = (10, 20, 30, 50)
VARIANTS: dict[str, Settings] = {f"gains {name}": {"gains": name} for name in GAINS} | {
    f"truncation {depth}": {"lambdarank_truncation_level": depth} for depth in TRUNCATIONS
}


@dataclass(frozen=True)
class Candidates:
    """All who may be offered a brief, with what the ranker sees of each and the gain by the truth (k,)."""

    pairs: pd.DataFrame
    gains: Values


@dataclass(frozen=True)
class Market:
    """What the past teaches the ranker, and the later briefs' candidates."""

    rows: RankingRows
    later: list[Candidates]

    def ndcg(self, settings: Settings) -> Values:
        """(briefs,) NDCG@10 by the truth of rankers with ``settings``, mean over SEEDS."""
        return np.mean([self._scored(fitted(self.rows, settings, seed)) for seed in SEEDS], axis=0)

    def _scored(self, ranker: Ranker) -> list[float]:
        orders = [(one.gains, np.argsort(-ranker.score(one.pairs), kind="stable")) for one in self.later]
        return [ndcg(gains[order], gains, DEPTH) for gains, order in orders]


def run(data: Path, cache: Path) -> dict[str, object]:
    """Tunes on the past of the marketplace in ``data`` and measures tuned, served and varied settings on the rest.

    Raises InputError when the folder has no ``truth/``.
    """
    if not (data / "truth").is_dir():
        raise bad("--data", "needs a simulated marketplace, with its truth/ folder", str(data))
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    market = simulated(read_tables(data), pd.read_parquet(data / "truth" / "utility.parquet"), bank)
    tuned = tune(market.rows, seed=SEED)
    served = market.ndcg(SERVED)
    return {
        "tuning": asdict(tuned),
        "served": _mean(served),
        "tuned_minus_served": _mean(market.ndcg(tuned.settings) - served),
        "variants_minus_served": {
            name: _mean(market.ndcg(settings) - served) for name, settings in tqdm(VARIANTS.items(), "variants")
        },
    }


def simulated(tables: Tables, utility: pd.DataFrame, bank: TextBank) -> Market:
    """The marketplace in ``tables``, cut at TRAINED_UNTIL of its briefs; ``utility`` is its truth."""
    created = tables["briefs"][c.CREATED_AT]
    cut = created.quantile(TRAINED_UNTIL)
    past, rng = complete(exported(tables, cut)), np.random.default_rng(SEED)
    fraud = fit_fraud(past, label_known_by=data_as_of(past), rng=rng)
    matching, examples = prepared(past, bank, rng, progress=True)
    towers, rows = fit_towers_and_rows(matching, examples, rng)
    served = fitted(rows, SERVED, SEED)
    bundle = bundle_of(Trained(towers, matching.idf, served, None, fraud, {}, []), bank)
    return Market(rows, list(_candidates(tables, utility, tables["briefs"][created > cut], bundle, bank)))


def _candidates(
    tables: Tables, utility: pd.DataFrame, briefs: pd.DataFrame, bundle: Bundle, bank: TextBank
) -> Iterator[Candidates]:
    truth = {brief: rows.set_index(c.CREATOR_ID)["grade"] for brief, rows in utility.groupby(c.BRIEF_ID)}
    for catalogue, brief in weekly(tables, briefs, bundle, bank):
        rows = np.flatnonzero(eligible(catalogue, {}, brief)[0])
        pairs = pair_features(query_of(catalogue, bundle, bank, brief, {}), catalogue.state, rows)
        grades = truth[brief[c.BRIEF_ID]].reindex(pairs.index).to_numpy(np.float64)
        yield Candidates(pairs.astype(np.float32), 2.0**grades - 1)


def _mean(by_brief: Values) -> Interval:
    return bootstrap(by_brief.tolist(), np.random.default_rng(SEED))
