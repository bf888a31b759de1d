"""A release keeps in writing which models were made with which."""

from pathlib import Path

from features.asof import data_as_of
from features.tables import read_tables
from models.registry import local_champion
from models.release import read_manifest


def test_ranker_and_success_name_the_towers_that_they_were_made_with(home: Path) -> None:
    models = read_manifest(local_champion(home)).models
    readers = {"ranker", "success"} & {*models}
    read = {"towers": models["towers"].digest}
    assert {name: entry.depends_on for name, entry in models.items() if entry.depends_on} == dict.fromkeys(
        readers, read
    )


def test_every_model_says_until_when_its_data_go(home: Path, dataset: Path) -> None:
    models = read_manifest(local_champion(home)).models
    assert {entry.data_as_of for entry in models.values()} == {data_as_of(read_tables(dataset)).isoformat()}
