"""Golden rows tell a release that computes something else, and no creator."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from features.errors import InputError
from features.tables import read_tables
from features.text import Encoder
from models.bundle import Bundle
from models.engine import bank_for
from models.golden import EXPECTED, FILE, check_golden
from models.registry import local_champion

PROVEN = {"towers", "ranker", "accounts", "fraud", "comments"}


@pytest.fixture(scope="module")
def bundle(home: Path) -> Bundle:
    return Bundle.load(local_champion(home))


@pytest.fixture(scope="module")
def encoder(bundle: Bundle) -> Encoder:
    return bank_for(bundle).encoder


@pytest.fixture
def release(home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(local_champion(home), tmp_path / "1"))


def test_every_model_answers_as_it_did_where_it_was_trained(
    home: Path, dataset: Path, bundle: Bundle, encoder: Encoder
) -> None:
    release = local_champion(home)
    assert check_golden(release, bundle, encoder) == []
    files = {name: pd.read_parquet(release / name / FILE) for name in PROVEN}
    assert all(len(rows) >= 5 for rows in files.values())
    told = {one for rows in files.values() for one in rows.select_dtypes("str").stack()}
    tables = read_tables(dataset)
    assert not told & {*tables["creators"]["creator_id"], *tables["accounts"]["account_id"]}


@pytest.mark.parametrize("name", sorted(PROVEN))
def test_what_is_answered_otherwise_is_refused_by_name(
    release: Path, bundle: Bundle, encoder: Encoder, name: str
) -> None:
    file = release / name / FILE
    rows = pd.read_parquet(file)
    rows.assign(**{EXPECTED: rows[EXPECTED] + 2e-4}).to_parquet(file)
    with pytest.raises(InputError, match=f"answers otherwise here: {name}") as refusal:
        check_golden(release, bundle, encoder)
    assert [detail["field"] for detail in refusal.value.details] == [name]


def test_models_from_before_golden_rows_are_named_and_pass(release: Path, bundle: Bundle, encoder: Encoder) -> None:
    (release / "ranker" / FILE).unlink()
    assert check_golden(release, bundle, encoder) == ["ranker"]
