"""What the narrow first stage costs: the first ten of each later brief of a simulated market, when so many candidates
are retrieved for the ranker, beside a ranking of everyone.

Relevance is the grade the brand would have given, over all eligible creators. The models are trained on the earlier
briefs.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.bank import TextBank
from features.errors import bad
from features.pairs import pair_features
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.eligibility import eligible
from models.measures import Interval, bootstrap, ndcg
from models.ranking import CANDIDATES, query_of
from models.retriever import retrieve
from training.evaluation.cases import Case, evidence, read_truth, weekly
from training.evaluation.reading import DEPTH, descending
from training.evaluation.subject import SEED, trained_on_the_past

DEPTHS = (20, 50, 100, 200, 300, 500, 700, 1000, 2000)
EVERYONE = "everyone"


def run(data: Path, cache: Path) -> dict[str, dict[str, Interval]]:
    """Trains on the first part of the market in ``data`` and measures its later briefs by number of candidates.

    Raises InputError when the folder has no ``truth/`` of every brief and creator.
    """
    if (truth := read_truth(data)) is None:
        raise bad("--data", "needs a simulated marketplace, with its truth/ folder", str(data))
    tables, utility = read_tables(data), truth["utility"]
    if len(utility) < len(tables["briefs"]) * tables["creators"][c.CREATOR_ID].nunique():
        raise bad("--data", "its truth/ tells of some pairs alone; simulate at most 4,000,000 of them", str(data))
    known = evidence(tables, utility)
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    bundle, later = trained_on_the_past(tables, known.cut, bank), known.after(known.cut)
    weeks = weekly(tables, [(case.as_of, case) for case in later], bundle, bank)
    each = (measure(catalogue, bundle, bank, case) for catalogue, cases in weeks for case in cases)
    return summary(pd.DataFrame(list(tqdm(each, "ranking", len(later)))))


def measure(catalogue: Catalogue, bundle: Bundle, bank: TextBank, case: Case) -> dict[str, float]:
    """NDCG@10 of the case by number of candidates; a creator's score is the same whoever else is scored."""
    allowed = eligible(catalogue, {}, case.brief).allowed
    query = query_of(catalogue, bundle, bank, case.brief, {})
    rows, state = allowed.rows, catalogue.state
    scores, gains = np.full((2, allowed.size), np.nan)
    scores[rows] = bundle.ranker.score(pair_features(query, state, rows))
    gains[rows] = 2.0 ** case.grades.reindex(state.ids[rows]).to_numpy(np.float64) - 1
    retrieved = {str(k): retrieve(query, state, catalogue.index, allowed, k) for k in DEPTHS} | {EVERYONE: rows}
    firsts = {name: descending(found, scores[found])[:DEPTH] for name, found in retrieved.items()}
    return {name: ndcg(gains[first], gains[rows], DEPTH) for name, first in firsts.items()}


def summary(found: pd.DataFrame) -> dict[str, dict[str, Interval]]:
    """By number of candidates the mean of NDCG@10, and its difference, brief by brief, from that of the served number
    and of everyone."""
    rng = np.random.default_rng(SEED)
    beside = {"ndcg10": 0.0, f"minus_{CANDIDATES}": found[str(CANDIDATES)], f"minus_{EVERYONE}": found[EVERYONE]}
    return {
        str(name): {label: bootstrap((found[name] - other).tolist(), rng) for label, other in beside.items()}
        for name in found
    }
