"""The log of rankings loses nothing but what comes too fast, and counts that."""

from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd

from features.rankings import read_rankings
from models.considered import Considered
from serving.metrics import RANKINGS
from serving.rankings import QUEUED, RankingLog

TWO = Considered(
    pd.DataFrame({"text_cosine": [0.5, np.nan]}, index=["ana", "bo"]), np.array([2.0, 1.0]), np.array([0.25]),
    np.array([False]), np.array([False]),
)  # fmt: skip


def told(log: RankingLog, times: int) -> list[str]:
    ids = [str(uuid4()) for _ in range(times)]
    for one in ids:
        log.tell(TWO, {"ranking_id": one, "policy_version": "1"})
    return ids


def test_parts_are_rotated_and_what_waits_is_written_at_the_end(tmp_path: Path) -> None:
    log = RankingLog(tmp_path / "rankings", rows=6)
    ids = told(log, 8)
    log.keep_writing()
    log.close()
    parts = sorted((tmp_path / "rankings").iterdir())
    assert [len(pd.read_parquet(part)) for part in parts] == [6, 6, 4]
    rows = read_rankings(tmp_path / "rankings")
    assert rows["ranking_id"].drop_duplicates().tolist() == ids
    first = rows.iloc[:2].drop(columns="ranking_id").astype("object")
    assert first.where(first.notna(), None).to_numpy().tolist() == [
        ["1", "ana", 2.0, 1.0, 1.0, 0.25, False, False, 0.5], ["1", "bo", 1.0, None, None, None, False, False, None],
    ]  # fmt: skip


def test_an_old_part_is_written_though_nothing_more_comes(tmp_path: Path) -> None:
    log = RankingLog(tmp_path / "rankings", seconds=0.05)
    log.keep_writing()
    told(log, 1)
    for _ in range(100):
        if list(tmp_path.glob("rankings/2*.parquet")):
            break
        log._thread.join(0.05)
    assert len(read_rankings(tmp_path / "rankings")) == 2
    log.close()


def test_what_does_not_fit_is_dropped_and_counted(tmp_path: Path) -> None:
    dropped = RANKINGS.labels("dropped")._value
    before = dropped.get()
    told(RankingLog(tmp_path / "rankings"), QUEUED + 3)
    assert dropped.get() == before + 3


def test_a_folder_that_cannot_be_written_costs_its_rankings_only(tmp_path: Path) -> None:
    (tmp_path / "rankings").write_text("in the way")
    dropped, log = RANKINGS.labels("dropped")._value, RankingLog(tmp_path / "rankings", rows=2)
    before = dropped.get()
    told(log, 2)
    log.keep_writing()
    log.close()
    assert dropped.get() == before + 2
