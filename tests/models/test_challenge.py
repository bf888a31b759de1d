"""Arms are drawn by brand and stay; agreement of two rankings, by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from models.agreement import overlap, rank_correlation
from models.challenge import FILE, Challenge, Experiment, read_challenge, write_challenge

BRANDS = [f"brand-{i}" for i in range(4000)]


def arms(name: str, share: float) -> list[bool]:
    return [Experiment(name, share).arm(brand) == "challenger" for brand in BRANDS]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_a_share_of_the_brands_is_in_the_challengers_arm_and_stays_there(share: float) -> None:
    drawn = arms("towers", share)
    assert drawn == arms("towers", share)
    assert np.mean(drawn) == pytest.approx(share, abs=0.025)  # three standard errors at the most
    wider = arms("towers", min(share + 0.1, 1.0))
    assert all(after for before, after in zip(drawn, wider, strict=True) if before)


def test_arms_of_two_experiments_have_nothing_to_do_with_each_other() -> None:
    assert abs(np.corrcoef(arms("towers", 0.5), arms("prices", 0.5))[0, 1]) < 0.05
    assert Experiment("towers", 1.0).arm(None) is None


def test_a_challenge_survives_its_file_and_ends_with_it(tmp_path: Path) -> None:
    assert read_challenge(tmp_path) is None
    for challenge in (Challenge("3", 0.1, Experiment("towers", 0.5)), Challenge("4", 1.0)):
        write_challenge(tmp_path, challenge)
        assert read_challenge(tmp_path) == challenge
    write_challenge(tmp_path, None)
    assert read_challenge(tmp_path) is None
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(InputError, match="creatormatch challenge again"):
        read_challenge(tmp_path)


def test_overlap_counts_the_first_k_in_whatever_order() -> None:
    assert overlap(["a", "b", "c"], ["c", "a", "d"], 2) == 0.5
    assert overlap(["a", "b", "c"], ["c", "a", "d"], 3) == pytest.approx(2 / 3)
    assert np.isnan(overlap([], []))


def test_rank_correlation_is_of_the_candidates_of_both() -> None:
    ours = pd.Series([4.0, 3.0, 2.0, 9.0], ["a", "b", "c", "only ours"])
    assert rank_correlation(ours, pd.Series([30.0, 20.0, 10.0], ["a", "b", "c"])) == pytest.approx(1)
    assert rank_correlation(ours, pd.Series([1.0, 3.0, 2.0], ["a", "b", "c"])) == pytest.approx(-0.5)
    assert np.isnan(rank_correlation(ours, pd.Series([1.0, 3.0], ["a", "b"])))
    assert np.isnan(rank_correlation(ours, pd.Series([1.0, 1.0, 1.0], ["a", "b", "c"])))
