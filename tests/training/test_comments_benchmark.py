"""Learned from one file of made-up comments, measured on another; the packaged encoder reads them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import InputError
from tests.models.comments import made_up
from training import cli
from training.benchmarks import comments, youtube_comments


def file(path: Path, size: int, seed: int) -> Path:
    made, label = made_up(size, seed)
    columns = ["video_id", "event_time", "comment_text"]
    made.rows[columns].assign(is_spam=label.astype(int)).to_csv(path, index=False)
    return path


def test_metrics_of_comments_together_and_one_by_one(tmp_path: Path) -> None:
    train, test = file(tmp_path / "a.csv", 120, 0), file(tmp_path / "b.csv", 60, 1)
    command = ["benchmark", "comments", "--train", str(train), "--test", str(test), "--home", str(tmp_path)]
    found = json.loads(CliRunner().invoke(cli.app, command).stdout)
    assert {*found} == {"together", "one_by_one"}
    assert {"auroc", "pr_auc", "log_loss", "mean_score", "true_rate", "ece"} <= {*found["together"]}
    assert found["together"]["rows"] == 60
    assert found["one_by_one"]["auroc"] > 0.6


def test_each_video_is_left_out_once(tmp_path: Path) -> None:
    file(tmp_path / "comments.csv", 120, 0)
    found = youtube_comments.run(tmp_path, tmp_path / "cache")
    assert sum(video["together"]["rows"] for video in found["by_video"].values()) == 120
    least = min(video["together"]["auroc"] for video in found["by_video"].values())
    assert found["auroc"]["together"]["least"] == least <= found["auroc"]["together"]["mean"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text,is_spam\na,1\n", "column comment_text"),
        ("comment_text\na\n", "column is_spam"),
        ("comment_text,is_spam\na,1\nb,2\n", "is_spam 0 and comments with 1"),
        ("comment_text,is_spam\na,1\n", "is_spam 0 and comments with 1"),
        ("", "readable CSV"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=f"^--test: .*{said}"):
        comments.read(path, "--test")
