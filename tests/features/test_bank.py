import threading
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from features.bank import TextBank, groups_of, unit
from features.lexical import BUCKETS, term_counts, words
from features.text import EmbeddingCache, embed
from tests.features.encoders import CountingEncoder

GROUPS = st.lists(st.lists(st.sampled_from(["tea", "tea tea", "coffee", "", "茶道", "\ud800"]), max_size=4), max_size=6)


def test_a_group_is_the_unit_mean_of_its_texts_and_the_sum_of_its_terms() -> None:
    vectors, counts = TextBank(CountingEncoder()).pooled([["green tea", "tea"], [], ["coffee"]])
    green, tea, coffee = embed(["green tea", "tea", "coffee"], CountingEncoder())
    np.testing.assert_allclose(vectors, [(green + tea) / np.linalg.norm(green + tea), np.zeros(8), coffee], atol=1e-6)
    assert counts.shape == (3, BUCKETS)
    assert counts.sum(axis=1).ravel().tolist() == [[3, 0, 1]]
    assert counts[0, term_counts(["tea"]).indices[0]] == 2


@given(groups=GROUPS, before=st.lists(st.sampled_from(["tea", "coffee", "milk"])))
def test_what_else_the_bank_holds_changes_no_bit(groups: list[list[str]], before: list[str]) -> None:
    bank, fresh = TextBank(CountingEncoder()), TextBank(CountingEncoder())
    bank.add(before)
    vectors, counts = bank.pooled(groups)
    expected_vectors, expected_counts = fresh.pooled(groups)
    assert vectors.shape == (len(groups), 8)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, expected_vectors)
    assert (counts != expected_counts).nnz == 0
    assert counts.sum(axis=1).ravel().tolist() == [[sum(len(words(text)) for text in group) for group in groups]]


def test_no_text_is_embedded_twice() -> None:
    encoder = CountingEncoder()
    bank = TextBank(encoder)
    bank.add(["tea", "coffee", "tea"])
    bank.pooled([["coffee", "milk"], ["milk"]])
    bank.vectors([["milk"]])
    assert encoder.embedded == ["tea", "coffee", "milk"]


def test_texts_read_in_passing_are_not_kept() -> None:
    encoder = CountingEncoder()
    bank = TextBank(encoder)
    passing = bank.vectors([["a brief", "tea"]])
    np.testing.assert_array_equal(passing, bank.pooled([["a brief", "tea"]])[0])
    assert encoder.embedded == ["a brief", "tea", "a brief", "tea"]


def test_a_passing_bank_knows_what_the_other_does_and_leaves_nothing_there() -> None:
    encoder = CountingEncoder()
    bank = TextBank(encoder)
    bank.add(["tea"])
    passing = bank.passing()
    vectors, _ = passing.pooled([["tea", "new"], ["new"]])
    np.testing.assert_array_equal(vectors, bank.pooled([["tea", "new"], ["new"]])[0])
    assert encoder.embedded == ["tea", "new", "new"]


def test_the_cache_spares_the_next_run_its_embedding(tmp_path: Path) -> None:
    TextBank(CountingEncoder(), EmbeddingCache(tmp_path)).add(["tea"])
    encoder = CountingEncoder()
    TextBank(encoder, EmbeddingCache(tmp_path)).add(["tea"])
    assert encoder.embedded == []


def test_threads_share_a_bank() -> None:
    bank = TextBank(CountingEncoder())
    groups = [[f"text {i % 50}", f"text {i % 7}"] for i in range(200)]
    expected, _ = TextBank(CountingEncoder()).pooled(groups)
    results: list[bool] = []

    def read(offset: int) -> None:
        for i in range(offset, len(groups), 4):
            vectors = bank.vectors([groups[i]]) if i % 2 else bank.pooled([groups[i]])[0]
            results.append(np.array_equal(vectors[0], expected[i]))

    threads = [threading.Thread(target=read, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 200


def test_unit_rows_have_length_one_and_zeros_stay() -> None:
    np.testing.assert_allclose(unit(np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)
    assert unit(np.zeros((0, 4))).shape == (0, 4)


def test_groups_come_in_the_order_of_the_ids() -> None:
    texts = pd.Series({"a": ["x", "y"], "b": ["z"]})
    assert groups_of(texts, pd.Index(["b", "unknown", "a"])) == [["z"], [], ["x", "y"]]
    assert groups_of(texts, pd.Index([])) == []


def test_the_dimension_is_the_encoders_and_embeds_nothing() -> None:
    encoder = CountingEncoder()
    assert TextBank(encoder).dimension == 8
    assert encoder.embedded == []
