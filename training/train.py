"""Train, log every model, and register the release that binds them as challenger."""

import hashlib
import logging
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.accounts import ACCOUNT_FEATURES
from features.asof import data_as_of, is_static
from features.bank import TextBank
from features.creators import FEATURES
from features.fraud import FRAUD_FEATURES
from features.pairs import PAIR_FEATURES
from features.schema import Tables, complete
from features.text import DEFAULT_ENCODER, EMBEDDINGS, EmbeddingCache, encoder_id, load_encoder
from models.bundle import LEXICON, feature_set_hash
from models.comments import INPUTS
from models.credit import POLICY_FILE
from models.credit_policy import keep_former
from models.registry import POINTER, Registry, local_champion
from models.release import Meta, build_manifest, digest, with_model
from training.fit import Trained, fit
from training.golden import keep_golden
from training.inputs import keep_inputs

# The towers' score, and the term weights beside them; the scores of the level below.
READS = {"ranker": ("towers",), "success": ("towers",), "fraud": ("accounts",)}

log = logging.getLogger(__name__)


def train(
    tables: Tables, home: Path, *, seed: int = 0, only: str | None = None, progress: bool = False,
    encoder_name: str = DEFAULT_ENCODER,
) -> str:  # fmt: skip
    """Trains on ``tables``, registers a challenger under ``home`` and returns its release version.

    With ``only`` the release is the champion with just that model replaced, and those that depend on one another with
    it (towers, ranker and success; accounts and fraud). Raises InputError for data that nothing can be learned from.
    """
    if is_static(tables):
        log.warning(
            "the dataset is static: snapshots have no observed_at, so past followers, prices and audiences are unknown"
        )
    encoder = load_encoder(encoder_name)
    bank = TextBank(encoder, EmbeddingCache(home / EMBEDDINGS), progress)
    trained = fit(tables, bank, seed=seed, progress=progress)
    for note in trained.notes:
        log.warning(note)
    registry = Registry(home)
    with tempfile.TemporaryDirectory() as folder:
        folders = save_models(trained, Path(folder))
        keep_golden(trained, complete(tables), bank, folders)
        keep_inputs(trained, complete(tables), bank, folders["ranker"], np.random.default_rng(seed))
        if (home / POINTER).is_file():
            keep_former(folders["credit"], local_champion(home) / "credit")
        made_from = {
            "feature_set_hash": feature_set_hash(), "encoder_id": encoder_id(encoder), "data_hash": data_hash(tables),
            "data_as_of": data_as_of(tables).isoformat(), "seed": seed,
        }  # fmt: skip
        versions = {}
        for name, path in folders.items():  # those that are read before those that read them
            read = {one: digest(folders[one]) for one in READS.get(name, ()) if one in folders}
            versions[name] = registry.log_model(path, _meta(name, made_from, trained, read))
        manifest = build_manifest(folders, versions, datetime.now(UTC).isoformat(timespec="seconds"))
    if only:
        manifest = with_model(registry.manifest(), only, manifest, manifest.created_at)
    return registry.register_release(manifest)


def save_models(trained: Trained, folder: Path) -> dict[str, Path]:
    """Writes each model into a folder of its own under ``folder``: name → folder."""
    folders = {}
    for name in ("towers", "ranker", "success", "accounts", "fraud", "comments"):
        if (model := getattr(trained, name)) is not None:
            folders[name] = folder / name
            model.save(folders[name])
    np.savez(folders["towers"] / LEXICON, idf=trained.idf)
    if trained.fraud is not None and trained.past_fraud is not None:
        trained.past_fraud.save(folders["fraud"])
    folders["credit"] = folder / "credit"
    folders["credit"].mkdir()
    (folders["credit"] / POLICY_FILE.name).write_bytes(POLICY_FILE.read_bytes())
    return folders


def data_hash(tables: Tables) -> str:
    """SHA-256 over the content of all tables; the same rows in the same order give the same hash."""
    total = hashlib.sha256()
    for name, frame in sorted(complete(tables).items()):
        total.update(name.encode() + pd.util.hash_pandas_object(frame.astype("str"), index=False).to_numpy().tobytes())
    return total.hexdigest()


def _meta(name: str, made_from: dict[str, Any], trained: Trained, depends_on: dict[str, str]) -> Meta:
    metrics = trained.metrics.get(name, {})
    return Meta(name=name, metrics=metrics, signature=_signature(name), depends_on=depends_on, **made_from)


def _signature(name: str) -> dict[str, dict[str, str]]:
    matching = [feature.__name__ for feature in (*PAIR_FEATURES, *FEATURES)]
    fake = ["fake_probability"]
    inputs, outputs = {
        "ranker": (matching, ["score"]),
        "success": (matching, ["acceptance", "completion", "success"]),
        "fraud": (FRAUD_FEATURES, ["fraud_probability"]),
        "accounts": (ACCOUNT_FEATURES, fake),
        "comments": (INPUTS, fake),
    }.get(name, ([], []))
    return {"inputs": dict.fromkeys(inputs, "double"), "outputs": dict.fromkeys(outputs, "double")}
