"""A release in memory tells what it is made of, and one that lacks what is optional is still one."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import InputError
from features.schema import Tables
from features.source import InMemory
from models.bundle import Bundle
from models.engine import Engine
from models.registry import local_champion
from models.release import read_manifest, write_manifest

OPTIONAL = ("accounts", "comments")


def test_models_come_with_the_metrics_of_their_training(engine: Engine) -> None:
    answer = engine.models()
    assert answer["metrics"]["ranker"]["ndcg10_ranker"] > 0
    trained = {name for name, version in answer["models"].items() if version is not None}
    assert trained == {*answer["metrics"], "release"}
    assert set(OPTIONAL) <= trained


def test_a_release_without_the_models_of_accounts_and_comments_is_served(
    home: Path, tmp_path: Path, engine: Engine, few: Tables
) -> None:
    folder = Path(shutil.copytree(local_champion(home), tmp_path / "1"))
    manifest = read_manifest(folder)
    gone = {*OPTIONAL, "fraud"}  # which reads the scores of accounts
    kept = {name: entry for name, entry in manifest.models.items() if name not in gone}
    write_manifest(folder, replace(manifest, models=kept))
    for name in gone:
        shutil.rmtree(folder / name)
    older = Engine(Bundle.load(folder), InMemory(few), engine._bank)
    assert [older.models()["models"][name] for name in OPTIONAL] == [None, None]
    for ask, request in (
        (older.fraud_accounts, {"accounts": [{"account_id": "a"}]}),
        (older.fraud_comments, {"comments": [{"comment_text": "a"}]}),
    ):
        with pytest.raises(InputError, match="no such model") as caught:
            ask(request)
        assert caught.value.code == "UNAVAILABLE"


def test_the_fraud_model_reads_accounts_by_the_releases_own_model(home: Path) -> None:
    bundle = Bundle.load(local_champion(home))
    assert bundle.fraud is not None and bundle.fraud.accounts is bundle.accounts is not None
