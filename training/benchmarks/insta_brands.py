"""insta-brands: real brands and creators, trained on the past, scored on later collaborations.

Candidates are creators with a caption who have not published for the brief before. ``test/`` is read once everything is
ranked; the measures are those of the data's own ``score.py``, which is run beside them on the first seed's lists.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.asof import data_as_of
from features.bank import TextBank
from features.errors import bad
from features.pairs import pair_features
from features.schema import Tables
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.catalogue import Catalogue, build_catalogue
from models.eligibility import eligible
from models.measures import bootstrap, ndcg, recall
from models.ranking import query_of
from training.fit import bundle_of, fit

DEPTH = 100
SEEDS = 5
FEWEST = 3  # briefs with fewer relevant creators are left out
RANKED = "the whole path"
Values = npt.NDArray[np.float64]
# The rows of the data's README that were mixed by hand, from the same signals as ours: weights of z-scores.
MIXES = {
    "hand mix": {"lexical_cosine": 1.0, "brand_label_share": 1.0, "lookalike_brands": 0.5},
    "hand mix with embeddings": {
        "lexical_cosine": 1.0, "brand_label_share": 1.0, "lookalike_brands": 0.5, "text_cosine": 0.25,
        "reference_cosine": 0.25,
    },
}  # fmt: skip
ALONE = ("lexical_cosine", "brand_label_share", "lookalike_brands", "text_cosine")
Lists = dict[str, dict[str, list[str]]]


def run(data: Path, cache: Path) -> dict[str, object]:
    """Trains SEEDS times on the folder ``data``, ranks DEPTH creators for each of its briefs and answers recall@100 and
    NDCG@10: means over seeds and briefs with bootstrap intervals over briefs, beside baselines from the same signals
    and the paired differences to them. Raises InputError when the folder is not insta-brands.
    """
    if not (data / "score.py").is_file():
        raise bad("--data", "needs the insta-brands folder, which holds score.py", str(data))
    tables = protocol(read_tables(data))
    bank = TextBank(load_encoder(), EmbeddingCache(cache), progress=True)
    lists = [rank_all(tables, bank, seed) for seed in range(SEEDS)]
    wanted = relevant(data, tables)
    found = [measure(one, wanted) for one in lists]
    return {"briefs": len(wanted), "seeds": SEEDS, "score.py": score_py(lists[0][RANKED], data)} | summary(found)


def protocol(tables: Tables) -> dict[str, pd.DataFrame]:
    """The tables as the data's split has them: captions are timeless, brands share a clock, the silent are no
    candidates.

    The data were split brand by brand: a brief is ranked with the whole past of every other brand in sight, whatever
    its date. So time here is how much of a brand's past has happened, the same for all; else training would see, at a
    date, far less of other brands than ranking does.

    Captions that name a brand were left out of the data, so to have none marks a brand's partner: 59 % of the past ones
    have none, and 15 % of all. No candidate is without, so a model that learned from them would learn a trap.
    """
    events, creators = tables["collaboration_events"], tables["creators"]
    start, end = events[c.EVENT_TIME].min(), events[c.EVENT_TIME].max()
    by_brand = events.groupby(c.BRIEF_ID)[c.EVENT_TIME]
    passed = by_brand.rank(method="first") / by_brand.transform("size")
    silent = ~creators[c.CREATOR_ID].isin(tables["videos"][c.CREATOR_ID])
    return dict(tables) | {
        "briefs": tables["briefs"].assign(**{c.CREATED_AT: end}),
        "collaboration_events": events.assign(**{c.EVENT_TIME: (start + passed * (end - start)).dt.floor("s")}),
        "videos": tables["videos"].assign(**{c.CREATE_TIME: start}),
        "creators": creators.assign(**{c.ONBOARDING_STATUS: creators[c.ONBOARDING_STATUS].mask(silent, "NOT_IN")}),
    }


def rank_all(tables: Tables, bank: TextBank, seed: int) -> Lists:
    """method → brief_id → the first DEPTH candidates, by models trained with ``seed``."""
    bundle = bundle_of(fit(tables, bank, seed=seed, progress=True), bank)
    catalogue = build_catalogue(bundle, tables, data_as_of(tables), bank)
    done = tables["collaboration_events"].groupby(c.BRIEF_ID)[c.CREATOR_ID].agg(list)
    lists: Lists = {}
    for _, brief in tqdm(list(tables["briefs"].iterrows()), "ranking"):
        excluded = list(done.get(brief[c.BRIEF_ID], []))
        for method, ids in _rank(catalogue, bundle, bank, brief, excluded).items():
            lists.setdefault(method, {})[str(brief[c.BRIEF_ID])] = ids
    return lists


def _rank(
    catalogue: Catalogue, bundle: Bundle, bank: TextBank, brief: pd.Series, excluded: list[str]
) -> dict[str, list[str]]:
    rows = eligible(catalogue, {"exclude_creator_ids": excluded}).allowed.rows
    pairs = pair_features(query_of(catalogue, bundle, bank, brief, {}), catalogue.state, rows)
    known = pairs.fillna(0.0)
    scores = {RANKED: bundle.ranker.score(pairs)} | {name: known[name].to_numpy() for name in ALONE}
    for name, weights in MIXES.items():
        scores[name] = sum((weight * _z(known[one].to_numpy()) for one, weight in weights.items()), np.zeros(len(rows)))
    return {
        name: list(catalogue.state.ids[rows[np.argsort(-values, kind="stable")[:DEPTH]]])
        for name, values in scores.items()
    }


def _z(values: Values) -> Values:
    return (values - values.mean()) / (values.std() + 1e-9)


def relevant(data: Path, tables: Tables) -> dict[str, set[str]]:
    """brief_id → its future collaborators who are candidates, where there are FEWEST of them or more."""
    future = pd.read_parquet(data / "test" / "future_collaborations.parquet").groupby(c.BRIEF_ID)[c.CREATOR_ID].agg(set)
    past = tables["collaboration_events"].groupby(c.BRIEF_ID)[c.CREATOR_ID].agg(set)
    speaking = set(tables["videos"][c.CREATOR_ID])
    wanted = {str(brief): (ids & speaking) - past.get(brief, set()) for brief, ids in future.items()}
    return {brief: ids for brief, ids in wanted.items() if len(ids) >= FEWEST}


def measure(lists: Lists, wanted: dict[str, set[str]]) -> dict[str, pd.DataFrame]:
    """Measure → (briefs, methods)."""
    return {
        "recall@100": pd.DataFrame(
            {name: [recall(by_brief[brief], ids, DEPTH) for brief, ids in wanted.items()]
             for name, by_brief in lists.items()}
        ),
        "ndcg@10": pd.DataFrame(
            {name: [_ndcg10(by_brief[brief], ids) for brief, ids in wanted.items()]
             for name, by_brief in lists.items()}
        ),
    }  # fmt: skip


def _ndcg10(ids: list[str], wanted: set[str]) -> float:
    gains = np.array([float(one in wanted) for one in ids])
    return ndcg(gains, np.ones(len(wanted)), 10)


def summary(found: list[dict[str, pd.DataFrame]]) -> dict[str, object]:
    """Means over seeds and briefs, and how far the whole path is from each other method, all with intervals."""
    rng = np.random.default_rng(0)
    answer: dict[str, object] = {}
    for name in found[0]:
        means = sum(one[name] for one in found) / len(found)
        answer[name] = {method: bootstrap(means[method].tolist(), rng) for method in means}
        others = [method for method in means if method != RANKED]
        answer[f"{name}, {RANKED} minus"] = {
            method: bootstrap((means[RANKED] - means[method]).tolist(), rng) for method in others
        }
        answer[f"{name} by seed"] = [float(one[name][RANKED].mean()) for one in found]
    return answer


def score_py(lists: dict[str, list[str]], data: Path) -> str:
    """What the data's own script prints."""
    rows = [(brief, one, rank) for brief, ids in lists.items() for rank, one in enumerate(ids, 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ranked.csv"
        pd.DataFrame(rows, columns=[c.BRIEF_ID, c.CREATOR_ID, "rank"]).to_csv(path, index=False)
        done = subprocess.run(
            [sys.executable, data / "score.py", path, data], capture_output=True, text=True, check=True
        )
    return done.stdout.strip()
