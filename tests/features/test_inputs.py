import zlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import columns as c
from features import schema
from features.inputs import TAGS, brief_inputs, creator_inputs

WORDS = st.lists(st.sampled_from(["BEAUTY", "beauty", "FOOD", "茶道", "\ud800"]), max_size=3)


def place(word: str) -> int:
    return zlib.crc32(word.encode()) % TAGS


def tags(**places: float) -> np.ndarray:
    """A row of tags with the given weights; ``label_beauty`` stands for ``label=beauty``."""
    row = np.zeros(TAGS, np.float32)
    for word, weight in places.items():
        row[place(word.replace("_", "="))] += weight
    return row


def creators(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({c.CREATOR_ID: ["a", "b"]} | columns)


def test_a_creators_row_by_hand() -> None:
    tables = schema.complete({
        "creators": creators(
            content_labels=[["BEAUTY", "Food"], []], country_code=["BR", None], language=["pt", None],
            content_formats=[["LIVE"], []],
        ),
        "audience": pd.DataFrame({
            c.CREATOR_ID: ["a", "a", "b", "gone"], c.DIMENSION: ["country", "gender", "age", "age"],
            c.BUCKET: ["BR", "FEMALE", "55+", "13-17"], c.SHARE: [0.8, 0.6, 1.0, 1.0],
        }),
    })  # fmt: skip
    text = np.array([[0.6, 0.8], [1, 0]], np.float32)
    found = creator_inputs(tables, pd.Index(["b", "a"]), text)
    half = np.sqrt(0.5)
    a = tags(label_beauty=half, label_food=half, country_br=1.8, language_pt=1, format_live=1, gender_female=0.6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, :2], text)
    np.testing.assert_allclose(found[1, 2:], a, rtol=1e-6)
    np.testing.assert_allclose(found[0, 2:], tags(**{"age_55+": 1.0}))


def test_a_briefs_targets_meet_the_creators_and_audiences_they_mean() -> None:
    brief = schema.complete({
        "briefs": pd.DataFrame({
            c.BRIEF_ID: ["x"], c.CONTENT_LABELS: [["beauty"]], c.TARGET_COUNTRIES: [["BR"]],
            c.TARGET_LANGUAGES: [["pt"]], c.TARGET_GENDERS: [["female"]], c.TARGET_INTERESTS: [["Tea"]],
        }),
    })["briefs"]  # fmt: skip
    found = brief_inputs(brief, np.zeros((1, 0), np.float32))
    expected = tags(label_beauty=1, country_br=1, language_pt=1, gender_female=1, interest_tea=1)
    np.testing.assert_array_equal(found[0], expected)


@given(labels=WORDS, styles=WORDS)
def test_a_creators_row_depends_on_its_own_rows_alone(labels: list[str], styles: list[str]) -> None:
    alone = schema.complete({"creators": creators(content_labels=[labels, []], content_styles=[styles, []]).iloc[:1]})
    crowd = schema.complete({
        "creators": creators(content_labels=[labels, ["FOOD"]], content_styles=[styles, ["VLOG"]]).iloc[::-1],
        "audience": pd.DataFrame({c.CREATOR_ID: ["b"], c.DIMENSION: "age", c.BUCKET: "55+", c.SHARE: 1.0}),
    })  # fmt: skip
    text = np.ones((2, 3), np.float32)
    expected = creator_inputs(alone, pd.Index(["a"]), text[:1])
    np.testing.assert_array_equal(creator_inputs(crowd, pd.Index(["b", "a"]), text)[1:], expected)
    np.testing.assert_array_equal(creator_inputs(crowd, pd.Index(["a"]), text[:1]), expected)


def test_every_kind_of_tag_has_length_one_however_many_words() -> None:
    tables = schema.complete({"creators": creators(content_labels=[["BEAUTY"], ["FOOD", "TRAVEL", "MUSIC", "TECH"]])})
    found = creator_inputs(tables, pd.Index(["a", "b"]), np.zeros((2, 0), np.float32))
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(2))


def test_unknown_creators_and_empty_tables_are_zeros() -> None:
    tables = schema.complete(
        {"audience": pd.DataFrame({c.CREATOR_ID: ["x"], c.DIMENSION: "age", c.BUCKET: "55+", c.SHARE: 1})}
    )
    assert not creator_inputs(tables, pd.Index(["a"]), np.zeros((1, 4), np.float32)).any()
    none = np.zeros((0, 4), np.float32)
    assert creator_inputs(tables, pd.Index([], dtype="str"), none).shape == (0, 4 + TAGS)
    assert brief_inputs(tables["briefs"], none).shape == (0, 4 + TAGS)


def test_the_callers_tables_stay_as_they_are() -> None:
    tables = schema.complete({"creators": creators(content_labels=[["BEAUTY"], []])})
    before = tables["creators"].copy(deep=True)
    creator_inputs(tables, pd.Index(["a"]), np.zeros((1, 4), np.float32))
    pd.testing.assert_frame_equal(tables["creators"], before)
