"""Bayes' rule and EM by hand, and a test that lets label shift pass and stops everything else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.label_shift import FEWEST, Column, LabelShift

QUARTER = LabelShift(0.25, {})


def shift_of(rows: int, base_rate: float, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """A feature with N(0, 1) for the genuine and N(2, 1) for the fake, their exact posterior at .25, and labels."""
    rng = np.random.default_rng(seed)
    label = (rng.random(rows) < base_rate).astype(float)
    x = rng.normal(2 * label)
    return pd.DataFrame({"x": x}), 1 / (1 + 3 * np.exp(2 - 2 * x)), label


@pytest.fixture(scope="module")
def learned() -> LabelShift:
    features, probabilities, label = shift_of(4000, 0.25, 0)
    return LabelShift.of(features, probabilities, label)


def test_odds_are_exchanged() -> None:
    """At a base rate of 1/4 a probability of 1/2 has likelihood ratio 3; at 1/2 that makes 3/4."""
    assert QUARTER.at(np.array([0.5]), 0.5) == pytest.approx([0.75])
    assert QUARTER.at(np.array([0.0, 0.3, 1.0]), 0.25) == pytest.approx([0.0, 0.3, 1.0])


@given(p=st.floats(0.001, 0.999), first=st.floats(0.01, 0.99), second=st.floats(0.01, 0.99))
def test_the_order_of_corrections_does_not_matter(p: float, first: float, second: float) -> None:
    once = LabelShift(0.25, {}).at(np.array([p]), second)
    twice = LabelShift(first, {}).at(LabelShift(0.25, {}).at(np.array([p]), first), second)
    assert twice == pytest.approx(once)


@pytest.mark.parametrize("base_rate", [0.02, 0.1, 0.25, 0.6])
def test_the_share_of_fakes_is_found_from_the_probabilities_alone(base_rate: float) -> None:
    _, probabilities, label = shift_of(20_000, base_rate, 1)
    found = QUARTER.estimate(probabilities)
    assert found == pytest.approx(label.mean(), abs=0.012)
    assert QUARTER.at(probabilities, found).mean() == pytest.approx(found, abs=1e-4)


@pytest.mark.parametrize("base_rate", [0.05, 0.25, 0.6])
def test_another_share_alone_is_rarely_refused(learned: LabelShift, base_rate: float) -> None:
    verdicts = [learned.verdict(*shift_of(1000, base_rate, seed)[:2]) for seed in range(2, 62)]
    assert sum(bool(verdict.shifted) for verdict in verdicts) <= 3  # of 60 at a level of 1 %


@pytest.mark.parametrize("change", [lambda x: x + 0.5, lambda x: 1.5 * x, lambda x: x.where(x.index % 4 > 0)])
def test_other_accounts_are_refused_by_name_of_the_column(learned: LabelShift, change) -> None:
    features, probabilities, _ = shift_of(1000, 0.1, 2)
    verdict = learned.verdict(features.assign(x=change(features["x"])), probabilities)
    assert verdict.estimated is None
    assert "x" in verdict.shifted
    assert "(x)" in verdict.statement


def test_few_rows_tell_nothing(learned: LabelShift) -> None:
    features, probabilities, _ = shift_of(FEWEST - 1, 0.9, 3)
    verdict = learned.verdict(features, probabilities)
    assert (verdict.estimated, verdict.shifted) == (None, {})
    assert "too few" in verdict.statement


def test_a_column_that_nobody_knew_says_nothing_until_somebody_does() -> None:
    column = Column.of(np.full(100, np.nan), np.repeat([0.0, 1.0], 50))
    assert column.p_value(np.full(200, np.nan), 0.5) == 1.0
    assert column.p_value(np.ones(200), 0.5) < 1e-6


def test_kept_as_json_it_says_the_same(learned: LabelShift) -> None:
    features, probabilities, _ = shift_of(500, 0.5, 4)
    again = LabelShift.from_json(learned.to_json())
    assert again.verdict(features, probabilities) == learned.verdict(features, probabilities)
