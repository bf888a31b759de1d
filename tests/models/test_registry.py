"""MLflow round trips in a directory of the test's own (with a space in its name: artifact places are URIs)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from features.errors import InputError
from models import release
from models.registry import Registry, local_champion

SIGNATURE = {"inputs": {"cosine": "double", "country": "string"}, "outputs": {"score": "double"}}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data dir"


@pytest.fixture
def registry(home: Path) -> Registry:
    return Registry(home)


def train(registry: Registry, folder: Path, weights: str, features: str = "features-1") -> str:
    """Two tiny models, logged and registered as a release."""
    folders, versions = {}, {}
    for name in ("ranker", "credit"):
        folders[name] = folder / name
        folders[name].mkdir(parents=True, exist_ok=True)
        (folders[name] / "weights.txt").write_text(f"{name} {weights}")
        meta = release.Meta(name, features, "encoder-1", "data-1", 7, {"ndcg": 0.5}, SIGNATURE)
        versions[name] = registry.log_model(folders[name], meta)
    return registry.register_release(release.build_manifest(folders, versions, "2026-01-01T00:00:00+00:00"))


def weights(folder: Path, name: str = "ranker") -> str:
    return (folder / name / "weights.txt").read_text()


def artifact(home: Path, text: str) -> Path:
    return next(path for path in home.glob("artifacts/**/weights.txt") if path.read_text() == text)


def test_promoted_release_is_served_from_its_copy(registry: Registry, home: Path, tmp_path: Path) -> None:
    version = train(registry, tmp_path / "m", "a")
    assert registry.promote() == version == "1"
    assert local_champion(home) == registry.fetch() == home / "releases" / "1"
    assert weights(local_champion(home)) == "ranker a"
    assert release.read_manifest(local_champion(home)) == registry.manifest()


def test_nothing_is_served_before_promotion(registry: Registry, home: Path, tmp_path: Path) -> None:
    train(registry, tmp_path / "m", "a")
    for pointer in (None, "", "[]", "{}"):
        if pointer is not None:
            (home / "champion.json").write_text(pointer)
        with pytest.raises(InputError, match="run train, then promote"):
            local_champion(home)
    with pytest.raises(InputError, match="release champion: not in the registry"):
        registry.fetch()


def test_rollback_returns_step_by_step(registry: Registry, home: Path, tmp_path: Path) -> None:
    for letter in "abc":
        train(registry, tmp_path / "m", letter)
        registry.promote()
    assert [registry.rollback(), registry.rollback()] == ["2", "1"]
    assert weights(local_champion(home)) == "ranker a"
    with pytest.raises(InputError, match="rollback: no release was promoted before this one"):
        registry.rollback()


def test_a_release_is_compared_with_the_champion_and_the_champion_with_the_one_before(
    registry: Registry, tmp_path: Path
) -> None:
    train(registry, tmp_path / "m", "a")
    assert registry.before("1") is None
    registry.promote()
    assert registry.before("1") is None
    train(registry, tmp_path / "m", "b")
    assert registry.before("2") == "1"
    registry.promote()
    train(registry, tmp_path / "m", "c")
    assert [registry.before(version) for version in "123"] == ["2", "1", "2"]


def test_one_model_is_promoted_and_rolled_back_alone(registry: Registry, home: Path, tmp_path: Path) -> None:
    for letter in "ab":
        train(registry, tmp_path / "m", letter)
        registry.promote("1")
    assert registry.promote("2", only="ranker") == "3"
    assert (weights(local_champion(home)), weights(local_champion(home), "credit")) == ("ranker b", "credit a")
    assert registry.rollback(only="ranker") == "4"
    assert weights(local_champion(home)) == "ranker a"


def test_models_lists_newest_first_with_aliases(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no releases; run train first"):
        registry.models()
    assert not registry.data_dir.exists()
    for letter in "ab":
        train(registry, tmp_path / "m", letter)
    registry.promote("1")
    newest, oldest = registry.models()
    assert (newest["release"], newest["aliases"]) == ("2", ["challenger"])
    assert (oldest["release"], oldest["aliases"]) == ("1", ["champion"])
    assert oldest["models"]["ranker"]["metrics"] == {"ndcg": 0.5}


def test_corrupt_artifact_is_refused_by_name_and_champion_stays(registry: Registry, home: Path, tmp_path: Path) -> None:
    for letter in "ab":
        train(registry, tmp_path / "m", letter)
        registry.promote("1")
    artifact(home, "ranker b").write_text("ranker x")
    with pytest.raises(InputError, match="ranker version 2: its files are not those that were released"):
        registry.promote("2")
    assert weights(registry.fetch()) == "ranker a"
    assert sorted(path.name for path in (home / "releases").iterdir()) == ["1"]


def test_lost_artifact_is_refused_by_name(registry: Registry, home: Path, tmp_path: Path) -> None:
    train(registry, tmp_path / "m", "a")
    artifact(home, "credit a").parent.rename(tmp_path / "lost")
    with pytest.raises(InputError, match="credit version 1: is missing"):
        registry.promote()


def test_set_that_does_not_belong_together_is_refused(registry: Registry, tmp_path: Path) -> None:
    train(registry, tmp_path / "m", "a")
    registry.promote()
    train(registry, tmp_path / "m", "b", features="features-2")
    with pytest.raises(InputError, match="ranker version 2: made for feature set features-2") as refusal:
        registry.promote(only="ranker")
    assert (refusal.value.code, weights(registry.fetch())) == ("CONFLICT", "ranker a")


def test_damaged_copy_is_not_served_and_is_fetched_again(registry: Registry, home: Path, tmp_path: Path) -> None:
    train(registry, tmp_path / "m", "a")
    registry.promote()
    (local_champion(home) / "ranker" / "weights.txt").write_text("ranker x")
    with pytest.raises(InputError, match="ranker version 1: its files"):
        local_champion(home)
    assert weights(registry.fetch()) == "ranker a"
    assert weights(local_champion(home)) == "ranker a"


def test_unknown_release_is_an_input_error(registry: Registry, tmp_path: Path) -> None:
    train(registry, tmp_path / "m", "a")
    for ref in ("99", "9" * 30, "nobody", "²", "../1", "", "a\0b"):
        with pytest.raises(InputError, match="not in the registry"):
            registry.fetch(ref)


def test_database_that_is_none_is_an_input_error(home: Path) -> None:
    home.mkdir()
    (home / "mlflow.db").write_text("no database " * 100)
    with pytest.raises(InputError, match="the registry cannot be opened") as refusal:
        Registry(home).models()
    assert refusal.value.code == "UNAVAILABLE"


def test_mlflow_shows_signature_and_origin(
    registry: Registry, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    train(registry, tmp_path / "m", "a")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home / 'mlflow.db'}")
    info = mlflow.models.get_model_info("models:/ranker/1")
    assert info.signature.inputs.input_names() == ["cosine", "country"]
    version = mlflow.MlflowClient().get_model_version("ranker", "1")
    assert version.tags | {"seed": "7", "encoder_id": "encoder-1", "data_hash": "data-1"} == version.tags
    assert mlflow.MlflowClient().get_run(version.run_id).data.metrics == {"ndcg": 0.5}


def test_champion_is_served_without_mlflow(registry: Registry, home: Path, tmp_path: Path) -> None:
    train(registry, tmp_path / "m", "a")
    registry.promote()
    (home / "mlflow.db").unlink()
    code = f"import sys; from pathlib import Path; from models.registry import local_champion; \
        print(local_champion(Path({str(home)!r})).name, 'mlflow' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert answer.stdout.split() == ["1", "False"]


def test_a_champion_that_was_made_elsewhere_is_pulled(registry: Registry, home: Path, tmp_path: Path) -> None:
    import mlflow

    for letter in "ab":
        train(registry, tmp_path / "m", letter)
    registry.promote("1")
    mlflow.MlflowClient(f"sqlite:///{home / 'mlflow.db'}").set_registered_model_alias("release", "champion", "2")
    assert weights(local_champion(home)) == "ranker a"
    assert registry.pull() == registry.champion() == "2"
    assert weights(local_champion(home)) == "ranker b"


def test_a_copy_from_another_registry_is_not_taken_for_ours(registry: Registry, home: Path, tmp_path: Path) -> None:
    other = Registry(tmp_path / "other")
    for one, letter in ((registry, "a"), (other, "b")):
        train(one, tmp_path / "m", letter)
        one.promote()
    shutil.rmtree(home / "releases")
    shutil.copytree(tmp_path / "other" / "releases", home / "releases")
    assert weights(local_champion(home)) == "ranker b"
    assert weights(registry.fetch()) == "ranker a"


@pytest.mark.parametrize("server", ["sqlite:///mlflow.db", "mlflow:5000", "https://me:s3cret@mlflow"])
def test_a_server_is_named_by_its_url_and_a_password_stays_out_of_it(home: Path, server: str) -> None:
    with pytest.raises(InputError, match="CREATORMATCH_REGISTRY: give the http") as refusal:
        Registry(home, server)
    assert "s3cret" not in str(refusal.value.details) + refusal.value.message
