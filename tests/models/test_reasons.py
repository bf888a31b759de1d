"""Contributions become sentences: the largest positive ones, in words that say what is known."""

import math

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.creators import FEATURES
from features.pairs import PAIR_FEATURES
from features.state import UPSTREAM
from models.reasons import COUNTED, MOST, TEXTS, top_reasons

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


def test_every_feature_has_its_words_and_no_words_are_left_over():
    assert set(TEXTS) == set(NAMES) > COUNTED


@given(arrays(np.float64, (2, len(NAMES)), elements=st.floats(-1e6, 1e6) | st.just(math.nan)), st.integers(0, 99))
def test_any_value_can_be_said(values, seed):
    margins = np.random.default_rng(seed).normal(size=values.shape)
    told = top_reasons(pd.DataFrame(values, columns=NAMES), margins)
    says = ~np.isnan(values) & ((values != 0) | ~np.isin(NAMES, [*COUNTED]))
    for reasons, margin, known in zip(told, margins, says, strict=True):
        found = [reason["contribution"] for reason in reasons]
        assert found == sorted(margin[(margin > 0) & known], reverse=True)[:MOST]
        assert all(reason["text"] and "{" not in reason["text"] for reason in reasons)
