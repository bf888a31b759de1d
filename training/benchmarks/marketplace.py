"""The simulated marketplace, where the truth is known: models trained on the past, measured on later briefs and dates.

``truth/`` is read here and nowhere else. Relevance is the grade each creator would have got had the brand looked at it,
over all eligible creators, so neither position nor the logging policy flatters anyone.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from features import columns as c
from features.asof import data_as_of, exported, known
from features.bank import TextBank
from features.errors import bad
from features.pairs import Rows, Values, pair_features
from features.schema import Tables
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.catalogue import Catalogue, build_catalogue
from models.measures import Interval, bootstrap, ndcg, recall
from models.ranking import eligible, query_of, rank
from models.retriever import retrieve
from training.evaluate_fraud import evaluate_fraud
from training.fit import bundle_of, fit

SEED = 0
TRAINED_UNTIL = 0.7  # of the briefs, by time
REFRESH = "7D"  # the catalogue is rebuilt weekly, as a service would at least
BASELINES = ("followers_count", "label_overlap", "text_cosine", "lexical_cosine")
DEPTH = 10
RETRIEVED = 200
TOP = 0.01  # a brief's relevant creators for the retriever: the best hundredth by latent utility
Scores = dict[str, float]


def run(data: Path, cache: Path) -> dict[str, object]:
    """Trains on the first part of the marketplace in ``data`` and measures matching and fraud on the rest.

    Raises InputError when the folder has no ``truth/``.
    """
    if not (data / "truth").is_dir():
        raise bad("--data", "needs a simulated marketplace, with its truth/ folder", str(data))
    tables = read_tables(data)
    truth = {path.stem: pd.read_parquet(path) for path in sorted((data / "truth").glob("*.parquet"))}
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    return {
        "matching": evaluate_matching(tables, truth["utility"], bank),
        "fraud": evaluate_fraud(tables, truth, SEED),
    }


def evaluate_matching(tables: Tables, utility: pd.DataFrame, bank: TextBank) -> dict[str, Interval]:
    """NDCG@10 of the whole path, of baselines and of the oracle, and the retriever's recall@200; means over the later
    briefs with bootstrap intervals. ``share_of_oracle`` resamples both together."""
    bundle, later = trained_on_the_past(tables, bank)
    found = measured(tables, utility, later, bundle, bank)
    rng = np.random.default_rng(SEED)
    means = {name: bootstrap(found[name].tolist(), rng) for name in found}
    return means | {"share_of_oracle": ratio(found["ranked"], found["oracle"], rng)}


def trained_on_the_past(tables: Tables, bank: TextBank) -> tuple[Bundle, pd.DataFrame]:
    """Models trained on an export at TRAINED_UNTIL of the briefs, and the later briefs."""
    created = tables["briefs"][c.CREATED_AT]
    cut = created.quantile(TRAINED_UNTIL)
    bundle = bundle_of(fit(exported(tables, cut), bank, seed=SEED, progress=True), bank)
    return bundle, tables["briefs"][created > cut]


def measured(
    tables: Tables, utility: pd.DataFrame, briefs: pd.DataFrame, bundle: Bundle, bank: TextBank
) -> pd.DataFrame:
    """A row of scores (:func:`measure`) for each of ``briefs``."""
    truth = {brief: rows.set_index(c.CREATOR_ID) for brief, rows in utility.groupby(c.BRIEF_ID)}
    rows = [
        measure(catalogue, bundle, bank, brief, truth[brief[c.BRIEF_ID]])
        for catalogue, brief in weekly(tables, briefs, bundle, bank)
    ]
    return pd.DataFrame(rows)


def weekly(
    tables: Tables, briefs: pd.DataFrame, bundle: Bundle, bank: TextBank
) -> Iterator[tuple[Catalogue, pd.Series]]:
    """Each brief with the catalogue as of the start of its week."""
    end = data_as_of(tables)
    for week, rows in briefs.groupby(briefs[c.CREATED_AT].dt.floor(REFRESH)):
        catalogue = build_catalogue(bundle, known(tables, week, end), week, bank)
        for _, brief in rows.iterrows():
            yield catalogue, brief


def measure(catalogue: Catalogue, bundle: Bundle, bank: TextBank, brief: pd.Series, truth: pd.DataFrame) -> Scores:
    """NDCG@10 of the whole path, the baselines and the oracle, and the retriever's recall, for one brief."""
    allowed, _, _ = eligible(catalogue, {}, brief)
    rows = np.flatnonzero(allowed)
    known_truth = truth.reindex(catalogue.state.ids)
    gains = 2.0 ** known_truth["grade"].to_numpy() - 1
    best = known_truth["utility"].to_numpy()
    query = query_of(catalogue, bundle, bank, brief, {})
    pairs = pair_features(query, catalogue.state, rows)
    answer = rank(catalogue, bundle, bank, {"limit": DEPTH}, brief)["results"]
    orders = {"ranked": catalogue.state.ids.get_indexer([result["creator_id"] for result in answer])}
    orders |= {name: _descending(rows, pairs[name].to_numpy()) for name in BASELINES}
    orders["oracle"] = _descending(rows, best[rows])
    scores = {name: ndcg(gains[order], gains[rows], DEPTH) for name, order in orders.items()}
    retrieved = retrieve(query, catalogue.state, catalogue.index, allowed, RETRIEVED)
    return scores | {f"recall200_{name}": _recall(order, best, rows) for name, order in
                     {"retriever": retrieved, "text_cosine": orders["text_cosine"]}.items()}  # fmt: skip


def _recall(order: Rows, utility: Values, rows: Rows) -> float:
    """Share of the best hundredth of ``rows`` by utility among the first 200 of ``order``."""
    best = _descending(rows, utility[rows])[: max(1, int(TOP * len(rows)))]
    return recall(list(order), set(best), RETRIEVED)


def _descending(rows: Rows, scores: Values) -> Rows:
    """``rows`` by falling score, unknown ones last, ties by row."""
    return rows[np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")]


def ratio(part: pd.Series, whole: pd.Series, rng: np.random.Generator, draws: int = 1000) -> Interval:
    """mean(part) / mean(whole) with a paired percentile bootstrap."""
    picks = rng.integers(0, len(part), (draws, len(part)))
    ratios = part.to_numpy()[picks].mean(axis=1) / whole.to_numpy()[picks].mean(axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Interval(mean=float(part.mean() / whole.mean()), low=float(low), high=float(high))
