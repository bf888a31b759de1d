"""Every reader of something from outside is given damaged bytes: it reads them or says InputError, and nothing else.

``--cases`` says how many examples each test draws; a tenth of it where files are read.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from features.errors import InputError
from features.tables import read_tables
from features.validation import report, violations
from serving.app import endpoints
from serving.auth import Auth
from serving.errors import invalid
from serving.keys import parse_keys
from serving.pages import pinned
from tests.serving.fakes import AS_OF, FakeEngine, make_api, make_store, open_store_at
from training.console import read_request

CREATORS = pd.DataFrame(
    {
        "creator_id": ["ana", "bo"],
        "observed_at": ["2025-05-01T00:00:00Z", "2025-05-02"],
        "bio": ['say "hi", twice', "面包 🍞\nand tea"],
        "content_labels": ["food|tea", ""],
        "followers_count": ["12000", "1e3"],
    }
)
BRIEF = {"brief": {"title": "Matcha 🍵", "budget": 5e3, "target_ages": ["18-24"]}, "limit": 5, "seed": 7}
KEYS = [{"name": "shop", "sha256": "a" * 64, "scopes": ["platform"], "not_after": "2030-01-01T00:00:00Z"}]
TOKEN = "2025-05-01T00:00:00~2025-05-01T00:00:00~20"
FILES = 10  # times as slow
Check = Callable[[bytes], object]


@pytest.fixture
def fuzzed(cases: int) -> Callable[..., None]:
    """Calls a reader with many inputs; only InputError may come out of it."""

    def run(inputs: st.SearchStrategy[bytes], check: Check, each: int = 1) -> None:
        def once(content: bytes) -> None:
            with suppress(InputError):
                check(content)

        settings(max_examples=max(1, cases // each), deadline=None, suppress_health_check=list(HealthCheck))(
            given(inputs)(once)
        )()

    return run


def damaged(*samples: bytes) -> st.SearchStrategy[bytes]:
    """Up to three cuts and insertions in one of the samples, or anything at all."""
    piece = st.binary(max_size=6) | st.sampled_from(
        [b"\x00", b"\xff\xfe", b"NaN", b"1e999", b'"', b"[" * 3000, b"\r", b"~"]
    )
    cut = st.tuples(st.integers(0, 4000), st.integers(0, 12), piece)
    return st.builds(_cut, st.sampled_from(samples), st.lists(cut, max_size=3)) | st.binary(max_size=60)


def _cut(content: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, piece in cuts:
        start = place % (len(content) + 1)
        content = content[:start] + piece + content[start + length :]
    return content


def as_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def file_reader(path: Path, read: Callable[[], object]) -> Check:
    def check(content: bytes) -> None:
        path.write_bytes(content)
        read()

    return check


def test_a_damaged_request_is_a_400(fuzzed, tmp_path):
    api = make_api(tmp_path, FakeEngine(), open_store_at(make_store(tmp_path)))
    bodies = {one.body for one in endpoints(api)}
    samples = [as_bytes(body.model_config["json_schema_extra"]["example"]) for body in bodies]

    def check(content: bytes) -> None:
        for body in bodies:
            try:
                body.model_validate_json(content)
            except ValidationError as error:
                raise invalid(error) from error

    fuzzed(damaged(*samples), check)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_damaged_dataset_is_read_or_refused_and_told(fuzzed, tmp_path, suffix):
    path = tmp_path / f"creators.{suffix}"
    CREATORS.to_csv(path, index=False) if suffix == "csv" else CREATORS.to_parquet(path)
    content = path.read_bytes()
    fuzzed(damaged(content), file_reader(path, lambda: read_tables(tmp_path)), FILES)
    fuzzed(damaged(content), file_reader(path, lambda: report(violations(tmp_path, AS_OF))), FILES)


def test_a_damaged_database_is_read_or_refused(fuzzed, tmp_path):
    path = tmp_path / "creators.sqlite"
    make_store(tmp_path, url=f"sqlite:///{path}")
    fuzzed(damaged(path.read_bytes()), file_reader(path, lambda: read_tables(f"sqlite:///{path}")), FILES)


def test_a_damaged_url_is_refused(fuzzed):
    samples = (
        b"postgresql+psycopg://me:secret@db:5432/market?host=/tmp",
        b"sqlite:////srv/store.sqlite",
        b"http://a/b",
    )
    fuzzed(damaged(*samples), lambda content: read_tables("://" + content.decode("utf-8", "replace")))


def test_a_damaged_brief_is_read_or_refused(fuzzed, tmp_path):
    path = tmp_path / "brief.json"
    fuzzed(damaged(as_bytes(BRIEF), as_bytes(BRIEF["brief"])), file_reader(path, lambda: read_request(path)))


def test_damaged_keys_are_refused(fuzzed):
    fuzzed(damaged(as_bytes(KEYS)), parse_keys)


def test_a_damaged_page_token_is_refused(fuzzed):
    fuzzed(damaged(TOKEN.encode()), lambda content: pinned({"page_token": content.decode("utf-8", "replace")}))


def test_damaged_headers_let_nobody_in(fuzzed, tmp_path):
    path = tmp_path / "keys.json"
    path.write_bytes(as_bytes(KEYS))
    auths = Auth.from_file(None), Auth.from_file(path)

    def check(content: bytes) -> None:
        value = content.decode("latin-1")
        for auth in auths:
            with suppress(InputError):
                assert auth.caller("192.0.2.1", {"host": value, "authorization": value}) is None

    fuzzed(damaged(b"Bearer " + b"a" * 64, b"127.0.0.1:3000", b"[::1]:3000"), check)
