"""Careers follow the reliability they were made for, and credit follows them."""

from dataclasses import replace

import numpy as np
import pytest

from features.collaborations import collaborations
from models.credit import load_policy
from models.credit_factors import past_events
from models.credit_policy import Repetition
from training.benchmarks.credit_careers import DEFAULTING, HABITUAL, HONEST, correlation, stopped
from training.simulate.careers import Careers, careers
from training.world import WORLD_1, World

COUNT, ORDERS = 60, 4


def made(reliability: float, world: World = WORLD_1) -> Careers:
    return careers(world, np.full(COUNT, reliability), ORDERS, np.random.default_rng(0))


def settled(found: Careers) -> float:
    return float((found.events["event_type"] == "SETTLED").sum()) / (COUNT * ORDERS)


def test_orders_end_by_reliability() -> None:
    shares = [settled(made(reliability)) for reliability in (-5.0, 0.0, 5.0)]
    assert shares[0] < 0.4 < 0.6 < shares[1] < 0.9 < shares[2]  # brands call off one in twenty-five


def test_next_order_is_offered_when_nearly_all_have_ended() -> None:
    found = made(0.0)
    so_far = past_events(found.events, found.after(2))
    assert so_far.groupby("creator_id")["collaboration_id"].nunique().eq(2).all()
    done = collaborations(so_far)
    assert 0.85 < done["ended_at"].notna().mean() < 1


def test_honest_are_not_suspended_and_defaulters_are_limited() -> None:
    policy, rng = load_policy(), np.random.default_rng(0)
    honest = stopped(careers(HONEST, np.full(COUNT, 1.0), ORDERS, rng), policy, ORDERS)
    defaulters = stopped(careers(DEFAULTING, np.full(COUNT, HABITUAL), 5, rng), policy, 5)
    assert (honest["SUSPENDED"][3], honest["LIMITED"][3]) == (0, 0)
    assert defaulters["LIMITED"][5] > 0.95 * COUNT
    lenient = replace(policy, limited_below=0, repeated_default=Repetition())
    assert stopped(careers(DEFAULTING, np.full(COUNT, HABITUAL), 5, rng), lenient, 5)["LIMITED"][5] < 0.1 * COUNT


def test_correlation_by_hand() -> None:
    latent = np.arange(20.0)
    assert correlation(latent**3, latent)["mean"] == pytest.approx(1)
    assert correlation(-latent, latent)["high"] == pytest.approx(-1)
