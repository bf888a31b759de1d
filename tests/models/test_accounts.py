"""On made-up accounts; how good the model is on real ones is said in docs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from features import columns as c
from features.accounts import ACCOUNT_FEATURES, account_features
from features.errors import InputError
from models import gbm
from models.accounts import REASONS, AccountModel, fit_accounts, folds, labelled_accounts
from models.audience_types import TYPES, audience_type, audience_types
from tests.models.populations import NOW, population, tables_of


@pytest.fixture(scope="module")
def model() -> AccountModel:
    return fit_accounts(tables_of(*population(400, 100, 0)), label_known_by=NOW, rng=np.random.default_rng(0))


def scored(model: AccountModel, **kinds: float) -> tuple[pd.DataFrame, pd.Series, np.ndarray]:
    accounts, label = population(seed=1, **kinds)
    features = account_features(accounts, NOW)
    return features, model.predict(features), label


def test_fakes_score_higher_and_the_mean_is_the_share(model: AccountModel) -> None:
    _, probability, label = scored(model, genuine=800, fake=200)
    assert roc_auc_score(label, probability) > 0.9
    assert probability.mean() == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("hidden", [(c.FOLLOWERS_COUNT,), (c.FOLLOWING_COUNT, c.HAS_AVATAR)])
def test_a_missing_column_costs_no_calibration(model: AccountModel, hidden: tuple[str, ...]) -> None:
    accounts, _ = population(800, 200, 1)
    gaps = accounts.assign(**dict.fromkeys(hidden, np.nan))
    assert model.predict(account_features(gaps, NOW)).mean() == pytest.approx(0.2, abs=0.06)


def test_of_whom_nothing_is_known_nothing_is_said(model: AccountModel) -> None:
    assert model.predict(pd.DataFrame(np.nan, index=[7], columns=list(ACCOUNT_FEATURES))).isna().all()


def test_another_share_of_fakes_is_corrected_and_another_platform_refused(model: AccountModel) -> None:
    features, probability, label = scored(model, genuine=600, fake=600)
    found = model.verdict(features).estimated
    assert found == pytest.approx(0.5, abs=0.05)
    corrected = model.shift.at(probability.to_numpy(), found)
    assert abs(corrected.mean() - label.mean()) < abs(probability.mean() - label.mean()) / 2
    elsewhere, _, _ = scored(model, genuine=600, fake=600, scale=10.0)
    verdict = model.verdict(elsewhere)
    assert verdict.estimated is None
    assert c.FOLLOWERS_COUNT in verdict.shifted


def test_same_seed_same_model_kept_and_read(tmp_path: Path, model: AccountModel) -> None:
    features, probability, _ = scored(model, genuine=30, fake=30)
    again = fit_accounts(tables_of(*population(400, 100, 0)), label_known_by=NOW, rng=np.random.default_rng(0))
    pd.testing.assert_series_equal(again.predict(features), probability)
    model.save(tmp_path / "accounts")
    kept = AccountModel.load(tmp_path / "accounts")
    pd.testing.assert_series_equal(kept.predict(features), probability)
    assert (kept.explain(features), kept.verdict(features)) == (model.explain(features), model.verdict(features))
    assert {path.suffix for path in (tmp_path / "accounts").iterdir()} == {".txt", ".json"}
    pd.testing.assert_series_equal(model.predict(features.tail(1)), probability.tail(1))


def test_a_model_of_other_features_is_refused(tmp_path: Path, model: AccountModel) -> None:
    model.save(tmp_path)
    other = gbm.train_booster({"objective": "binary"}, np.eye(4), np.ones(4), feature_names="abcd", rounds=1, seed=0)
    gbm.save_booster(other, tmp_path / "booster.txt")
    with pytest.raises(InputError, match="other features"):
        AccountModel.load(tmp_path)


def test_reasons_speak_of_what_raised_the_score(model: AccountModel) -> None:
    grouped = [name for _, names in REASONS.values() for name in names]
    assert sorted(grouped) == sorted(ACCOUNT_FEATURES)
    features = pd.DataFrame(np.nan, index=[0], columns=list(ACCOUNT_FEATURES))
    (codes,) = model.explain(features.assign(followers_count=3.0, following_count=4000.0, following_per_follower=6.9))
    assert {"FOLLOWS_MANY", "FEW_CONNECTIONS"} <= {code["code"] for code in codes}
    assert json.loads(json.dumps(codes, allow_nan=False)) == codes
    assert model.explain(features.iloc[:0]) == []


def test_equal_profiles_stay_in_one_fold() -> None:
    accounts, label = population(60, 40, 2)
    twice = pd.concat([account_features(accounts, NOW)] * 2, ignore_index=True)
    for _, test in folds(twice, np.tile(label, 2), 0):
        assert sorted(test % 100) == sorted([*{*(test % 100)}] * 2)


def test_the_latest_known_label_of_an_account_counts_once_it_is_known() -> None:
    accounts, label = population(2, 0, 3)
    tables = tables_of(accounts, label)
    first, second = accounts[c.ACCOUNT_ID]
    days = pd.to_datetime(["2025-01-03", "2025-01-01", "2025-01-02"])
    rows = {c.ACCOUNT_ID: [first, first, second], c.IS_FAKE: [1.0, 0.0, 0.0], c.KNOWN_AT: days}
    tables = tables | {"fraud_labels": pd.DataFrame(rows), "accounts": accounts.assign(observed_at=days[1])}
    assert list(labelled_accounts(tables, days[0])[1]) == [1, 0]
    assert list(labelled_accounts(tables, days[2])[1]) == [0, 0]
    assert list(labelled_accounts(tables, days[1])[0][c.ACCOUNT_ID]) == [first]


def test_too_few_labels_are_said() -> None:
    with pytest.raises(ValueError, match="69 labels of accounts; 60 are needed, 10 of each kind"):
        fit_accounts(tables_of(*population(60, 9, 0)), label_known_by=NOW, rng=np.random.default_rng(0))


def test_types_by_the_first_rule_that_holds() -> None:
    rows = [(0.5, 10, 10), (0.1, 5000, 100), (0.1, 5000, 6000), (0.1, 10, 1499), (0.1, 9000, np.nan), (np.nan, 1, 1)]
    probability, followers, following = (pd.Series(column, dtype="float64") for column in zip(*rows, strict=True))
    accounts = pd.DataFrame({c.FOLLOWERS_COUNT: followers, c.FOLLOWING_COUNT: following})
    found = list(audience_type(accounts, probability))
    assert found == ["SUSPICIOUS", "INFLUENCER", "MASS_FOLLOWER", "REAL", "INFLUENCER", None]


def test_shares_of_a_creators_audience_count_each_account_once(model: AccountModel) -> None:
    accounts, _ = population(3, 1, 4)
    ids = list(accounts[c.ACCOUNT_ID])
    accounts = accounts.assign(followers_count=[900, 90_000, 900, 1], following_count=[90, 90, 4000, 4000.0])
    rows = [(ids[0], "ana"), (ids[0], "ana"), (ids[1], "ana"), (ids[3], "ana"), (ids[2], "bo"), ("unknown", "bo")]
    engagements = pd.DataFrame(rows, columns=[c.ACCOUNT_ID, c.CREATOR_ID]).assign(event_time=NOW)
    old = pd.DataFrame({c.ACCOUNT_ID: [ids[2]], c.CREATOR_ID: "ana", c.EVENT_TIME: NOW - pd.Timedelta(days=90)})
    found = audience_types(model, pd.concat([engagements, old]), accounts, NOW).set_index([c.CREATOR_ID, "type"])
    assert found.loc["ana", "share"].to_dict() == pytest.approx(dict(zip(TYPES, [1 / 3, 0, 1 / 3, 1 / 3], strict=True)))
    assert (found.loc["ana", "accounts"] == 3).all()
    assert (found.loc["bo", "accounts"] == 1).all()
    assert found["low"].le(found["share"] + 1e-12).all()
    assert found["high"].ge(found["share"] - 1e-12).all()
    assert found.loc[("ana", "MASS_FOLLOWER"), "high"] == pytest.approx(1.96**2 / (3 + 1.96**2))
