"""Models and releases in MLflow; the only module that touches it.

Everything is under one data directory: ``mlflow.db`` (tracking and registry), ``artifacts/``, ``releases/<version>/``
(verified copies: ``manifest.json`` and one folder per model) and ``champion.json``, which names the copy to serve:
a service starts without MLflow and its database. The registered model ``release`` carries the aliases ``champion`` and
``challenger``; an alias moved in MLflow's own UI takes effect with :meth:`Registry.promote` of that version, or where
:meth:`Registry.pull` is called.

Where ``CREATORMATCH_REGISTRY`` is the URL of an MLflow tracking server, that has the database and the artifacts of all
machines; each keeps its own verified copies and pointer, and serves from them when the server is down.
"""

import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from features.errors import InputError, bad
from models import release as rel

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

RELEASE, EXPERIMENT = "release", "creatormatch"
CHAMPION, CHALLENGER = "champion", "challenger"
POINTER = "champion.json"
FILES = "model/files"  # of a run's artifacts
SERVER = "CREATORMATCH_REGISTRY"
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # or it would try for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def champion_version(data_dir: Path) -> str:
    """The version of the promoted release; reads no MLflow. Raises InputError (NOT_FOUND) where there is none."""
    try:
        return str(json.loads((data_dir / POINTER).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{data_dir}: holds no promoted release; run train, then promote", (), "NOT_FOUND") from error


def local_champion(data_dir: Path) -> Path:
    """The folder of the promoted release, its digests checked; reads no MLflow.

    Raises InputError: NOT_FOUND before the first promotion, CONFLICT when a file of the copy has changed.
    """
    folder = data_dir / "releases" / champion_version(data_dir)
    rel.check_folder(folder)
    return folder


class Registry:
    """The models, releases and aliases kept on the ``server``, by default the one that the environment names; where
    there is none, under ``data_dir``, which the first model that is logged creates.

    Every method raises InputError (UNAVAILABLE) when the registry does not answer.
    """

    def __init__(self, data_dir: Path, server: str | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self._database = self.data_dir / "mlflow.db"
        self._server = _checked(server or os.environ.get(SERVER))

    @cached_property
    def _client(self) -> "MlflowClient":
        """Opens the database, or finds the server; the first time a database gets MLflow's current schema, about two
        seconds.

        Raises InputError: NOT_FOUND when there is no database, UNAVAILABLE for a file that is none, or not one of this
        MLflow, and for a server that does not answer.
        """
        if not self._server and not self._database.is_file():
            raise InputError(f"{self.data_dir}: holds no releases; run train first", code="NOT_FOUND")
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        from mlflow.exceptions import MlflowException  # 1.5 seconds, that a command without a registry should not pay

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        try:
            return _connect(self._server or f"sqlite:///{self._database}")
        except (MlflowException, SQLAlchemyError) as error:
            raise InputError(f"{self._place}: the registry cannot be opened: {error}", (), "UNAVAILABLE") from error

    @property
    def _place(self) -> str:
        return f"{SERVER}={self._server}" if self._server else str(self.data_dir)

    @cached_property
    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        location = None if self._server else (self.data_dir / "artifacts").as_uri()  # a server has its own
        return found.experiment_id if found else self._client.create_experiment(EXPERIMENT, location)

    def log_model(self, folder: Path, meta: rel.Meta) -> str:
        """Writes ``meta.json`` into ``folder`` and keeps the folder as a new version of the model ``meta.name``."""
        rel.write_meta(folder, meta)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if not self._server:
            self._database.touch()
        kept = ("data_hash", "data_as_of", "feature_set_hash", "encoder_id", "seed")
        origin = {key: str(getattr(meta, key)) for key in kept}
        return self._version(meta.name, folder, origin, rel.read_meta(folder).metrics, _mlmodel(meta))

    def register_release(self, manifest: rel.Manifest) -> str:
        """Keeps ``manifest`` as a new version of the registered model ``release``, which becomes the challenger."""
        tags = {name: entry.version for name, entry in manifest.models.items()}
        metrics = {f"{name}.{key}": value for name, e in manifest.models.items() for key, value in e.metrics.items()}
        with tempfile.TemporaryDirectory() as folder:
            rel.write_manifest(Path(folder), manifest)
            version = self._version(RELEASE, Path(folder), tags, metrics)
        self._client.set_registered_model_alias(RELEASE, CHALLENGER, version)
        return version

    def manifest(self, ref: str = CHAMPION) -> rel.Manifest:
        """The manifest of a release by version or alias. Raises InputError (NOT_FOUND)."""
        return self._manifest(self._find(ref))

    def fetch(self, ref: str = CHAMPION) -> Path:
        """The folder of a verified local copy of a release, by version or alias.

        Raises InputError: NOT_FOUND for an unknown release, CONFLICT naming the models with other files.
        """
        found = self._find(ref)
        manifest, target = self._manifest(found), self.data_dir / "releases" / str(found.version)
        try:
            copied = rel.check_folder(target)
        except InputError:  # no copy yet, or a damaged one
            copied = None
        if copied != manifest:  # another registry has a release of this number too
            self._copy(manifest, target)
        return target

    def pull(self) -> str:
        """Has this data directory serve what the registry calls the champion, from a verified copy; its version.

        Raises InputError as :meth:`fetch` does, and then what was served before stays.
        """
        version = self.champion()
        self.fetch(version)
        self._point_here(version)
        return version

    def champion(self) -> str:
        """The version of the champion, which may have been promoted elsewhere. Raises InputError (NOT_FOUND)."""
        return str(self._find(CHAMPION).version)

    def promote(self, version: str | None = None, only: str | None = None) -> str:
        """Makes a release (default: the challenger) the champion after its check, and returns its version.

        With ``only`` a new release is promoted instead: the champion with just that model, and those that depend on one
        another with it, taken from ``version``.
        Raises InputError (NOT_FOUND, CONFLICT), and then the champion stays.
        """
        chosen = str(self._find(version or CHALLENGER).version)
        if only:
            base, other = self.manifest(), self.manifest(chosen)
            chosen = self.register_release(rel.with_model(base, only, other, _now()))
        self.fetch(chosen)
        if (previous := self._champion()) not in (None, chosen):
            self._client.set_model_version_tag(RELEASE, chosen, "previous", previous)
        self._point(chosen)
        return chosen

    def rollback(self, only: str | None = None) -> str:
        """Makes the release before the champion the champion, and returns its version; ``only`` as in promote."""
        previous = self._find(CHAMPION).tags.get("previous")
        if previous is None:
            raise InputError("rollback: no release was promoted before this one", code="NOT_FOUND")
        if only:
            return self.promote(previous, only)
        self.fetch(previous)
        self._point(previous)
        return previous

    def before(self, version: str) -> str | None:
        """The version of the champion, or of the one before it where ``version`` is the champion; None without one."""
        champion = self._champion()
        return str(self._find(version).tags.get("previous", "")) or None if champion == version else champion

    def models(self) -> list[dict[str, Any]]:
        """Every release, newest first: ``release`` (its version), ``aliases`` and the fields of its manifest."""
        releases = self._client.search_model_versions(f"name = '{RELEASE}'")
        return [self._describe(str(version)) for version in sorted((r.version for r in releases), reverse=True)]

    def _describe(self, version: str) -> dict[str, Any]:
        return {"release": version, "aliases": self._find(version).aliases} | asdict(self.manifest(version))

    def _find(self, ref: str, name: str = RELEASE) -> "ModelVersion":
        client = self._client
        from mlflow.exceptions import MlflowException

        try:
            get = client.get_model_version if ref.isdecimal() else client.get_model_version_by_alias
            return get(name, ref)
        except MlflowException as error:
            if self._server and error.error_code not in ABSENT:
                raise _silent(self._place, error) from error
            raise InputError(f"{name} {ref}: not in the registry of {self._place}", code="NOT_FOUND") from error

    def _champion(self) -> str | None:
        try:
            return self.champion()
        except InputError as error:
            if error.code != "NOT_FOUND":
                raise
            return None

    def _version(
        self, name: str, folder: Path, tags: Mapping[str, str], metrics: Mapping[str, float], mlmodel: str = ""
    ) -> str:
        """A run with tags, metrics and the folder's files, registered as a new version of ``name``."""
        client = self._client
        from mlflow.entities import Metric

        run = client.create_run(self._experiment, run_name=name, tags=dict(tags)).info
        client.log_batch(run.run_id, [Metric(key, value, run.start_time, 0) for key, value in metrics.items()])
        client.log_artifacts(run.run_id, str(folder), FILES)
        if mlmodel:
            client.log_text(run.run_id, mlmodel, "model/MLmodel")
        client.set_terminated(run.run_id)
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name)
        return str(client.create_model_version(name, f"{run.artifact_uri}/model", run.run_id, dict(tags)).version)

    def _manifest(self, version: "ModelVersion") -> rel.Manifest:
        with tempfile.TemporaryDirectory() as folder:
            return rel.read_manifest(self._files(version, Path(folder)))

    def _files(self, version: "ModelVersion", folder: Path) -> Path:
        """The files behind a version, copied to a place under ``folder``, where nothing is when they are lost."""
        client = self._client
        from mlflow.exceptions import MlflowException

        folder.mkdir(parents=True, exist_ok=True)
        try:
            return Path(client.download_artifacts(version.run_id, FILES, str(folder)))
        except (MlflowException, OSError) as error:
            if self._server:
                raise _silent(self._place, error) from error
            return folder / FILES

    def _copy(self, manifest: rel.Manifest, target: Path) -> None:
        """Copies the models of a release to ``target``, which appears only when it is complete and checked."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as part:
            folder = Path(part) / "release"
            folder.mkdir()
            rel.write_manifest(folder, manifest)
            for name, entry in manifest.models.items():
                source = self._files(self._find(entry.version, name), Path(part) / "models" / name)
                if source.is_dir():  # or else the check says that the model is missing
                    source.replace(folder / name)
            rel.check_folder(folder)
            shutil.rmtree(target, ignore_errors=True)
            folder.replace(target)

    def _point(self, version: str) -> None:
        self._client.set_registered_model_alias(RELEASE, CHAMPION, version)
        self._point_here(version)

    def _point_here(self, version: str) -> None:
        part = self.data_dir / f"{POINTER}.part"
        part.write_text(json.dumps({"version": version}) + "\n", encoding="utf-8")
        part.replace(self.data_dir / POINTER)


def _connect(uri: str) -> "MlflowClient":
    from mlflow import MlflowClient

    with warnings.catch_warnings():  # MLflow 3.17 on SQLAlchemy 2.1
        warnings.filterwarnings("ignore", "The ``noload`` loader strategy is deprecated", DeprecationWarning)
        return MlflowClient(uri)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _checked(server: str | None) -> str | None:
    """Without a password, which errors would show."""
    if server and (not server.startswith(("http://", "https://")) or "@" in server):
        problem = "give the http(s) URL of an MLflow tracking server; a password goes into MLFLOW_TRACKING_PASSWORD"
        raise bad(SERVER, problem, server.rpartition("@")[2])
    return server or None


def _silent(place: str, error: Exception) -> InputError:
    return InputError(f"{place}: the registry does not answer: {error}", code="UNAVAILABLE")


def _mlmodel(meta: rel.Meta) -> str:
    """MLflow's own description of a model, from which its UI shows the signature."""
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    sides = {
        side: Schema([ColSpec(kind, name) for name, kind in columns.items()])
        for side, columns in meta.signature.items()
        if columns
    }
    return Model(signature=ModelSignature(**sides) if sides else None).to_yaml()
