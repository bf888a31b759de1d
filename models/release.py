"""A release: the models that are served together, and the proof that they belong together.

A model is a folder of text, JSON and npz files with a ``meta.json`` (:class:`Meta`) that says what it was made from. A
release is a folder too: ``manifest.json`` (:class:`Manifest`) beside one folder per model. Plain files, no MLflow.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from features.errors import Detail, InputError

NAMES = ("towers", "ranker", "success", "fraud", "accounts", "comments", "credit")
T = TypeVar("T")
META, MANIFEST = "meta.json", "manifest.json"


@dataclass(frozen=True)
class Meta:
    """What a model was made from and how good it is.

    ``encoder_id`` is None for a model that reads no text. ``signature`` is ``{"inputs": {name: type}, "outputs": {name:
    type}}`` in MLflow's words for types (double, float, long, string, boolean). ``depends_on`` is name → digest of the
    models whose scores it learned to read: with others it would answer nonsense. ``data_as_of`` is the latest moment
    (ISO 8601, UTC) that its data speak of; None for a model made before that was recorded.
    """

    name: str
    feature_set_hash: str
    encoder_id: str | None
    data_hash: str
    seed: int
    metrics: dict[str, float]
    signature: dict[str, dict[str, str]]
    depends_on: dict[str, str] = field(default_factory=dict)
    data_as_of: str | None = None


@dataclass(frozen=True)
class Entry:
    """One model of a release: its version in the registry, the digest of its files, where it came from, the digests of
    the models that it was made with, and until when its data go."""

    version: str
    digest: str
    data_hash: str
    seed: int
    metrics: dict[str, float]
    depends_on: dict[str, str] = field(default_factory=dict)
    data_as_of: str | None = None


@dataclass(frozen=True)
class Manifest:
    """What a release is made of; features and encoder are shared by all its models, data and seed are each model's own.

    ``created_at`` is an ISO 8601 time in UTC.
    """

    created_at: str
    feature_set_hash: str
    encoder_id: str | None
    models: dict[str, Entry]


def write_meta(folder: Path, meta: Meta) -> None:
    """Writes ``meta.json`` into a model's folder, without the metrics that are no finite number: those had no data."""
    measured = {name: value for name, value in meta.metrics.items() if math.isfinite(value)}
    _write_json(folder / META, asdict(replace(meta, metrics=measured)))


def read_meta(folder: Path) -> Meta:
    """The ``meta.json`` of a model's folder. Raises InputError when there is none, or none that can be read."""
    return _read_json(folder / META, lambda content: Meta(**content))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes ``manifest.json`` into a release's folder."""
    _write_json(folder / MANIFEST, asdict(manifest))


def read_manifest(folder: Path) -> Manifest:
    """The ``manifest.json`` of a release's folder. Raises InputError when there is none, or none that can be read."""
    return _read_json(folder / MANIFEST, _manifest)


def digest(folder: Path) -> str:
    """SHA-256 over the relative path and the content of every file in ``folder``, in the order of the paths."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return total.hexdigest()


def build_manifest(folders: Mapping[str, Path], versions: Mapping[str, str], created_at: str) -> Manifest:
    """The manifest of the models in ``folders`` (name → folder) that the registry knows under ``versions``.

    Raises InputError (CONFLICT) when they do not belong together.
    """
    metas = {name: read_meta(folder) for name, folder in folders.items()}
    manifest = Manifest(
        created_at=created_at,
        feature_set_hash=next(iter(metas.values())).feature_set_hash,
        encoder_id=next((meta.encoder_id for meta in metas.values() if meta.encoder_id is not None), None),
        models={name: _entry(meta, versions[name], digest(folders[name])) for name, meta in metas.items()},
    )
    check(manifest, folders)
    return manifest


def _entry(meta: Meta, version: str, own: str) -> Entry:
    return Entry(version, own, meta.data_hash, meta.seed, meta.metrics, meta.depends_on, meta.data_as_of)


def with_model(base: Manifest, name: str, other: Manifest, created_at: str) -> Manifest:
    """The manifest ``base`` with the model ``name`` of ``other``, and all that depend on one another with it.

    Of those, what ``other`` lacks the result lacks too. Raises InputError (NOT_FOUND).
    """
    if name not in other.models:
        raise InputError(f"{name}: the release has no such model (it has {', '.join(other.models)})", code="NOT_FOUND")
    changed = _tied_to(name, base, other)
    kept = {one: entry for one, entry in base.models.items() if one not in changed}
    taken = {one: entry for one, entry in other.models.items() if one in changed}
    return replace(base, created_at=created_at, models=kept | taken)


def _tied_to(name: str, *manifests: Manifest) -> set[str]:
    """``name`` and every model that it depends on or that depends on it, directly or through others."""
    ties = [{one, *entry.depends_on} for manifest in manifests for one, entry in manifest.models.items()]
    found, size = {name}, 0
    while size < len(found):
        size = len(found)
        found = found.union(*(tie for tie in ties if tie & found))
    return found


def check(manifest: Manifest, folders: Mapping[str, Path]) -> None:
    """Raises InputError (CONFLICT) that names each model of ``manifest`` whose folder does not belong, and why."""
    details = [
        Detail(field=name, problem=problem, value=entry.version)
        for name, entry in manifest.models.items()
        for problem in _problems(manifest, entry, folders.get(name))
    ]
    if details:
        problems = "; ".join(f"{detail['field']} version {detail['value']}: {detail['problem']}" for detail in details)
        raise InputError(f"these models do not belong together: {problems}", details, "CONFLICT")


def check_folder(release: Path) -> Manifest:
    """The manifest of a release's folder after :func:`check` of the models in it."""
    manifest = read_manifest(release)
    check(manifest, {name: release / name for name in manifest.models})
    return manifest


def _problems(manifest: Manifest, entry: Entry, folder: Path | None) -> Iterator[str]:
    if folder is None or not folder.is_dir():
        yield "is missing"
    elif digest(folder) != entry.digest:
        yield "its files are not those that were released (another digest)"
    else:
        yield from _misfits(manifest, read_meta(folder))


def _misfits(manifest: Manifest, meta: Meta) -> Iterator[str]:
    if meta.feature_set_hash != manifest.feature_set_hash:
        yield f"made for feature set {meta.feature_set_hash}, the release is for {manifest.feature_set_hash}"
    if meta.encoder_id is not None and meta.encoder_id != manifest.encoder_id:
        yield f"made for encoder {meta.encoder_id}, the release is for {manifest.encoder_id}"
    for name, made_with in meta.depends_on.items():
        there = manifest.models.get(name)
        if there is None or there.digest != made_with:
            yield f"made with other {name} than {f'version {there.version}' if there else 'none'}; take both together"


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


def _read_json(path: Path, build: Callable[[dict[str, Any]], T]) -> T:
    try:
        return build(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path.name}: cannot be read in {path.parent}: {error}", code="NOT_FOUND") from error


def _manifest(content: dict[str, Any]) -> Manifest:
    for name in content["models"]:
        if not name.isidentifier():  # it becomes the name of a folder, and may come from another machine
            raise ValueError(f"{name!r} is not the name of a model")
    return Manifest(**content | {"models": {name: Entry(**entry) for name, entry in content["models"].items()}})
