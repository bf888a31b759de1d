"""On made-up comments and a small encoder; how good the model is on real ones is said in docs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from features import columns as c
from features.bank import TextBank
from features.comments import Comments
from features.errors import InputError
from features.schema import complete
from models import gbm
from models.comments import INPUTS, MONOTONE, REASONS, CommentModel, fit_comments, fit_labelled, folds, weakly_labelled
from tests.features.encoders import CountingEncoder
from tests.models.comments import GENUINE, SPAM, made_up


@pytest.fixture(scope="module")
def bank() -> TextBank:
    return TextBank(CountingEncoder())


@pytest.fixture(scope="module")
def model(bank: TextBank) -> CommentModel:
    return fit_labelled(*made_up(300, 0), bank, np.random.default_rng(0))


def test_spam_scores_higher_together_and_alone(model: CommentModel, bank: TextBank) -> None:
    comments, label = made_up(300, 1)
    inputs = model.inputs(comments, bank)
    probability = model.predict(inputs)
    assert roc_auc_score(label, probability) > 0.75  # one in six cannot be known
    assert probability.mean() == pytest.approx(label.mean(), abs=0.06)
    one = Comments(comments.rows.iloc[[5]].reset_index(drop=True))
    alone = inputs.iloc[[5]].assign(copies=np.nan, template=np.nan, burst=np.nan)
    assert model.predict(model.inputs(one, bank)) == pytest.approx(model.predict(alone))


def test_nothing_is_said_of_nothing(model: CommentModel, bank: TextBank) -> None:
    rows = pd.DataFrame({c.COMMENT_TEXT: ["", None, "<br>", "😂"], c.VIDEO_ID: "v", c.EVENT_TIME: pd.NaT})
    probability = model.predict(model.inputs(Comments(rows), bank))
    assert np.isnan(probability).tolist() == [True, True, True, False]


def test_same_seed_same_model_kept_and_read(tmp_path: Path, model: CommentModel, bank: TextBank) -> None:
    inputs = model.inputs(made_up(50, 2)[0], bank)
    again = fit_labelled(*made_up(300, 0), bank, np.random.default_rng(0))
    assert (again.predict(inputs) == model.predict(inputs)).all()
    model.save(tmp_path / "comments")
    kept = CommentModel.load(tmp_path / "comments")
    pd.testing.assert_frame_equal(kept.inputs(made_up(50, 2)[0], bank), inputs)
    assert (kept.predict(inputs) == model.predict(inputs)).all()
    assert kept.explain(inputs) == model.explain(inputs)
    assert {path.suffix for path in (tmp_path / "comments").iterdir()} == {".txt", ".json", ".npz"}


def test_a_model_of_other_features_is_refused(tmp_path: Path, model: CommentModel) -> None:
    model.save(tmp_path)
    other = gbm.train_booster({"objective": "binary"}, np.eye(4), np.ones(4), feature_names="abcd", rounds=1, seed=0)
    gbm.save_booster(other, tmp_path / "booster.txt")
    with pytest.raises(InputError, match="other features"):
        CommentModel.load(tmp_path)


def test_more_copies_never_speak_for_a_comment(model: CommentModel, bank: TextBank) -> None:
    inputs = model.inputs(made_up(100, 3)[0], bank)
    for name, sign in MONOTONE.items():
        moved = model.predict(inputs.assign(**{name: inputs[name] + 0.7})) - model.predict(inputs)
        assert (sign * moved >= -1e-12).all()


def test_reasons_speak_of_what_raised_the_score(model: CommentModel, bank: TextBank) -> None:
    assert sorted(name for _, names in REASONS.values() for name in names) == sorted(INPUTS)
    rows = made_up(2, 0)[0].rows.assign(comment_text=[" ".join(SPAM[:6]), " ".join(GENUINE[:6])])
    spam, genuine = model.explain(model.inputs(Comments(rows), bank))
    assert "SPAM_WORDS" in {code["code"] for code in spam}
    assert "SPAM_WORDS" not in {code["code"] for code in genuine}
    assert json.loads(json.dumps(spam, allow_nan=False)) == spam


def test_near_duplicates_stay_in_one_fold() -> None:
    comments, label = made_up(100, 4)
    twice = Comments(pd.concat([comments.rows] * 2, ignore_index=True))
    for _, test in folds(twice, np.tile(label, 2), 0):
        assert {*(test % 100)} == {*(test[test < 100])} == {*(test[test >= 100] - 100)}


def test_a_comment_is_weakly_labelled_by_its_account(bank: TextBank) -> None:
    comments, label = made_up(90, 5)
    rows = comments.rows
    labels = pd.DataFrame({c.ACCOUNT_ID: rows[c.ACCOUNT_ID].head(80), c.IS_FAKE: label[:80]})
    accounts = rows[[c.ACCOUNT_ID]]
    tables = complete({"engagements": rows, "fraud_labels": labels, "accounts": accounts})
    found, weak = weakly_labelled(tables)
    assert list(found[c.ACCOUNT_ID]) == list(rows[c.ACCOUNT_ID].head(80))
    assert (weak == label[:80]).all()
    assert fit_comments(tables, bank, np.random.default_rng(0)).metrics["rows"] == 80
    with pytest.raises(ValueError, match="10 comments of accounts with a label; 60 are needed"):
        fit_comments(tables | {"engagements": rows.head(10)}, bank, np.random.default_rng(0))
