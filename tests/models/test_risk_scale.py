"""Risk scores: an equal share of the innocent of every kind reaches each."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.risk_scale import FEWEST, FOLLOWERS, KINDS, PAID, QUIET, VIEWS, RiskScale, Surges

CREATORS = 2_000
NAMES = ("follower_spike", "gain_unexplained", "gain_view_correlation", "views_peak")


def market(rng: np.random.Generator) -> pd.DataFrame:
    """Features of creators of whom one in twenty pays for views."""
    features = pd.DataFrame({name: rng.normal(size=CREATORS) for name in NAMES})
    return features.assign(paid_share=np.where(np.arange(CREATORS) % 20 == 0, 0.2, 0.0))


FEATURES = market(np.random.default_rng(0))
SURGES = Surges.fit(FEATURES)
BY_CHANCE = np.random.default_rng(1).beta(1, 10, CREATORS)


def test_who_is_of_which_kind() -> None:
    rows = pd.DataFrame(
        {
            "follower_spike": [0, 9, 9, 9, np.nan],
            "gain_unexplained": [0, 9, 9, 9, np.nan],
            "gain_view_correlation": [0, -9, 9, -9, np.nan],
            "views_peak": [0, 0, 9, 9, np.nan],
            "paid_share": [0, 0, 0, 0.06, np.nan],
        }
    )
    assert list(SURGES.kinds(rows)) == [QUIET, FOLLOWERS, VIEWS, PAID, QUIET]


def test_kinds_do_not_depend_on_who_else_is_asked_for() -> None:
    rows = FEATURES.sample(frac=1, random_state=3)
    alone = [SURGES.kinds(rows.iloc[[place]])[0] for place in range(50)]
    assert list(SURGES.kinds(rows)[:50]) == alone


def test_the_same_share_of_the_innocent_of_each_kind_reaches_a_score() -> None:
    """Those of a surge have far higher probabilities; one in thirty of each kind still reaches 970."""
    kinds = SURGES.kinds(FEATURES)
    probability = np.where(kinds == QUIET, BY_CHANCE / 20, BY_CHANCE)
    scores = RiskScale.fit(probability, FEATURES).scores(probability, kinds)
    for kind in KINDS:
        innocent = 1 - probability[kinds == kind]
        rate = np.average(scores[kinds == kind] >= 970, weights=innocent)
        assert rate == pytest.approx(0.03, abs=0.02), kind


def test_a_kind_with_too_few_is_held_against_everyone() -> None:
    rare = FEATURES.assign(paid_share=np.where(np.arange(CREATORS) < FEWEST - 1, 0.2, 0.0))
    scale = RiskScale.fit(BY_CHANCE, rare)
    everyone = RiskScale.fit(BY_CHANCE, FEATURES.assign(paid_share=0.0, views_peak=0.0, follower_spike=np.nan)).innocent
    assert (scale.innocent[PAID] == everyone[PAID]).all()
    assert (everyone[PAID] == everyone[VIEWS]).all()
    enough = FEATURES.assign(paid_share=np.where(np.arange(CREATORS) < FEWEST, 0.2, 0.0))
    assert (RiskScale.fit(BY_CHANCE, enough).innocent[PAID] != everyone[PAID]).any()


def test_without_a_probability_there_is_no_score_and_what_is_kept_reads_the_same() -> None:
    scale = RiskScale.fit(BY_CHANCE, FEATURES)
    again = RiskScale.from_json(json.loads(json.dumps(scale.to_json())))
    kinds, some = SURGES.kinds(FEATURES), np.where(np.arange(CREATORS) < 5, np.nan, BY_CHANCE)
    scores = again.scores(some, kinds)
    np.testing.assert_array_equal(scores, scale.scores(some, kinds))
    assert list(np.flatnonzero(np.isnan(scores))) == [0, 1, 2, 3, 4]


@given(arrays(np.float64, 2, elements=st.floats(0, 1)), st.sampled_from(KINDS))
def test_scores_rise_with_the_probability(pair, kind) -> None:
    low, high = RiskScale.fit(BY_CHANCE, FEATURES).scores(np.sort(pair), np.array([kind, kind]))
    assert 0 <= low <= high <= 1000
