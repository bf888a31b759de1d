"""Tuning inside the past: what it cannot see does not move it, the served settings compete, the same seed tells the
same."""

from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

from features.errors import InputError
from models.ranker import PARAMETERS, ROUNDS, fit_ranker
from training.benchmarks.tuning import Candidates, Market, run
from training.matching import RankingRows
from training.tune import CUTS, GAINS, SERVED, drawn, fitted, tune, validated

SIZE = 8
BRIEFS = 24


def rows_of(seed: int = 0) -> RankingRows:
    """Grades follow the text; the followers are noise."""
    rng = np.random.default_rng(seed)
    pairs = pd.DataFrame(rng.random((BRIEFS * SIZE, 2)), columns=["text_cosine", "followers_count"])
    grades = (4 * pairs["text_cosine"] + rng.normal(scale=0.5, size=len(pairs))).clip(0, 4).astype(np.int64)
    return RankingRows(pairs, grades.to_numpy(), np.full(len(pairs), np.nan), [SIZE] * BRIEFS)


@pytest.fixture(scope="module")
def rows() -> RankingRows:
    return rows_of()


def test_briefs_are_cut_out_whole(rows: RankingRows) -> None:
    part = rows.briefs(2, 4)
    assert part.groups == [SIZE, SIZE]
    pd.testing.assert_frame_equal(part.pairs, rows.pairs.iloc[2 * SIZE : 4 * SIZE])
    np.testing.assert_array_equal(part.grades, rows.grades[2 * SIZE : 4 * SIZE])
    assert len(part.positions) == 2 * SIZE


def test_served_settings_are_those_of_the_ranker_and_lie_within_the_search(rows: RankingRows) -> None:
    served = fit_ranker(rows.pairs, rows.grades, rows.positions, rows.groups, seed=3, parameters=PARAMETERS)
    np.testing.assert_array_equal(fitted(rows, SERVED, 3).score(rows.pairs), served.score(rows.pairs))
    assert SERVED["rounds"] == ROUNDS
    assert {name: PARAMETERS[name] for name in SERVED if name in PARAMETERS}.items() <= SERVED.items()
    assert drawn(optuna.trial.FixedTrial(dict(SERVED))) == SERVED


def test_gains_by_hand() -> None:
    assert GAINS["exponential"] == [2**grade - 1 for grade in range(5)]
    assert all(gains == sorted(gains) and gains[0] == 0 for gains in GAINS.values())


def test_settings_that_cannot_learn_validate_worse(rows: RankingRows) -> None:
    able, unable = ({"min_data_in_leaf": least, "rounds": 20} for least in (5, 1000))
    assert validated(rows, able, 0) > validated(rows, unable, 0)


def test_what_comes_first_is_never_ranked_by_what_it_taught(rows: RankingRows) -> None:
    """Turning round the grades of the first half changes what is learned; of the last brief, only what is measured."""
    settings = {"min_data_in_leaf": 5, "rounds": 20}
    first = int(CUTS[0] * BRIEFS) * SIZE
    grades = rows.grades.copy()
    grades[:first] = 4 - grades[:first]
    turned = RankingRows(rows.pairs, grades, rows.positions, rows.groups)
    assert validated(turned, settings, 0) < validated(rows, settings, 0) - 0.05


def test_the_budget_is_kept_the_served_settings_compete_and_the_seed_tells_all(rows: RankingRows) -> None:
    found = tune(rows, seed=1, trials=4)
    assert len(found.trials) == 4
    assert {name: found.trials[0][name] for name in SERVED} == SERVED
    assert found.served == found.trials[0]["ndcg10"]
    assert found.validated == max(float(str(trial["ndcg10"])) for trial in found.trials) >= found.served
    assert tune(rows, seed=1, trials=4) == found
    assert tune(rows, seed=2, trials=4).trials[1:] != found.trials[1:]


def test_a_market_without_its_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="truth/"):
        run(tmp_path, tmp_path)


def test_rankings_are_measured_by_the_truth_of_each_later_brief(rows: RankingRows) -> None:
    """Of two later briefs the first wants what the past wanted, the second the opposite."""
    pairs = pd.DataFrame({"text_cosine": np.linspace(0, 1, SIZE), "followers_count": 0.5})
    wish = np.r_[np.zeros(SIZE - 1), 15.0]
    market = Market(rows, [Candidates(pairs, wish), Candidates(pairs, wish[::-1])])
    first, second = market.ndcg({"min_data_in_leaf": 5})
    assert first > 0.9
    assert second < 0.5
