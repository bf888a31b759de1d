"""The benchmark across languages: its briefs, its sums by hand, and its shape on the small release."""

from pathlib import Path
from typing import Any

import pytest

from features.asof import data_as_of
from features.bank import TextBank
from features.tables import read_tables
from features.text import EmbeddingCache, load_encoder
from models.bundle import Bundle
from models.catalogue import build_catalogue
from models.registry import local_champion
from training.benchmarks.languages import (
    DEPTH,
    LANGUAGES,
    UNTRAINED,
    Market,
    briefs,
    evaluate,
    overlap,
    overlaps,
    product_name,
    renamed,
)

ALL = (*LANGUAGES, UNTRAINED)


@pytest.fixture(scope="module")
def market(home: Path, dataset: Path) -> Market:
    tables, bundle = read_tables(dataset), Bundle.load(local_champion(home))
    bank = TextBank(load_encoder(), EmbeddingCache(home / "embeddings"))
    return Market(build_catalogue(bundle, tables, data_as_of(tables), bank), bundle, bank)


@pytest.fixture(scope="module")
def answer(market: Market) -> Any:
    return evaluate(market, briefs()[:3])


def test_every_brief_is_written_in_every_language_and_keeps_its_product_name() -> None:
    assert len(briefs()) == len({brief["id"] for brief in briefs()}) == 20
    for brief in briefs():
        assert set(brief["texts"]) == set(ALL)
        written = [" ".join(text.values()) for text in brief["texts"].values()]
        assert len(set(written)) == len(ALL)
        assert all(product_name(brief) in text for text in written)
        assert product_name(brief)
        assert brief["content_labels"]
        assert brief["target_countries"]


def test_the_product_name_is_what_all_languages_have_in_common() -> None:
    assert [product_name(brief) for brief in briefs()[:3]] == ["NimbusBrew", "Lumipetal", "Cyclune"]


def test_a_name_moves_the_lists_by_a_share(answer: Any) -> None:
    assert set(answer["renamed"]) == {"next", "word", "none"}
    for found in answer["renamed"].values():
        assert {"same_language", "with_english", "all_pairs"} <= set(found)
        assert all(0 < share["mean"] <= 1 for share in found.values())


class Words:
    """A market whose list is the words of the text."""

    def top(self, brief: dict[str, str]) -> list[str]:
        return sorted(" ".join(brief.values()).split())


def test_renaming_by_hand() -> None:
    texts = {one: {"title": "Zoomy", "description": f"is {one}"} for one in ALL}
    brief = {"id": "one", "texts": texts}
    words: Any = Words()
    found = renamed(words, [brief], {"one": {one: words.top(text) for one, text in texts.items()}})
    assert {what: by["same_language"]["mean"] for what, by in found.items()} == pytest.approx(
        {"next": 1, "word": 2 / 3, "none": 2 / 3}
    )
    assert {what: by["all_pairs"]["mean"] for what, by in found.items()} == pytest.approx(
        {"next": 2 / 3, "word": 2 / 3, "none": 1 / 2}
    )


def test_overlap_by_hand() -> None:
    assert overlap(["a", "b"], ["b", "c"]) == 0.5
    assert overlap(["a", "b"], ["b"]) == 0.5
    assert overlap([], []) == 0


def test_overlaps_by_hand() -> None:
    same, other = ["a", "b"], ["b", "c"]
    lists = {"one": dict.fromkeys(ALL, same), "two": dict.fromkeys(ALL, other) | {"ko": same, "id": ["x", "y"]}}
    found: Any = overlaps(lists)
    assert found["with_english"]["mean"] == pytest.approx((1 + (5 + 0.5) / 6) / 2)
    assert found["all_pairs"]["mean"] == pytest.approx((1 + (15 + 6 * 0.5) / 21) / 2)
    assert found["indonesian_with_english"]["mean"] == found["indonesian_with_all"]["mean"] == 0.5
    assert (found["by_language"]["ko"], found["by_language"]["zh"]) == (0.75, 1)
    assert found["between_briefs"] == 0.5


@pytest.mark.parametrize("variant", ["text", "text_and_fields"])
def test_shares_are_shares_and_causes_speak_of_what_was_ranked(answer: Any, variant: str) -> None:
    found = answer[variant]
    means = [found[name]["mean"] for name in ("with_english", "all_pairs", "indonesian_with_english")]
    assert all(0 <= share <= 1 for share in (*means, *found["by_language"].values(), found["between_briefs"]))
    assert {"text_cosine", "lexical_cosine", "tower_score"} <= set(found["causes"]["alone"])
    assert found["causes"]["as_if_english"][""] == pytest.approx(means[0])


def test_a_wish_for_a_language_is_obeyed(answer: Any) -> None:
    asked = answer["asked_for_a_language"]
    assert {"en", "es"} <= set(asked)
    assert "ko" not in asked  # nobody in the simulated marketplace writes in it
    assert {shares["target_languages"] for shares in asked.values()} == {1.0}
    assert all(shares["unasked"] < 1 for shares in asked.values())


def test_lists_are_as_long_as_asked(market: Market) -> None:
    assert len(set(market.top(briefs()[0]["texts"]["ar"]))) == DEPTH
