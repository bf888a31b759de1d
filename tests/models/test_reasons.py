"""Contributions become sentences: the largest positive ones, in words that say what is known."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.creators import FEATURES
from features.pairs import PAIR_FEATURES
from features.state import UPSTREAM
from models import reasons
from models.engine import Engine
from models.gbm import contributions
from models.reasons import COUNTED, LANGUAGES, MOST, Reason, in_language, said, spoken, texts, top_reasons

NAMES = [*(feature.__name__ for feature in (*PAIR_FEATURES, *FEATURES)), *UPSTREAM]


def test_the_largest_come_first_and_none_that_lowers_the_score():
    features = pd.DataFrame({"jobs": [3.0], "label_overlap": [0.5], "credit_score": [700.0]})
    (reasons,) = top_reasons(features, np.array([[0.1, 0.4, -0.9]]))
    assert reasons == [
        {"code": "LABEL_OVERLAP", "text": "Content labels match the brief's (50%)", "contribution": 0.4},
        {"code": "JOBS", "text": "Jobs taken so far: 3", "contribution": 0.1},
    ]


def test_an_unknown_value_is_no_reason():
    features = pd.DataFrame({"audience_age": [math.nan], "jobs": [2.0]})
    assert [reason["code"] for reason in top_reasons(features, np.array([[0.2, 0.1]]))[0]] == ["JOBS"]


def test_a_count_or_a_flag_of_zero_is_no_reason():
    features = pd.DataFrame({"jobs": [0.0], "country_match": [0.0], "price_usd": [0.0]})
    assert [reason["code"] for reason in top_reasons(features, np.array([[0.3, 0.2, 0.1]]))[0]] == ["PRICE_USD"]


def test_no_contribution_no_reason():
    features = pd.DataFrame({"jobs": [3.0, 1.0]})
    assert top_reasons(features, np.array([[0.0], [-1.0]])) == [[], []]


DECIDED = {
    "PINNED", "BID", "EXPLORATION", "DIVERSITY", "PRICE_WITHOUT_RATE", "PRICE_WITHOUT_CURRENCY", "BUDGET_WITHOUT_RATE",
    "BUDGET_WITHOUT_CURRENCY",
}  # fmt: skip
# Words that say why something came about, by language; none of them may stand in a reason.
CAUSAL = {
    "en": "because|due to|caus|leads? to|led to|therefore|thanks to|result|since|boost|driv",
    "zh": "因为|由于|导致|所以|使得|因此|促使",
    "es": "porque|debido|caus|gracias a|por eso|por tanto|resulta",
    "pt": "porque|devido|caus|graças a|por isso|portanto|resulta",
    "ja": "ため|ので|から|せい|おかげ|原因|結果",
    "ar": "لأن|بسبب|نتيجة|أدى|يؤدي|بفضل",
    "ko": "때문|덕분|므로|원인|결과",
    "id": "karena|sebab|akibat|sehingga|berkat|hasil",
}
PLACES = re.compile(r"\{.*?\}")


def test_every_feature_has_its_words_and_no_words_are_left_over():
    assert set(texts("en")) == {name.upper() for name in NAMES} | DECIDED
    assert set(NAMES) > COUNTED


def own_texts(language: str) -> dict[str, str]:
    return json.loads((Path(reasons.__file__).parent / "texts" / f"{language}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_all_codes_with_the_same_values_in_their_places(language):
    own = own_texts(language)
    assert list(own) == list(texts("en"))
    for code, text in own.items():
        assert PLACES.findall(text) == PLACES.findall(texts("en")[code])
        value = "EUR" if code in DECIDED else 0.25
        assert "{" not in said(code, language, value)
        assert text.strip() == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_says_that_one_thing_caused_another(language):
    causal = re.compile(CAUSAL[language], re.IGNORECASE)
    assert not [text for text in own_texts(language).values() if causal.search(text)]


def test_no_language_is_another_one_copied():
    for language in LANGUAGES[1:]:
        assert not {*own_texts(language).values()} & {*texts("en").values()}


def test_the_language_files_are_those_named():
    folder = Path(reasons.__file__).parent / "texts"
    assert {file.stem for file in folder.iterdir()} == set(LANGUAGES)


@pytest.mark.parametrize(
    ("tag", "language"),
    [("zh-Hant-TW", "zh"), ("pt_BR", "pt"), ("EN", "en"), ("fr", "en"), ("", "en"), (math.nan, "en"), (None, "en")],
)
def test_a_language_tag_names_the_language_of_the_texts_or_english(tag, language):
    assert spoken(tag) == language


def test_reasons_are_said_in_another_language_with_the_same_numbers():
    features = pd.DataFrame({"jobs": [3.0], "label_overlap": [0.5]})
    told = in_language(top_reasons(features, np.array([[0.1, 0.4]])), features, "es")
    assert told == [
        [
            {
                "code": "LABEL_OVERLAP",
                "text": "Las etiquetas de contenido coinciden con las del brief (50%)",
                "contribution": 0.4,
            },
            {"code": "JOBS", "text": "Trabajos aceptados hasta ahora: 3", "contribution": 0.1},
        ]
    ]


BRIEF: dict[str, Any] = {"title": "Matcha latte", "description": "cozy recipe videos", "content_labels": ["food"]}


def _untold(values: pd.Series) -> list[str]:
    return [name for name, value in values.items() if math.isnan(value) or (value == 0 and name in COUNTED)]


def test_what_is_shown_and_what_is_not_sum_to_the_score(engine):
    """On the served ranker: the reasons are its contributions, which with its base value make the margin."""
    ranker, seen = engine._bundle.ranker, []

    def keeping(pairs: pd.DataFrame) -> list[list[Reason]]:
        seen.append(pairs)
        return ranker.reasons(pairs)

    results = engine.rank({"brief": BRIEF, "limit": 50, "explain": True})["results"]
    watched = SimpleNamespace(score=ranker.score, reasons=keeping)
    again = Engine.__new__(Engine)
    vars(again).update(vars(engine), _bundle=replace(engine._bundle, ranker=watched))
    assert again.rank({"brief": BRIEF, "limit": 50, "explain": True})["results"] == results
    (pairs,) = seen
    assert list(pairs.index) == [one["creator_id"] for one in results]
    names = [*ranker.booster.feature_name(), "BASE"]
    parts = pd.DataFrame(contributions(ranker.booster, ranker._matrix(pairs)), columns=names, index=pairs.index)
    for one in results:
        own = parts.loc[one["creator_id"]]
        shown = {reason["code"].lower(): reason["contribution"] for reason in one["reasons"]}
        assert shown
        assert all(own[name] == pytest.approx(value, abs=1e-12) for name, value in shown.items())
        telling = own.drop(["BASE", "position", *shown]).drop(_untold(pairs.loc[one["creator_id"]]), errors="ignore")
        assert telling.max() <= min(shown.values())  # the largest of those there is something to tell of
        unshown = own.drop(list(shown)).sum()
        assert sum(shown.values()) + unshown == pytest.approx(one["score"], abs=1e-9)


@pytest.mark.parametrize("language", ["zh", "ar", "pt-BR"])
def test_a_ranking_is_explained_in_the_language_of_its_brief(engine, language):
    pin = engine.rank({"brief": BRIEF, "limit": 1})["results"][0]["creator_id"]
    request = {"limit": 10, "explain": True, "diversity": 0.5, "explore": True, "seed": 1, "pin_creator_ids": [pin]}
    brief = BRIEF | {"language": language, "budget": 5000, "currency": "XAF"}
    results = engine.rank({"brief": brief} | request)["results"]
    known = {code: ".+".join(map(re.escape, PLACES.split(text))) for code, text in own_texts(language[:2]).items()}
    known["CURRENCY_NOT_COMPARABLE"] = f"{known['BUDGET_WITHOUT_RATE']}|{known['PRICE_WITHOUT_RATE']}"
    for reason in (reason for one in results for reason in one["reasons"]):
        assert re.fullmatch(known[reason["code"]], reason["text"]), reason
    codes = {reason["code"] for one in results for reason in one["reasons"]}
    assert {"PINNED", "CURRENCY_NOT_COMPARABLE"} <= codes


@given(arrays(np.float64, (2, len(NAMES)), elements=st.floats(-1e6, 1e6) | st.just(math.nan)), st.integers(0, 99))
def test_any_value_can_be_said(values, seed):
    margins = np.random.default_rng(seed).normal(size=values.shape)
    told = top_reasons(pd.DataFrame(values, columns=NAMES), margins)
    says = ~np.isnan(values) & ((values != 0) | ~np.isin(NAMES, [*COUNTED]))
    for found_reasons, margin, known in zip(told, margins, says, strict=True):
        found = [reason["contribution"] for reason in found_reasons]
        assert found == sorted(margin[(margin > 0) & known], reverse=True)[:MOST]
        assert all(reason["text"] and "{" not in reason["text"] for reason in found_reasons)
