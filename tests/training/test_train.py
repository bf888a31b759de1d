"""A release keeps in writing which models were made with which."""

from pathlib import Path

from features.asof import data_as_of
from features.tables import read_tables
from models.registry import local_champion
from models.release import read_manifest


def test_every_model_names_those_whose_scores_it_learned_to_read(home: Path) -> None:
    models = read_manifest(local_champion(home)).models
    below = {"ranker": "towers", "success": "towers", "fraud": "accounts"}
    read = {name: {one: models[one].digest} for name, one in below.items() if name in models}
    assert {name: entry.depends_on for name, entry in models.items() if entry.depends_on} == read
    assert "fraud" in read


def test_every_model_says_until_when_its_data_go(home: Path, dataset: Path) -> None:
    models = read_manifest(local_champion(home)).models
    assert {entry.data_as_of for entry in models.values()} == {data_as_of(read_tables(dataset)).isoformat()}
