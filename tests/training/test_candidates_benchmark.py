"""What a narrow first stage costs: the served number gives the list that is served, and differences are by brief."""

from pathlib import Path

import pandas as pd
import pytest

from features.asof import data_as_of
from features.bank import TextBank
from features.errors import InputError
from features.tables import read_tables, write_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.catalogue import build_catalogue
from models.eligibility import eligible
from models.measures import ndcg
from models.ranking import CANDIDATES, query_of
from models.registry import local_champion
from models.retriever import retrieve
from training.benchmarks.candidates import DEPTHS, EVERYONE, measure, run, summary
from training.evaluation.cases import truth_cases
from training.evaluation.reading import DEPTH, Served


def test_the_lists_measured_are_those_of_the_path_that_serves_with_so_many_creators(home: Path, dataset: Path):
    bundle, bank = Bundle.load(local_champion(home)), TextBank(load_encoder(), EmbeddingCache(home / "embeddings"))
    tables = read_tables(dataset)
    catalogue = build_catalogue(bundle, tables, data_as_of(tables), bank)
    truth = pd.read_parquet(dataset / "truth" / "utility.parquet")
    found = []
    for case in truth_cases(tables["briefs"], truth)[-6:]:
        allowed, gains = eligible(catalogue, {}, case.brief).allowed, 2.0**case.grades - 1
        query = query_of(catalogue, bundle, bank, case.brief, {})
        offered = catalogue.state.ids[allowed.rows]
        few = catalogue.state.ids[retrieve(query, catalogue.state, catalogue.index, allowed, DEPTHS[0])]
        lists = [Served(bundle, bank, catalogue).first(case.brief, among, DEPTH) for among in (few, offered)]
        by_hand = [ndcg(gains[one].to_numpy(), gains[offered].to_numpy(), DEPTH) for one in lists]
        measured = measure(catalogue, bundle, bank, case)
        assert [measured[str(DEPTHS[0])], measured[EVERYONE]] == pytest.approx(by_hand)
        found.append(measured)
    assert all(one[str(DEPTHS[-1])] == one[EVERYONE] for one in found)  # a small catalogue is not cut
    assert any(one[str(DEPTHS[0])] != one[EVERYONE] for one in found)


def test_differences_are_of_the_same_brief():
    everyone = pd.Series([0.1, 0.5, 0.9])
    found = pd.DataFrame({str(k): everyone - 0.05 for k in DEPTHS} | {EVERYONE: everyone})
    told = summary(found)[EVERYONE]
    assert told["ndcg10"]["low"] < 0.45 < told["ndcg10"]["high"]
    assert list(told[f"minus_{CANDIDATES}"].values()) == pytest.approx([0.05] * 3)  # whatever is drawn
    assert list(told[f"minus_{EVERYONE}"].values()) == [0, 0, 0]


def test_a_dataset_without_its_truth_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="truth/"):
        run(tmp_path, tmp_path)


def test_a_truth_of_some_pairs_alone_is_refused(dataset: Path, tmp_path: Path):
    tables = read_tables(dataset)
    write_tables({name: tables[name] for name in ("briefs", "creators")}, tmp_path)
    (tmp_path / "truth").mkdir()
    pd.read_parquet(dataset / "truth" / "utility.parquet")[:-1].to_parquet(tmp_path / "truth" / "utility.parquet")
    with pytest.raises(InputError, match="some pairs"):
        run(tmp_path, tmp_path)
