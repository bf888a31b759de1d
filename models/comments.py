"""The probability that a comment is not genuine: its words, its meaning, and how it stands among the others.

Words (hashed TF-IDF of words and pairs) and meaning (the multilingual embedding) are each a logistic regression; their
scores and the features of :mod:`features.comments` go into LightGBM. It learns from scores that regressions gave to
comments that they had not seen, near-duplicates all on one side, and meets every comment a second time as if it came
alone. The words know the languages that they were learned from; the meaning also speaks for others.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from features import columns as c
from features.asof import data_as_of, known
from features.bank import Floats, TextBank
from features.comments import COMMENT_FEATURES, TOGETHER, Comments, comment_features, terms
from features.duplicates import Ints
from features.lexical import inverse_document_frequency, term_counts, tfidf
from features.schema import Tables
from models import gbm
from models.accounts import labelled_accounts
from models.calibration import PlattCalibrator
from models.evidence import reason_codes
from models.fraud_rows import MINIMUM_EACH, MINIMUM_LABELS, has_both
from models.measures import binary_metrics

Values = npt.NDArray[np.float64]
FOLDS = 5
ROUNDS = 600
WORDS_PENALTY, MEANING_PENALTY = 10.0, 1.0  # scikit-learn's C
INPUTS = ("words", "meaning", *COMMENT_FEATURES)
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 4,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "extra_trees": True,
}
# More of these never speaks for a genuine comment, and to know a moment of the video never against one.
MONOTONE = dict.fromkeys(("words", "meaning", "links", "copies", "template", "burst"), 1) | {"moments": -1}
REASONS = {
    "SPAM_WORDS": ("Words and phrases of comments that are not genuine", ("words",)),
    "SPAM_MEANING": ("Means what comments that are not genuine mean, in any language", ("meaning",)),
    "LINKS": ("Leads elsewhere", ("links", "mentions", "moments")),
    "COMMENT_DUPLICATION": ("Nearly the same comment stands there more than once", ("copies",)),
    "COMMENT_TEMPLATE": ("Shares a phrase with many comments under the video", ("template",)),
    "COMMENT_BURST": ("Came together with unusually many others", ("burst",)),
    "EMOJI_ONLY": ("Has no words", ("emoji_only",)),
    "COMMENT_FORM": (
        "Its length, capitals, signs and repetitions are not those of talk",
        ("length", "word_count", "capitals", "punctuation", "digits", "distinct_words"),
    ),
}


@dataclass(frozen=True)
class Linear:
    """A logistic regression: ``weights`` (p,) and ``intercept`` of its log-odds."""

    weights: Values
    intercept: float

    @classmethod
    def fit(cls, x: Any, labels: Values, penalty: float) -> "Linear":
        """On x (n, p), dense or sparse."""
        fitted = LogisticRegression(C=penalty, max_iter=1000).fit(x, labels)
        return cls(fitted.coef_[0].astype(np.float64), float(fitted.intercept_[0]))

    def score(self, x: Any) -> Values:
        """(n,) log-odds."""
        return np.asarray(x @ self.weights + self.intercept, dtype=np.float64)


@dataclass(frozen=True)
class Text:
    """Comments as the regressions read them: ``counts`` (n, BUCKETS) of terms, ``vectors`` (n, d)."""

    counts: sparse.csr_matrix
    vectors: Floats

    def part(self, rows: Ints) -> "Text":
        """Some of them."""
        return Text(self.counts[rows], self.vectors[rows])


@dataclass(frozen=True)
class TextModel:
    """What words and meaning say, each by itself."""

    idf: Floats
    words: Linear
    meaning: Linear

    @classmethod
    def fit(cls, text: Text, labels: Values) -> "TextModel":
        """On n comments and their labels."""
        idf = inverse_document_frequency(text.counts)
        words = Linear.fit(tfidf(text.counts, idf), labels, WORDS_PENALTY)
        return cls(idf, words, Linear.fit(text.vectors, labels, MEANING_PENALTY))

    def scores(self, text: Text) -> pd.DataFrame:
        """The columns words and meaning, in log-odds."""
        words = self.words.score(tfidf(text.counts, self.idf))
        return pd.DataFrame({"words": words, "meaning": self.meaning.score(text.vectors)})


@dataclass(frozen=True)
class CommentModel:
    """``text`` makes the first two of INPUTS, ``booster`` reads them all."""

    text: TextModel
    booster: lgb.Booster
    calibrator: PlattCalibrator
    metrics: dict[str, float]

    def inputs(self, comments: Comments, bank: TextBank) -> pd.DataFrame:
        """INPUTS of each comment in order."""
        return self.text.scores(read(comments, bank)).join(comment_features(comments))

    def predict(self, inputs: pd.DataFrame) -> Values:
        """(n,) calibrated probabilities; NaN for a comment without text."""
        probabilities = self.calibrator.predict(gbm.predict(self.booster, _matrix(inputs)))
        return np.where(inputs["length"] > 0, probabilities, np.nan)

    def explain(self, inputs: pd.DataFrame) -> list[list[dict[str, Any]]]:
        """Per row at most four reason codes, from the model's own contributions."""
        margins = gbm.contributions(self.booster, _matrix(inputs))[:, :-1]
        return reason_codes(inputs, pd.DataFrame(margins, columns=list(INPUTS)), REASONS)

    def save(self, folder: Path) -> None:
        """Writes the booster as text, the regressions as npz (words without the weights that are zero), the rest as
        JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        gbm.save_booster(self.booster, folder / "booster.txt")
        (places,) = np.nonzero(self.text.words.weights)
        np.savez_compressed(
            folder / "text.npz", idf=self.text.idf, meaning=self.text.meaning.weights, places=places,
            words=self.text.words.weights[places],
            intercepts=np.array([self.text.words.intercept, self.text.meaning.intercept]),
        )  # fmt: skip
        rest = {"calibrator": self.calibrator.to_json(), "metrics": self.metrics}
        (folder / "comments.json").write_text(json.dumps(rest, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "CommentModel":
        """Reads what :meth:`save` wrote. Raises InputError (CONFLICT) for a model of other features."""
        booster = gbm.load_booster_for(folder / "booster.txt", INPUTS, "comments")
        with np.load(folder / "text.npz", allow_pickle=False) as kept:
            weights = np.zeros(len(kept["idf"]))
            weights[kept["places"]] = kept["words"]
            words, meaning = (float(one) for one in kept["intercepts"])
            text = TextModel(kept["idf"], Linear(weights, words), Linear(kept["meaning"], meaning))
        rest = json.loads((folder / "comments.json").read_text(encoding="utf-8"))
        return cls(text, booster, PlattCalibrator.from_json(rest["calibrator"]), rest["metrics"])


def read(comments: Comments, bank: TextBank) -> Text:
    """The comments as the regressions read them; nothing of them stays in the bank."""
    vectors = bank.vectors([[text] if text else [] for text in comments.texts])
    return Text(term_counts(list(comments.raw), terms), vectors)


def weakly_labelled(tables: Tables) -> tuple[pd.DataFrame, Values]:
    """The comments of accounts with a label, which stands for their comments: nobody labels comments in the contract,
    fakes also write what people write, and so these labels are weak."""
    end = data_as_of(tables)
    accounts, labels = labelled_accounts(tables, end)
    fake = pd.Series(labels, index=accounts[c.ACCOUNT_ID])
    engagements = known(tables, end)["engagements"]
    comments = engagements[engagements[c.COMMENT_TEXT].notna() & engagements[c.ACCOUNT_ID].isin(fake.index)]
    return comments.reset_index(drop=True), comments[c.ACCOUNT_ID].map(fake).to_numpy(np.float64)


def fit_comments(tables: Tables, bank: TextBank, rng: np.random.Generator) -> CommentModel:
    """Trains on the comments of every account of ``tables`` that has a label.

    Raises ValueError when they are too few, saying how many are needed.
    """
    comments, labels = weakly_labelled(tables)
    if len(labels) < MINIMUM_LABELS or not has_both(labels):
        needed = f"{MINIMUM_LABELS} are needed, {MINIMUM_EACH} of each kind"
        raise ValueError(f"{len(labels)} comments of accounts with a label; {needed}")
    return fit_labelled(Comments(comments), labels, bank, rng)


def fit_labelled(comments: Comments, labels: Values, bank: TextBank, rng: np.random.Generator) -> CommentModel:
    """The model of n comments and their ``labels`` (n,), calibrated on comments that it had not seen."""
    seed = int(rng.integers(2**31))
    text, scores = read(comments, bank), pd.DataFrame(0.0, index=range(len(labels)), columns=["words", "meaning"])
    parts = list(folds(comments, labels, seed))
    for train, test in parts:
        scores.iloc[test] = TextModel.fit(text.part(train), labels[train]).scores(text.part(test)).to_numpy()
    inputs, raw = scores.join(comment_features(comments)), np.zeros(len(labels))
    for train, test in parts:
        raw[test] = gbm.predict(_train(inputs.iloc[train], labels[train], seed), _matrix(inputs.iloc[test]))
    calibrator = PlattCalibrator.fit(raw, labels)
    metrics = binary_metrics(calibrator.predict(raw), labels)
    return CommentModel(TextModel.fit(text, labels), _train(inputs, labels, seed), calibrator, metrics)


def folds(comments: Comments, labels: Values, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """FOLDS pairs of rows to learn from and to judge by; near-duplicates stay together."""
    alone = len(labels) + np.arange(len(labels))
    groups = np.where(comments.clusters >= 0, comments.clusters, alone)
    yield from StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels, groups)


def _train(inputs: pd.DataFrame, labels: Values, seed: int) -> lgb.Booster:
    """On every row twice, the second time as if the comment came alone."""
    alone = inputs.assign(**{feature.__name__: np.nan for feature in TOGETHER})
    return gbm.train_booster(
        PARAMETERS, np.concatenate([_matrix(inputs), _matrix(alone)]), np.tile(labels, 2), feature_names=INPUTS,
        rounds=ROUNDS, monotone=[MONOTONE.get(name, 0) for name in INPUTS], seed=seed,
    )  # fmt: skip


def _matrix(inputs: pd.DataFrame) -> Values:
    return inputs[list(INPUTS)].to_numpy(np.float64)
