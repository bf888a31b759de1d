"""Near-duplicates by hand, and signatures against the similarities that they stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.duplicates import clusters, shingles, signatures
from features.lexical import term_counts

SPAM = "check out my new channel and subscribe for a free phone every single day"


def found(*texts: str) -> list[int]:
    return clusters(signatures(term_counts(texts, shingles))).tolist()


def test_copies_and_near_copies_stand_together_and_others_alone() -> None:
    texts = ["love this song", SPAM, "❤️❤️", SPAM.upper() + "!!!", "first", SPAM + " now", "❤️ ❤️", "", "", "the song"]
    assert found(*texts) == [-1, 0, 1, 0, -1, 0, 1, -1, -1, -1]


def test_scripts_without_spaces_are_compared_too() -> None:
    assert found("订阅我的频道免费手机", "订阅我的频道免费手机！", "今天的歌真好听啊") == [0, 0, -1]


def test_shingles_are_words_and_pairs_or_characters() -> None:
    assert shingles("Like THIS now") == ["like", "this", "now", "like this", "this now"]
    assert shingles("❤ ❤!") == ["❤", "❤", "!"]
    assert shingles("  ") == []


def test_signatures_agree_as_often_as_sets_overlap() -> None:
    first = " ".join(f"w{i}" for i in range(300))
    second = " ".join(f"w{i}" for i in range(150, 450))
    signed = signatures(term_counts([first, second], str.split))
    assert (signed[0] == signed[1]).mean() == pytest.approx(1 / 3, abs=0.17)


@given(st.lists(st.text(max_size=12), max_size=8))
def test_equal_texts_share_a_cluster_whatever_they_are(texts: list[str]) -> None:
    labels = found(*texts, *texts)
    assert labels[: len(texts)] == labels[len(texts) :]
    assert [label >= 0 for label in labels[: len(texts)]] == [bool(shingles(text)) for text in texts]


def test_many_copies_take_no_quadratic_time() -> None:
    signed = np.repeat(signatures(term_counts([SPAM], shingles)), 100_000, axis=0)
    assert (clusters(signed) == 0).all()
