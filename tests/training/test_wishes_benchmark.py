"""What wishes cost: lists by hand on the small release, and a summary that says which list lost what."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.asof import data_as_of
from features.bank import TextBank
from features.errors import InputError
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.catalogue import build_catalogue
from models.eligibility import eligible
from models.registry import local_champion
from training.benchmarks.wishes import (
    BESIDE,
    DEPTH,
    RULES,
    SERVED,
    UNRULED,
    WISHES,
    Asked,
    asked,
    evaluate,
    run,
    scores,
    unwished,
    wish,
)
from training.evaluation.cases import truth_cases


@pytest.fixture(scope="module")
def release(home: Path) -> tuple[Bundle, TextBank]:
    return Bundle.load(local_champion(home)), TextBank(load_encoder(), EmbeddingCache(home / "embeddings"))


@pytest.fixture(scope="module")
def cases(release: tuple[Bundle, TextBank], dataset: Path) -> list[Asked]:
    tables = read_tables(dataset)
    catalogue = build_catalogue(release[0], tables, data_as_of(tables), release[1])
    truth = pd.read_parquet(dataset / "truth" / "utility.parquet")
    return [asked(catalogue, case) for case in truth_cases(tables["briefs"], truth)[-6:]]


def test_rules_keep_out_whom_they_name_and_all_together_give_what_is_served(cases, release):
    for one in cases:
        found = unwished(one, *release)
        out = ~eligible(one.catalogue, {}, one.brief).allowed.flags
        assert not one.out[found[UNRULED]].any()
        served = wish(one, *release, SERVED)
        assert not out[served].any()
        if not out[found[UNRULED]].any():  # no rule concerns the ranker's first ten
            assert all(list(places) == list(served) for places in found.values())
        assert all(len(set(places)) == DEPTH for places in found.values())
    wishing = [one for one in cases if one.brief[c.TARGET_LANGUAGES]]
    assert wishing
    for one in wishing:
        places = unwished(one, *release)[c.TARGET_LANGUAGES]
        spoken = one.catalogue.state.languages.series(one.catalogue.state.ids).str.partition("-")[0].iloc[places]
        assert set(spoken) <= {*one.brief[c.TARGET_LANGUAGES]}


def test_every_list_is_summed_up_beside_the_one_it_is_compared_with(cases, release):
    found: Any = evaluate(iter(cases), *release)
    assert set(found) == {"briefs", *WISHES, UNRULED, *RULES}
    assert found[UNRULED]["difference"] == {"mean": 0, "low": 0, "high": 0}
    for name, beside in BESIDE.items():
        lost = found[name]["ndcg"] - found[beside]["ndcg"]
        assert found[name]["difference"]["mean"] == pytest.approx(lost)
        assert found[name]["difference"]["low"] <= lost <= found[name]["difference"]["high"]
    assert found["diversity_1"]["alikeness"] < found["diversity_0.5"]["alikeness"] < found[SERVED]["alikeness"]
    assert found["explore"]["new"] >= max(found[SERVED]["new"], 1 / DEPTH)
    assert all(0 <= found[name]["gini"] <= 1 for name in BESIDE)


def test_scores_by_hand(cases):
    one = cases[0]
    best = np.argsort(-np.where(one.out, -1, one.gains), kind="stable")[:DEPTH].astype(np.int64)
    found = scores(one, best)
    jobs = one.catalogue.state.frame["jobs"].iloc[best]
    assert found["ndcg"] == pytest.approx(1.0)
    assert found["new"] == pytest.approx((jobs < 4).mean())
    assert scores(one, best[:1])["alikeness"] == 1.0
    assert scores(one, best[:0]) == {"ndcg": 0.0, "alikeness": 1.0, "new": 0.0}


def test_a_dataset_without_its_truth_is_refused(tmp_path):
    with pytest.raises(InputError, match="truth/"):
        run(tmp_path, tmp_path)
