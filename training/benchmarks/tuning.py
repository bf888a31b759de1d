"""The ranker's settings on a simulated marketplace: tuned inside the past, then measured once on the later briefs.

What a grade is worth and how deep LambdaMART looks are measured there too, one at a time over the served settings; they
are evidence, nothing is chosen by them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from features.asof import data_as_of
from features.bank import TextBank
from features.errors import bad
from features.pairs import Values, pair_features
from features.schema import Tables
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.eligibility import eligible
from models.fraud import fit_fraud
from models.measures import Interval, bootstrap, ndcg
from models.ranker import Ranker
from models.ranking import query_of
from training.evaluation.cases import Case, evidence, past, read_truth, weekly
from training.evaluation.reading import DEPTH
from training.evaluation.subject import SEED
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
    if (truth := read_truth(data)) is None:
        raise bad("--data", "needs a simulated marketplace, with its truth/ folder", str(data))
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    market = simulated(read_tables(data), truth["utility"], bank)
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
    """The marketplace in ``tables``, cut where evaluation cuts it; ``utility`` is its truth."""
    known, rng = evidence(tables, utility), np.random.default_rng(SEED)
    seen = past(tables, known.cut)
    fraud = fit_fraud(seen, label_known_by=data_as_of(seen), rng=rng)
    matching, examples, _ = prepared(seen, bank, rng, progress=True)
    towers, rows = fit_towers_and_rows(matching, examples, rng)
    served = fitted(rows, SERVED, SEED)
    bundle = bundle_of(Trained(towers, matching.idf, served, None, fraud, {}, []), bank)
    return Market(rows, list(_candidates(tables, known.after(known.cut), bundle, bank)))


def _candidates(tables: Tables, cases: Sequence[Case], bundle: Bundle, bank: TextBank) -> Iterator[Candidates]:
    for catalogue, group in weekly(tables, [(case.as_of, case) for case in cases], bundle, bank):
        for case in group:
            rows = eligible(catalogue, {}, case.brief).allowed.rows
            pairs = pair_features(query_of(catalogue, bundle, bank, case.brief, {}), catalogue.state, rows)
            grades = case.grades.reindex(pairs.index).to_numpy(np.float64)
            yield Candidates(pairs.astype(np.float32), 2.0**grades - 1)


def _mean(by_brief: Values) -> Interval:
    return bootstrap(by_brief.tolist(), np.random.default_rng(SEED))
