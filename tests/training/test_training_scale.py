"""Growth by hand, and marketplaces of regions that keep the data contract."""

from pathlib import Path

import pytest

from features.tables import read_tables
from features.validation import violations, wall_clock
from training.benchmarks.training_scale import REGION, exponent, marketplace


@pytest.mark.parametrize(("costs", "power"), [([3, 30, 300], 1.0), ([7, 7, 7], 0.0), ([2, 200, 20_000], 2.0)])
def test_the_exponent_is_the_power_of_growth(costs: list[float], power: float):
    assert exponent([10_000, 100_000, 1_000_000], costs) == pytest.approx(power)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return marketplace(2, tmp_path_factory.mktemp("scale"))


def test_two_regions_are_one_marketplace_twice_as_large(folder: Path):
    tables = read_tables(folder)
    assert tables["creators"]["creator_id"].nunique() == 2 * REGION["creators"]
    assert len(tables["briefs"]) == 2 * REGION["briefs"] == tables["briefs"]["brief_id"].nunique()
    assert len(tables["impressions"]) == pytest.approx(20_000, rel=0.05)
    assert tables["daily_stats"]["date"].is_monotonic_increasing
    assert set(tables["impressions"]["brief_id"]) <= set(tables["briefs"]["brief_id"])
    assert set(tables["collaboration_events"]["refers_to"].dropna()) <= set(tables["collaboration_events"]["event_id"])
    assert not violations(folder, wall_clock())


def test_what_is_there_is_not_made_again(folder: Path):
    before = (folder / "creators.parquet").stat().st_mtime_ns
    assert marketplace(2, folder.parent) == folder
    assert (folder / "creators.parquet").stat().st_mtime_ns == before
