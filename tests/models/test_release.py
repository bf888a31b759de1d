"""What belongs together passes; each way of not belonging together is refused by name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import InputError
from models import release

META = release.Meta(
    "ranker", "features-1", "encoder-1", "data-1", 7, {"ndcg": 0.5}, {"inputs": {"cosine": "double"}, "outputs": {}}
)


def model(folder: Path, name: str, weights: str = "1 2 3", **changes: object) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "weights.txt").write_text(weights)
    release.write_meta(folder / name, replace(META, name=name, **changes))
    return folder / name


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    return {"ranker": model(tmp_path, "ranker"), "fraud": model(tmp_path, "fraud", encoder_id=None, seed=8)}


@pytest.fixture
def manifest(folders: dict[str, Path]) -> release.Manifest:
    return release.build_manifest(folders, {"ranker": "3", "fraud": "5"}, "2026-01-01T00:00:00+00:00")


def test_manifest_holds_what_is_shared_and_what_is_each_models_own(manifest: release.Manifest) -> None:
    assert (manifest.feature_set_hash, manifest.encoder_id) == ("features-1", "encoder-1")
    assert [(entry.version, entry.seed) for entry in manifest.models.values()] == [("3", 7), ("5", 8)]
    assert manifest.models["ranker"].metrics == {"ndcg": 0.5}


def test_manifest_and_meta_survive_their_files(tmp_path: Path, manifest: release.Manifest) -> None:
    release.write_manifest(tmp_path, manifest)
    assert release.read_manifest(tmp_path) == manifest
    assert release.read_meta(tmp_path / "ranker") == META


def test_manifest_from_before_data_had_an_end_is_read(tmp_path: Path, manifest: release.Manifest) -> None:
    release.write_manifest(tmp_path, manifest)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace('"data_as_of": null,', ""))
    assert release.read_manifest(tmp_path).models["fraud"].data_as_of is None


def test_metric_without_data_is_left_out(tmp_path: Path) -> None:
    release.write_meta(tmp_path, replace(META, metrics={"auc": float("nan"), "brier": 0.1}))
    assert release.read_meta(tmp_path).metrics == {"brier": 0.1}


def test_digest_sees_content_and_names_but_not_the_place(tmp_path: Path) -> None:
    first, second = model(tmp_path / "a", "x"), model(tmp_path / "b", "x")
    assert release.digest(first) == release.digest(second)
    (second / "weights.txt").rename(second / "weights2.txt")
    renamed = release.digest(second)
    (second / "weights2.txt").write_text("1 2 4")
    assert len({release.digest(first), renamed, release.digest(second)}) == 3


def test_what_belongs_together_passes(manifest: release.Manifest, folders: dict[str, Path]) -> None:
    release.check(manifest, folders)


def test_changed_file_is_refused_by_name(manifest: release.Manifest, folders: dict[str, Path]) -> None:
    (folders["fraud"] / "weights.txt").write_text("1 2 4")
    with pytest.raises(InputError, match=r"fraud version 5: its files are not those that were released") as refusal:
        release.check(manifest, folders)
    assert [detail["field"] for detail in refusal.value.details] == ["fraud"]


def test_missing_models_are_all_named(manifest: release.Manifest) -> None:
    with pytest.raises(InputError, match=r"ranker version 3: is missing; fraud version 5: is missing"):
        release.check(manifest, {})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"feature_set_hash": "features-2"}, "fraud version 1: made for feature set features-2, .* features-1"),
        ({"encoder_id": "encoder-2"}, "fraud version 1: made for encoder encoder-2, .* encoder-1"),
    ],
)
def test_models_of_other_features_or_encoder_are_refused(tmp_path: Path, change: dict[str, str], problem: str) -> None:
    folders = {"ranker": model(tmp_path, "ranker"), "fraud": model(tmp_path, "fraud", **change)}
    with pytest.raises(InputError, match=problem) as refusal:
        release.build_manifest(folders, {"ranker": "1", "fraud": "1"}, "2026-01-01T00:00:00+00:00")
    assert refusal.value.code == "CONFLICT"


def test_one_model_can_be_changed(tmp_path: Path, manifest: release.Manifest) -> None:
    other = release.build_manifest({"fraud": model(tmp_path / "new", "fraud", "9")}, {"fraud": "6"}, "later")
    changed = release.with_model(manifest, "fraud", other, "later")
    assert {name: entry.version for name, entry in changed.models.items()} == {"ranker": "3", "fraud": "6"}
    assert manifest.models["fraud"].version == "5"
    with pytest.raises(InputError, match="ranker: the release has no such model"):
        release.with_model(manifest, "ranker", other, "later")


@pytest.fixture
def trained(tmp_path: Path) -> Callable[[str], dict[str, Path]]:
    """Two trainings, "a" and "b", of towers, a ranker that learned to read them, and credit."""

    def train(weights: str) -> dict[str, Path]:
        towers = model(tmp_path / weights, "towers", weights)
        ranker = model(tmp_path / weights, "ranker", weights, depends_on={"towers": release.digest(towers)})
        return {"towers": towers, "ranker": ranker, "credit": model(tmp_path / weights, "credit", weights)}

    return train


def test_ranker_with_the_towers_of_another_training_is_refused(trained: Callable[[str], dict[str, Path]]) -> None:
    mixed = trained("a") | {"towers": trained("b")["towers"]}
    versions = {"towers": "2", "ranker": "1", "credit": "1"}
    with pytest.raises(InputError, match="ranker version 1: made with other towers than version 2; take both together"):
        release.build_manifest(mixed, versions, "now")
    del mixed["towers"]
    with pytest.raises(InputError, match="ranker version 1: made with other towers than none"):
        release.build_manifest(mixed, versions, "now")


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("towers", {"towers": "2", "ranker": "2", "credit": "1"}),
        ("ranker", {"towers": "2", "ranker": "2", "credit": "1"}),
        ("credit", {"towers": "1", "ranker": "1", "credit": "2"}),
    ],
)
def test_models_that_depend_on_one_another_change_together(
    trained: Callable[[str], dict[str, Path]], name: str, versions: dict[str, str]
) -> None:
    base, other = (
        release.build_manifest(trained(weights), dict.fromkeys(versions, version), "now")
        for weights, version in (("a", "1"), ("b", "2"))
    )
    changed = release.with_model(base, name, other, "later")
    assert {one: entry.version for one, entry in changed.models.items()} == versions


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"models": 1}', b"\xff"])
def test_unreadable_manifest_is_an_input_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / release.MANIFEST).write_bytes(content)
    with pytest.raises(InputError, match=r"manifest\.json: cannot be read"):
        release.check_folder(tmp_path)


@pytest.mark.parametrize("name", ["../ranker", "/etc", "..", "a/b", ""])
def test_a_manifest_names_no_place_outside_its_folder(tmp_path: Path, manifest: release.Manifest, name: str) -> None:
    release.write_manifest(tmp_path, replace(manifest, models={name: manifest.models["ranker"]}))
    with pytest.raises(InputError, match="is not the name of a model"):
        release.read_manifest(tmp_path)
