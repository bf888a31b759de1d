"""What is kept of a ranking gives its scores again, and says how likely each place was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features.rankings import logged_impressions
from features.trace import tracing
from models.considered import DRAWS, LEAST, Considered, candidates, log_table
from models.engine import Engine

BRIEF = {"description": "cozy recipe videos", "content_labels": ["food"]}


def considered(engine: Engine, **request: Any) -> tuple[Mapping[str, Any], Considered]:
    with tracing() as trace:
        answer = engine.rank({"brief": BRIEF, **request})
    return answer, trace.values["considered"]


@pytest.mark.parametrize("request_", [{"limit": 5}, {"limit": 60, "diversity": 0.4}, {"limit": 20, "explore": True}])
def test_logged_features_give_the_scores_again(engine: Engine, request_: dict[str, Any], tmp_path: Path) -> None:
    answer, kept = considered(engine, **request_)
    log_table([kept.logged(np.random.default_rng(1), {c.RANKING_ID: "r"})]).to_parquet(tmp_path / "part.parquet")
    frame = pd.read_parquet(tmp_path / "part.parquet")
    assert engine._bundle.ranker.score(frame).tolist() == frame["score"].tolist()
    shown = frame.dropna(subset=[c.POSITION])
    results = pd.DataFrame(answer["results"])
    assert shown[c.CREATOR_ID].tolist() == results["creator_id"].tolist()
    assert shown[[c.POSITION, "score"]].to_numpy().tolist() == results[["rank", "score"]].to_numpy().tolist()
    assert len(frame) == max(LEAST, request_["limit"])
    assert frame[c.CREATOR_ID].is_unique


def test_candidates_are_those_shown_and_then_the_best_others() -> None:
    order = np.arange(100)
    assert candidates(np.array([3, 70]), order).tolist() == [3, 70, *(i for i in range(49) if i != 3)]
    assert candidates(np.arange(60), order).tolist() == list(range(60))


def test_propensities_are_one_where_nothing_is_drawn_and_else_those_of_many_draws(engine: Engine) -> None:
    assert considered(engine, limit=20)[1].propensities(np.random.default_rng(1)).tolist() == [1.0] * 20
    answer, kept = considered(engine, limit=10, explore=True, seed=1)
    told = kept.propensities(np.random.default_rng(1))
    assert 1 / (1 + DRAWS) <= told.min() < 0.9
    ids = np.array([one["creator_id"] for one in answer["results"]])
    for seed in range(2, 8):  # a draw of the log is one that a request with its seed would have seen
        other = engine.rank({"brief": BRIEF, "limit": 10, "explore": True, "seed": seed})["results"]
        assert kept.redrawn is not None
        same = kept.redrawn(np.random.default_rng(seed))
        assert same.tolist() == (ids == [one["creator_id"] for one in other]).tolist()


def test_feedback_and_log_together_are_rows_to_learn_from() -> None:
    log = pd.DataFrame(
        {
            c.RANKING_ID: "r", c.POLICY_VERSION: "1", c.CREATOR_ID: ["ana", "bo", "cy"], c.POSITION: [1.0, 2.0, np.nan],
            c.PROPENSITY: [1.0, 0.5, np.nan], "text_cosine": [0.9, 0.2, 0.1],
        }
    )  # fmt: skip
    told = pd.DataFrame(
        {
            c.RANKING_ID: ["r", "r", "other"], c.CREATOR_ID: ["bo", "ana", "ana"], c.POSITION: [2.0, 3.0, 1.0],
            c.PROPENSITY: np.nan, c.OUTCOME: ["CLICKED", "NONE", "NONE"], c.POLICY_VERSION: "1",
        }
    )  # fmt: skip
    rows = logged_impressions(told, log).set_index(c.CREATOR_ID)
    assert rows[[c.OUTCOME, "text_cosine"]].to_numpy().tolist() == [["CLICKED", 0.2], ["NONE", 0.9]]
    assert rows.loc["bo", c.PROPENSITY] == 0.5
    assert np.isnan(rows.loc["ana", c.PROPENSITY])  # given place 1, shown at 3
