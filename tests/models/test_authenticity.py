"""Answers on accounts and comments: their shape, their gaps, and whose share of fakes they speak of."""

import json

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.bank import TextBank
from features.errors import InputError
from features.schema import complete
from models.accounts import AccountModel, fit_accounts
from models.audience_types import TYPES
from models.authenticity import accounts_answer, audience_answer, comments_answer, trained
from models.comments import fit_labelled
from models.engine import Engine
from tests.features.encoders import CountingEncoder
from tests.models.comments import SPAM, made_up
from tests.models.populations import NOW, population, tables_of


@pytest.fixture(scope="module")
def model() -> AccountModel:
    return fit_accounts(tables_of(*population(400, 100, 0)), label_known_by=NOW, rng=np.random.default_rng(0))


def request_of(accounts: pd.DataFrame) -> list[dict[str, object]]:
    return json.loads(accounts.drop(columns=[c.OBSERVED_AT, c.CREATED_AT]).dropna(axis=1).to_json(orient="records"))


def probabilities(answer: dict) -> list[float]:
    return [one["fake_probability"] for one in answer["results"]]


def test_each_account_is_answered_in_order_as_it_would_be_alone(model: AccountModel) -> None:
    rows = [*request_of(population(3, 3, 1)[0]), {"account_id": "empty"}]
    answer = accounts_answer(model, {"accounts": rows}, NOW)
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert [one["account_id"] for one in answer["results"]] == [row["account_id"] for row in rows]
    assert answer["results"][-1] == {
        "account_id": "empty", "fake_probability": None, "audience_type": None, "reason_codes": [],
    }  # fmt: skip
    alone = [accounts_answer(model, {"accounts": [row]}, NOW)["results"][0] for row in rows]
    assert alone == answer["results"]
    assert answer["correction"]["base_rate"] == answer["correction"]["trained_base_rate"] == 0.2


def test_a_base_rate_is_believed_where_it_can_be_the_difference(model: AccountModel) -> None:
    few, many = request_of(population(5, 5, 1)[0]), request_of(population(400, 400, 1)[0])
    elsewhere = request_of(population(400, 400, 1, scale=10.0)[0])
    for rows, believed in ((few, True), (many, True), (elsewhere, False)):
        plain = accounts_answer(model, {"accounts": rows}, NOW)
        given = accounts_answer(model, {"accounts": rows, "base_rate": 0.5}, NOW)
        raised = np.array(probabilities(given)) > np.array(probabilities(plain))
        assert raised.all() if believed else not raised.any(), len(rows)
        assert given["correction"]["refused"] is not believed
        assert given["correction"]["base_rate"] == (0.5 if believed else 0.2)
    assert accounts_answer(model, {"accounts": few}, NOW)["correction"]["estimated_base_rate"] is None
    assert accounts_answer(model, {"accounts": many}, NOW)["correction"]["estimated_base_rate"] == pytest.approx(
        0.5, abs=0.06
    )


def test_near_duplicates_share_a_cluster() -> None:
    bank = TextBank(CountingEncoder())
    model = fit_labelled(*made_up(200, 0), bank, np.random.default_rng(0))
    texts = ["love it", " ".join(SPAM), "", " ".join(SPAM) + "!"]
    answer = comments_answer(model, {"comments": [{"comment_text": text} for text in texts]}, bank)
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert [one["cluster"] for one in answer["results"]] == [None, 0, None, 0]
    assert answer["results"][2] == {"fake_probability": None, "cluster": None, "reason_codes": []}
    assert answer["results"][1]["fake_probability"] > answer["results"][0]["fake_probability"]


def test_a_creators_audience_by_type_or_nothing(model: AccountModel) -> None:
    accounts = population(30, 10, 2)[0]
    engaged = pd.DataFrame({c.ACCOUNT_ID: accounts[c.ACCOUNT_ID], c.CREATOR_ID: "ana", c.EVENT_TIME: NOW})
    tables = complete({"accounts": accounts, "engagements": engaged.assign(action="LIKE")})
    ana, bo = audience_answer(model, tables, NOW, ["ana", "bo"])
    assert bo is None
    assert ana is not None
    assert (ana["accounts"], {*ana["types"]}) == (40, {*TYPES})
    assert sum(one["share"] for one in ana["types"].values()) == pytest.approx(1, abs=1e-3)
    assert audience_answer(None, tables, NOW, ["ana"]) == [None]


def test_a_release_without_the_model_says_so() -> None:
    with pytest.raises(InputError, match="accounts: this release has no such model") as caught:
        trained(None, "accounts")
    assert caught.value.code == "UNAVAILABLE"


def test_the_engine_answers_from_its_release_and_shows_audiences_to_risk_only(engine: Engine, few) -> None:
    ids = list(few["creators"][c.CREATOR_ID].unique()[:3])
    rows = [{"account_id": "a", "followers_count": 1, "following_count": 5000}]
    assert 0 < probabilities(engine.fraud_accounts({"accounts": rows}))[0] < 1
    assert 0 < probabilities(engine.fraud_comments({"comments": [{"comment_text": "nice"}]}))[0] < 1
    shown = engine.profile({"creator_ids": ids}, risk=True)["results"]
    assert all(one["audience_types"]["accounts"] > 0 for one in shown)
    assert not any("audience_types" in one for one in engine.profile({"creator_ids": ids}, risk=False)["results"])
