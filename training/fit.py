"""From tables to trained models, in the order in which they need one another."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.asof import data_as_of
from features.bank import Floats, TextBank, groups_of
from features.briefs import description_texts, reference_texts
from features.errors import bad
from features.lexical import inverse_document_frequency
from features.schema import Tables, complete
from features.text import creator_texts, encoder_id
from models.accounts import AccountModel, fit_accounts
from models.bundle import Bundle
from models.comments import CommentModel, fit_comments
from models.credit import credit_scores, load_policy
from models.fraud import FraudModel, fit_fraud, walk_forward
from models.fraud_history import PastScores
from models.golden import some
from models.measures import ndcg
from models.ranker import Ranker, fit_ranker
from models.success import SuccessModel, fit_success, success_targets
from models.towers import Towers
from training.examples import Example, invitations, ranking_examples
from training.matching import Matching, RankingRows, fit_towers_and_rows, success_rows

VALIDATION_SHARE = 0.25  # the last of the ranker's briefs, by time
MINIMUM_EXAMPLES = 20
MONTH = pd.Timedelta(days=30)
T = TypeVar("T")


@dataclass(frozen=True)
class Trained:
    """What one training made; None where the data did not allow it, and ``notes`` say why. ``metrics`` by model
    name; ``pairs`` are some rows of what the ranker learned from."""

    towers: Towers
    idf: Floats
    ranker: Ranker
    success: SuccessModel | None
    fraud: FraudModel | None
    metrics: dict[str, dict[str, float]]
    notes: list[str]
    accounts: AccountModel | None = None
    comments: CommentModel | None = None
    past_fraud: PastScores | None = None
    pairs: pd.DataFrame | None = None


def fit(tables: Tables, bank: TextBank, *, seed: int, progress: bool = False) -> Trained:
    """Trains all models on all of ``tables``; the metrics are of later briefs, on models that had not seen them.

    Raises InputError when there is nothing to learn matching from.
    """
    rng = np.random.default_rng(seed)
    tables = complete(tables)
    notes: list[str] = []
    fraud = _attempt(lambda: fit_fraud(tables, label_known_by=data_as_of(tables), rng=rng), "fraud", notes)
    matched = fit_matching(tables, bank, rng, progress=progress)
    notes += matched.notes
    accounts = fraud.accounts if fraud else None
    if accounts is None:
        accounts = _attempt(lambda: fit_accounts(tables, label_known_by=data_as_of(tables), rng=rng), "accounts", notes)
    comments = _attempt(lambda: fit_comments(tables, bank, rng), "comments", notes)
    optional = {"fraud": fraud, "accounts": accounts, "comments": comments}
    metrics = {name: model.metrics for name, model in optional.items() if model is not None}
    return replace(
        matched, fraud=fraud, metrics=matched.metrics | metrics, notes=notes, accounts=accounts, comments=comments
    )


def fit_matching(tables: Tables, bank: TextBank, rng: np.random.Generator, *, progress: bool = False) -> Trained:
    """Trains the towers, the ranker and the success model alone on ``tables``, which must be complete.

    Raises InputError when there is nothing to learn from.
    """
    notes: list[str] = []
    matching, examples, past_fraud = prepared(tables, bank, rng, progress)
    towers, rows = fit_towers_and_rows(matching, examples, rng)
    ranker_seed, success_seed = (int(seed) for seed in rng.integers(2**31, size=2))
    ranker = fit_ranker(rows.pairs, rows.grades, rows.positions, rows.groups, seed=ranker_seed)
    metrics, pairs = {"ranker": validate_ranker(rows, ranker_seed)}, some(rows.pairs)
    del rows  # a gigabyte at a million impressions, and the next step builds states of its own
    success = _attempt(lambda: fit_success(*success_examples(matching), seed=success_seed), "success", notes)
    metrics |= {"success": success.metrics} if success else {}
    past = PastScores.of(past_fraud)
    return Trained(towers, matching.idf, ranker, success, None, metrics, notes, past_fraud=past, pairs=pairs)


def prepared(
    tables: Tables, bank: TextBank, rng: np.random.Generator, progress: bool = False
) -> tuple[Matching, list[Example], pd.DataFrame]:
    """What matching learns from in complete ``tables``, and what fraud models said while the briefs came
    (:func:`models.fraud.walk_forward`). Raises InputError below MINIMUM_EXAMPLES briefs."""
    examples = ranking_examples(tables)
    if len(examples) < MINIMUM_EXAMPLES:
        problem = f"matching learns from at least {MINIMUM_EXAMPLES} briefs with impressions or collaborations"
        raise bad("impressions", problem, len(examples))
    idf = term_weights(tables, bank)
    # Read once, not once a brief: every query has its labels among its words.
    bank.add(["", *(" ".join(labels) for labels in tables["briefs"][c.CONTENT_LABELS])])
    dates = pd.date_range(examples[0].as_of.floor("D"), examples[-1].as_of, freq=MONTH)
    past_fraud = walk_forward(tables, dates, rng)
    matching = Matching(tables, data_as_of(tables), bank, idf, upstream_scores(past_fraud), progress)
    return matching, examples, past_fraud


def bundle_of(trained: Trained, bank: TextBank) -> Bundle:
    """The models as a release that was never registered, for evaluation."""
    return Bundle(
        towers=trained.towers,
        idf=trained.idf,
        ranker=trained.ranker,
        success=trained.success,
        fraud=trained.fraud,
        accounts=trained.accounts,
        comments=trained.comments,
        policy=load_policy(),
        encoder_id=encoder_id(bank.encoder),
        versions={"release": None},
    )


def upstream_scores(fraud: pd.DataFrame) -> Callable[[Tables, pd.Timestamp], pd.DataFrame]:
    """What credit and fraud said at a date: credit from the ledger known then, ``fraud`` from the last monthly model
    that saw only labels known by then (:func:`models.fraud.walk_forward`)."""
    policy = load_policy()

    def scores(known: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
        ids = pd.Index(known["creators"][c.CREATOR_ID].unique())
        credit = credit_scores(known["collaboration_events"], policy, as_of, ids)["score"]
        latest = fraud["as_of"][fraud["as_of"] <= as_of].max()
        at = fraud[fraud["as_of"] == latest].set_index(c.CREATOR_ID)["fraud_probability"]
        return pd.DataFrame({"credit_score": credit, "fraud_probability": at.reindex(ids)}, index=ids)

    return scores


def validate_ranker(rows: RankingRows, seed: int) -> dict[str, float]:
    """NDCG@10 on the last briefs of a ranker fitted on the ones before, beside single features on the same
    candidates."""
    first = int(len(rows.groups) * (1 - VALIDATION_SHARE))
    past, held = rows.briefs(0, first), rows.briefs(first, len(rows.groups))
    ranker = fit_ranker(past.pairs, past.grades, past.positions, past.groups, seed=seed)
    rivals = ("text_cosine", "lexical_cosine", "label_overlap", "followers_count")
    scores = {"ranker": ranker.score(held.pairs)} | {name: held.pairs[name].fillna(-1).to_numpy() for name in rivals}
    return {f"ndcg10_{name}": mean_ndcg(score, held) for name, score in scores.items()}


def mean_ndcg(scores: npt.NDArray[np.float64], rows: RankingRows) -> float:
    """Mean NDCG@10 of ``scores`` (r,) over the briefs of ``rows``."""
    gains = np.asarray(2.0**rows.grades - 1, dtype=np.float64)
    ends = np.cumsum(rows.groups)
    parts = [slice(end - size, end) for end, size in zip(ends, rows.groups, strict=True)]
    orders = [np.lexsort((gains[part], -scores[part])) for part in parts]  # ties to the worse: a constant earns nothing
    return float(
        np.mean([ndcg(gains[part][order], gains[part], 10) for part, order in zip(parts, orders, strict=True)])
    )


def success_examples(matching: Matching) -> tuple[pd.DataFrame, pd.DataFrame, npt.NDArray[np.str_]]:
    """What :func:`models.success.fit_success` learns from: pairs, targets and briefs, a row an invitation."""
    invited = invitations(matching.tables, matching.end)
    pairs = success_rows(matching, invited) if len(invited) else pd.DataFrame()
    invited = invited.loc[pairs.index]
    return pairs, success_targets(invited), invited[c.BRIEF_ID].to_numpy(str)


def term_weights(tables: Tables, bank: TextBank) -> Floats:
    """(BUCKETS,) inverse document frequencies over the creators' documents and the briefs."""
    ids = pd.Index(tables["creators"][c.CREATOR_ID].unique())
    briefs = [description_texts(brief) + reference_texts(brief) for brief in tables["briefs"].to_dict("records")]
    _, counts = bank.pooled(groups_of(creator_texts(tables), ids) + briefs)
    return inverse_document_frequency(counts)


def _attempt(fit: Callable[[], T], name: str, notes: list[str]) -> T | None:
    """What ``fit`` answers; None and a note where its data are too few (its ValueError says how many are needed)."""
    try:
        return fit()
    except ValueError as error:
        notes.append(f"{name} is not trained: {error}")
        return None
