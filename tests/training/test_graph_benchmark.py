"""The graph benchmark on small markets, and its sums by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.benchmarks import graph, graph_scale
from training.benchmarks.graph import alone, detectors, run
from training.benchmarks.graph_scale import AS_OF, RING, START, market


def test_answer_of_small_markets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "SEEDS", range(2))
    monkeypatch.setattr(graph, "WORLDS", {"fuller-log": graph.WORLDS["fuller-log"]})
    monkeypatch.setattr(graph, "SIZE", {"creators": 150, "briefs": 5, "days": 120})
    monkeypatch.setattr(graph_scale, "SIZES", (20_000, 40_000))
    answer = run(tmp_path, tmp_path)
    found = answer["fuller-log"]
    assert found["detectors"]["any"]["LOCKSTEP_RING"] > 0.5 > found["detectors"]["any"]["nothing"]
    assert found["alone"]["shared_accounts_surprise"]["LOCKSTEP_RING"]["auroc"] > 0.8
    assert [row["rings_found"] for row in answer["growth"]["sizes"]] == [1, 1]
    assert (tmp_path / "fuller-log-0" / "truth").is_dir()


def test_sums_by_hand() -> None:
    """Of two rings one is flagged, of two press mentions one, of two without anything none."""
    rows = pd.DataFrame(
        {
            "LOCKSTEP_RING": [1, 1, 0, 0, 0, 0], "PRESS_MENTION": [0, 0, 1, 1, 0, 0],
            "target": [True, True, False, False, False, False], "seed": 0,
        }
    ).astype({"LOCKSTEP_RING": bool, "PRESS_MENTION": bool})  # fmt: skip
    rows = rows.assign(**dict.fromkeys(graph.DETECTORS, False), **dict.fromkeys(graph.GRAPH_FEATURES, 0.0))
    rows["dense"] = [True, False, True, False, False, False]
    rows["dense_share"] = [3.0, np.nan, 2.0, 1.0, 0.5, 0.5]
    assert detectors(rows)["any"] == {
        "flagged": 2, "precision": 0.5, "LOCKSTEP_RING": 0.5, "PRESS_MENTION": 0.5, "nothing": 0,
    }  # fmt: skip
    both = pd.concat([rows, rows.assign(seed=1)])
    ranked = alone(both)["dense_share"]
    assert list(ranked) == ["LOCKSTEP_RING"]
    assert ranked["LOCKSTEP_RING"] == pytest.approx(
        {"auroc": 0.5, "auroc_sd": 0, "pr_auc": (1 + 2 / 6) / 2, "pr_auc_sd": 0, "share": 1 / 3}
    )


def test_a_market_to_grow_keeps_its_size_and_its_rings() -> None:
    events, buyers = market(30_000, np.random.default_rng(0))
    assert len(events) == 30_000
    assert len(buyers) == 3 * RING[1]
    assert events["event_time"].between(START, AS_OF).all()
