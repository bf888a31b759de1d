"""One brief read against the catalogue of its week: what every method would answer, and what is known of the answer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from features import columns as c
from features.bank import TextBank, groups_of
from features.briefs import description_texts, reference_texts
from features.lexical import bm25_weights, term_counts
from features.pairs import Rows, Values, pair_features
from features.queries import Query
from features.text import creator_texts
from models.bitmaps import Subset
from models.bundle import Bundle
from models.catalogue import Catalogue
from models.eligibility import eligible
from models.measures import ndcg, precision_of_list, recall, reciprocal_rank
from models.ranking import query_of, rank
from models.retriever import retrieve
from training.evaluation.cases import Case
from training.examples import POSITIVE

RANKED, CHAMPION, ORACLE, RETRIEVER = "ranked", "previous_champion", "oracle", "retriever"
BM25, COSINE = "bm25", "text_cosine"
COLUMNS = ("followers_count", "label_overlap", COSINE, "lexical_cosine")  # baselines the ranker reads as features
DEPTH = 10
PLACES = 100  # MAP and MRR look so far
RETRIEVED = (50, 100, 200)
TOP = 0.01  # where the truth is known, the retriever's relevant creators: the best hundredth by utility


@dataclass(frozen=True)
class Served:
    """A release as it would answer over a catalogue."""

    bundle: Bundle
    bank: TextBank
    catalogue: Catalogue

    def scores(self, brief: pd.Series, creators: pd.Index) -> Values:
        """(len(creators),) what its ranker thinks of them."""
        query = query_of(self.catalogue, self.bundle, self.bank, brief, {})
        rows = self.catalogue.state.ids.get_indexer(creators).astype(np.int64)
        return self.bundle.ranker.score(pair_features(query, self.catalogue.state, rows))

    def first(self, brief: pd.Series, among: pd.Index, limit: int) -> list[str]:
        """The ids it would show for ``brief``, were only the creators ``among`` there."""
        if among.empty:
            return []
        others = self.catalogue.state.ids.difference(among)
        request = {"limit": limit, "exclude_creator_ids": list(others)}
        answer = rank(self.catalogue, self.bundle, self.bank, request, brief)
        return [result["creator_id"] for result in answer["results"]]


@dataclass(frozen=True, eq=False)
class Reading:
    """A case read by a release: the ``rows`` that may be offered, ``judged`` those of them with a grade; ``pairs`` and
    ``bm25`` (n,) say what the ranker and BM25 see of all that is scored; ``rival`` is the release to compare with."""

    case: Case
    served: Served
    rival: Served | None
    query: Query
    rows: Rows
    judged: Rows
    grades: Values
    pairs: pd.DataFrame
    bm25: Values

    @property
    def ids(self) -> pd.Index:
        """(n,) creator_id of each row of the catalogue."""
        return self.served.catalogue.state.ids

    @property
    def gains(self) -> Values:
        """(n,) 2^grade − 1; NaN for who has no grade."""
        return 2.0**self.grades - 1

    @property
    def utility(self) -> Values | None:
        """(n,) true utility, where it is known."""
        utility = self.case.utility
        return None if utility is None else utility.reindex(self.ids).to_numpy(np.float64)

    @property
    def releases(self) -> dict[str, Served]:
        """Method → the release behind it."""
        return {RANKED: self.served} | ({} if self.rival is None else {CHAMPION: self.rival})

    def scores(self, rows: Rows) -> dict[str, Values]:
        """Baseline → (len(rows),) what it thinks of ``rows``."""
        pairs = self.pairs.loc[self.ids[rows]]
        return {name: pairs[name].to_numpy(np.float64) for name in COLUMNS} | {BM25: self.bm25[rows]}

    def orders(self, rows: Rows, limit: int) -> dict[str, Rows]:
        """Method → ``rows`` from the best on, of a release its first ``limit``."""
        brief, among = self.case.brief, self.ids[rows]
        shown = {
            name: self.ids.get_indexer(release.first(brief, among, limit)).astype(np.int64)
            for name, release in self.releases.items()
        }
        return shown | {name: descending(rows, scores) for name, scores in self.scores(rows).items()}

    def measures(self, order: Rows) -> dict[str, float]:
        """NDCG@10, MAP@100 and MRR@100 of ``order`` where the judged are all there is to find; 0 for an empty list."""
        gains, wanted = self.gains, self.grades >= POSITIVE
        return {
            "ndcg10": ndcg(gains[order], gains[self.judged], DEPTH),
            "map": precision_of_list(wanted[order], int(wanted[self.judged].sum()), PLACES),
            "mrr": reciprocal_rank(wanted[order], PLACES),
        }

    def relevant(self) -> Rows:
        """Whom the retriever should find: the best hundredth where the truth is known, else the wanted."""
        if self.utility is None:
            return self.rows[self.grades[self.rows] >= POSITIVE]
        return descending(self.rows, self.utility[self.rows])[: max(1, int(TOP * len(self.rows)))]

    def recalls(self) -> dict[tuple[str, int], float]:
        """(method, k) → share of the relevant among the first k of the retriever and of each baseline."""
        state, flags = self.served.catalogue.state, np.zeros(len(self.grades), bool)
        flags[self.rows] = True
        allowed = Subset.of(flags)
        relevant = set(self.relevant())
        orders = {name: descending(self.rows, scores) for name, scores in self.scores(self.rows).items()}
        found = {}
        for k in RETRIEVED:
            retrieved = retrieve(self.query, state, self.served.catalogue.index, allowed, k)
            for name, order in {RETRIEVER: retrieved, **orders}.items():
                found[name, k] = recall(list(order[:k]), relevant, k)
        return found


def read(served: Served, rival: Served | None, words: sparse.csr_matrix, case: Case, others: pd.Series) -> Reading:
    """``case`` as of the catalogue, whose creators have ``words`` (:func:`creator_words`); the creators ``others`` are
    scored beside those that may be offered."""
    catalogue, state = served.catalogue, served.catalogue.state
    rows = eligible(catalogue, {}, case.brief).allowed.rows
    grades = case.grades.reindex(state.ids).to_numpy(np.float64)
    grades = np.nan_to_num(grades) if case.everyone else grades
    query = query_of(catalogue, served.bundle, served.bank, case.brief, {})
    extra = state.ids.get_indexer(others)
    return Reading(
        case=case,
        served=served,
        rival=rival,
        query=query,
        rows=rows,
        judged=rows[~np.isnan(grades[rows])],
        grades=grades,
        pairs=pair_features(query, state, np.union1d(rows, extra[extra >= 0])),
        bm25=bm25(words, case.brief),
    )


def creator_words(catalogue: Catalogue, bank: TextBank) -> sparse.csr_matrix:
    """(n, BUCKETS) BM25 weights of the creators' texts."""
    _, counts = bank.pooled(groups_of(creator_texts(catalogue.tables), catalogue.state.ids))
    return bm25_weights(counts)


def bm25(words: sparse.csr_matrix, brief: pd.Series) -> Values:
    """(n,) scores of the creators for the brief's title, description, references and labels."""
    texts = [*description_texts(brief), *reference_texts(brief), " ".join(brief[c.CONTENT_LABELS])]
    asked = term_counts(["\n".join(texts)])
    return np.asarray(words @ asked.toarray().ravel(), np.float64)


def descending(rows: Rows, scores: Values) -> Rows:
    """``rows`` by falling score, unknown ones last, ties by row."""
    return rows[np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")]
