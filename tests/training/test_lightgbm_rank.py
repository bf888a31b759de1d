"""The lightgbm-rank benchmark on a ranking set made up here; the data themselves are not in the project."""

from pathlib import Path

import numpy as np
import pytest

from features.errors import InputError
from models.ranker import PARAMETERS, fit_ranker
from training.benchmarks import lightgbm_rank
from training.benchmarks.lightgbm_rank import choose, read, run, scores_of


def write(folder: Path, name: str, queries: int, size: int = 8) -> None:
    """Grades follow the first feature, the second is noise."""
    rng = np.random.default_rng(queries)
    rows = rng.random((queries * size, 2))
    lines = [f"{int(4 * first)} 1:{first:.3f} 2:{second:.3f}\n" for first, second in rows]
    (folder / name).write_text("".join(lines))
    (folder / f"{name}.query").write_text(f"{size}\n" * queries)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, "rank.train", 40)
    write(tmp_path, "rank.test", 10)
    monkeypatch.setattr(lightgbm_rank, "GRID", {"num_leaves": (3,), "min_data_in_leaf": (5, 1000)})
    monkeypatch.setattr(lightgbm_rank, "ROUNDS", (2, 20))
    monkeypatch.setattr(lightgbm_rank, "SEEDS", range(2))
    return tmp_path


def test_files_are_read_by_query(folder: Path) -> None:
    queries = read(folder / "rank.test")
    assert (queries.rows.shape, queries.groups) == ((80, 300), (8,) * 10)
    part = queries.part(np.arange(10) == 3)
    assert part.rows.equals(queries.rows.iloc[24:32])
    assert part.grades.tolist() == queries.grades[24:32].tolist()


def test_settings_that_can_learn_are_chosen_without_the_test_file(folder: Path) -> None:
    (folder / "rank.test").unlink()
    settings, rounds, validated = choose(read(folder / "rank.train"))
    assert settings["min_data_in_leaf"] == 5
    assert rounds in (2, 20)
    assert 0.9 < validated <= 1


def test_answer_compares_with_the_reference_by_query(folder: Path) -> None:
    answer = run(folder, folder)
    assert answer["queries"] == 10
    assert len(answer["ranker_by_seed"]) == 2
    difference = answer["ranker"]["mean"] - answer["reference"]["mean"]
    assert answer["ranker_minus_reference"]["mean"] == pytest.approx(difference)


def test_parameters_are_those_given(folder: Path) -> None:
    train = read(folder / "rank.train")
    unknown = np.full(len(train.rows), np.nan)
    own, other = (
        fit_ranker(train.rows, train.grades, unknown, train.groups, seed=1, rounds=5, parameters=given)
        for given in (PARAMETERS, lightgbm_rank.REFERENCE)
    )
    assert scores_of(own, train).shape == (40,)
    assert "[extra_trees: 1]" in own.booster.model_to_string()
    assert "[extra_trees: 0]" in other.booster.model_to_string()


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rank\.train"):
        run(tmp_path, tmp_path)
