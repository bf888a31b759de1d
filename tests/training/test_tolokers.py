"""The tolokers benchmark on workers made up here; the data themselves are not in the project."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.errors import InputError
from training.benchmarks import tolokers
from training.benchmarks.tolokers import choose, graph_features, read, run

WORKERS, MASKS = 400, 2


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The banned work with the banned; their own features say nothing."""
    rng = np.random.default_rng(0)
    banned = rng.random(WORKERS) < 0.3
    pairs = rng.integers(0, WORKERS, (6000, 2))
    alike = banned[pairs[:, 0]] == banned[pairs[:, 1]]
    kept = pairs[(pairs[:, 0] < pairs[:, 1]) & (alike | (rng.random(len(pairs)) < 0.2))]
    part = rng.integers(0, 4, (MASKS, WORKERS))
    np.savez(
        tmp_path / "tolokers.npz",
        node_features=rng.random((WORKERS, 3)).astype(np.float32),
        node_labels=banned.astype(np.int64),
        edges=np.unique(kept, axis=0),
        train_masks=part < 2,
        val_masks=part == 2,
        test_masks=part == 3,
    )
    monkeypatch.setattr(tolokers, "GRID", {"num_leaves": (2, 4), "feature_fraction": (0.5,)})
    monkeypatch.setattr(tolokers, "ROUNDS", (5, 30))
    monkeypatch.setattr(tolokers, "SEEDS", range(2))
    return tmp_path


def test_the_graph_finds_what_own_features_do_not(folder: Path) -> None:
    answer = run(folder, folder)
    assert answer["workers"] == WORKERS
    assert answer["roc_auc"]["mean"] > 0.9 > 0.65 > answer["own_roc_auc"]["mean"]
    assert len(answer["by_mask"]) == MASKS
    assert answer["roc_auc"]["mean"] == pytest.approx(np.mean([mask["roc_auc"] for mask in answer["by_mask"]]))


def test_choice_and_features_know_no_label_of_the_test_part(folder: Path) -> None:
    workers = read(folder / "tolokers.npz")
    test = workers.test[0]
    flipped = replace(workers, y=np.where(test, 1 - workers.y, workers.y))
    x = graph_features(workers)
    assert x.equals(graph_features(flipped))
    assert choose(workers, x, 0) == choose(flipped, x, 0)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tolokers\.npz"):
        run(tmp_path, tmp_path)
