"""Learned here, measured there, on small folders of made-up accounts."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import InputError
from tests.models.populations import population, tables_of
from training import cli
from training.benchmarks import accounts


def folder(path: Path, genuine: int, fake: int, seed: int, scale: float = 1.0) -> Path:
    path.mkdir()
    for name in accounts.TABLES:
        tables_of(*population(genuine, fake, seed, scale))[name].to_csv(path / f"{name}.csv", index=False)
    return path


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return folder(tmp_path / "here", 300, 100, 0)


def test_the_given_share_helps_under_label_shift(here: Path, tmp_path: Path) -> None:
    there = folder(tmp_path / "there", 400, 20, 1)
    command = ["benchmark", "accounts", "--train", str(here), "--test", str(there), "--base-rate", "0.05"]
    found = json.loads(CliRunner().invoke(cli.app, command).output)
    assert (found["correction"], found["answered"], found["trained_rate"]) == ("ALLOWED", "at_base_rate", 0.25)
    trained, given = found["as_trained"], found["at_base_rate"]
    assert trained["auroc"] == pytest.approx(given["auroc"])
    assert given["log_loss"] < trained["log_loss"]
    assert abs(given["mean_score"] - 0.0476) < abs(trained["mean_score"] - 0.0476)
    assert found["at_estimated_rate"]["base_rate"] == pytest.approx(20 / 420, abs=0.03)


def test_a_correction_is_refused_under_another_shift(here: Path, tmp_path: Path) -> None:
    found = accounts.run(here, folder(tmp_path / "there", 300, 30, 1, scale=20.0), 0.1)
    assert (found["correction"], found["answered"]) == ("REFUSED", "as_trained")
    assert "followers_count" in found["shifted"]


def test_a_folder_without_both_kinds_or_tables_is_refused(here: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--test: needs accounts with the label 0"):
        accounts.run(here, folder(tmp_path / "there", 10, 0, 1), None)
    (here / "fraud_labels.csv").unlink()
    with pytest.raises(InputError, match="no table fraud_labels"):
        accounts.run(here, here, None)
