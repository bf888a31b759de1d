"""The simulated marketplace, where the truth is known: models trained on the past, measured on later briefs and dates.

Relevance is the grade each creator would have got had the brand looked at it, over all eligible creators, so neither
position nor the logging policy flatters anyone.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from features import columns as c
from features.bank import TextBank
from features.errors import bad
from features.schema import Tables
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.measures import Interval, bootstrap, bootstrap_of
from training.evaluation.briefs import Found, measured
from training.evaluation.cases import evidence, read_truth
from training.evaluation.fraud import evaluate_fraud
from training.evaluation.reading import ORACLE, RANKED, RETRIEVED
from training.evaluation.subject import SEED, trained_on_the_past


def run(data: Path, cache: Path) -> dict[str, object]:
    """Trains on the first part of the marketplace in ``data`` and measures matching and fraud on the rest.

    Raises InputError when the folder has no ``truth/``.
    """
    if (truth := read_truth(data)) is None:
        raise bad("--data", "needs a simulated marketplace, with its truth/ folder", str(data))
    tables = read_tables(data)
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    return {
        "matching": evaluate_matching(tables, truth["utility"], bank),
        "fraud": evaluate_fraud(tables, truth, SEED),
    }


def evaluate_matching(tables: Tables, utility: pd.DataFrame, bank: TextBank) -> dict[str, Interval]:
    """NDCG@10 of the whole path, of baselines and of the oracle, and the retriever's recall@200; means over the later
    briefs with bootstrap intervals. ``share_of_oracle`` resamples both together."""
    known = evidence(tables, utility)
    bundle = trained_on_the_past(tables, known.cut, bank)
    found = scores(measured(tables, known.after(known.cut), bundle, bank))
    rng = np.random.default_rng(SEED)
    means = {str(name): bootstrap(found[name].tolist(), rng) for name in found}
    ranked, oracle = found[RANKED].to_numpy(), found[ORACLE].to_numpy()
    share = bootstrap_of(lambda rows: float(ranked[rows].mean() / oracle[rows].mean()), np.arange(len(found)), rng)
    return means | {"share_of_oracle": share}


def scores(found: Found) -> pd.DataFrame:
    """A row a brief: each method's NDCG@10, the retriever's recall@200 and the raw cosine's."""
    lists = pd.DataFrame(found.lists).pivot(index=c.BRIEF_ID, columns="method", values="ndcg10")
    retrieved = pd.DataFrame(found.retrieved)
    deepest = retrieved[retrieved["k"] == RETRIEVED[-1]].pivot(index=c.BRIEF_ID, columns="method", values="recall")
    return lists.join(deepest.add_prefix(f"recall{RETRIEVED[-1]}_"))
