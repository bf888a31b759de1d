import json

import numpy as np
import pandas as pd
import pytest

from features.fraud import FRAUD_FEATURES
from models.fraud_peers import FAREST, PEERED, Peers

LIKES, OTHERS = "likes_per_view", [name for name in PEERED if name != "likes_per_view"]


def market(rows: int, seed: int = 0) -> pd.DataFrame:
    """Likes fall with size, vary more where creators are small, and are doubled in Brazil; the rest is noise."""
    rng = np.random.default_rng(seed)
    size = rng.normal(np.log(20_000), 1.5, rows)
    country = rng.choice(["BR", "JP", "US"], rows)
    spread = 0.4 * np.exp(-0.3 * (size - 9))
    likes = np.exp(-2 - 0.3 * (size - 9) + np.log(2) * (country == "BR") + spread * rng.normal(size=rows))
    noise = {name: np.exp(rng.normal(size=rows)) for name in OTHERS}
    return pd.DataFrame({LIKES: likes, "log_followers": size, "home_country": country, "main_format": "LIVE"} | noise)


@pytest.fixture(scope="module")
def peers() -> Peers:
    return Peers.fit(market(5_000))


def test_creators_of_any_size_and_country_are_alike_beside_their_peers(peers: Peers) -> None:
    new = market(5_000, seed=1)
    compared = peers.compared(new)[LIKES]
    small = new["log_followers"] < np.log(10_000)
    for group in (small, ~small, new["home_country"] == "BR", new["home_country"] == "JP"):
        assert compared[group].mean() == pytest.approx(0, abs=0.15)
        assert compared[group].std() == pytest.approx(1, abs=0.35)
    assert np.corrcoef(np.log(new[LIKES]), new["log_followers"])[0, 1] < -0.5
    assert np.corrcoef(compared, new["log_followers"])[0, 1] == pytest.approx(0, abs=0.05)


def test_a_creator_is_compared_with_what_was_learned_not_with_who_else_is_asked(peers: Peers) -> None:
    new = market(50, seed=2)
    everyone = peers.compared(new)
    for row in range(len(new)):
        alone = peers.compared(new.iloc[[row]])
        pd.testing.assert_frame_equal(everyone.iloc[[row]], alone, check_exact=True)


def test_a_country_never_seen_and_a_size_not_known_are_as_the_rest(peers: Peers) -> None:
    row = market(1).assign(home_country="XX", main_format=np.nan, log_followers=np.nan)
    usual = row.assign(log_followers=np.log(10_000))
    assert peers.compared(row)[LIKES].to_numpy() == pytest.approx(peers.compared(usual)[LIKES].to_numpy())
    assert abs(peers.compared(row)[LIKES].iloc[0]) < FAREST


def test_more_is_never_less_and_zero_is_the_least(peers: Peers) -> None:
    one = pd.concat([market(1)] * 6, ignore_index=True)
    compared = peers.compared(one.assign(**{LIKES: [0.0, 0.01, 0.1, 0.2, 1.0, np.nan]}))[LIKES]
    assert compared.iloc[:5].is_monotonic_increasing
    assert compared.iloc[0] == -FAREST
    assert np.isnan(compared.iloc[5])


def test_what_a_few_bought_does_not_become_usual() -> None:
    honest = market(2_000)
    some = honest.assign(**{LIKES: honest[LIKES] * np.where(np.arange(2_000) < 100, 30, 1)})
    difference = Peers.fit(some).compared(honest)[LIKES] - Peers.fit(honest).compared(honest)[LIKES]
    assert difference.abs().mean() < 0.1


def test_a_few_creators_of_a_country_are_hardly_believed() -> None:
    two = market(2, seed=3).assign(home_country="NZ", **{LIKES: 20.0})
    peers = Peers.fit(pd.concat([market(2_000), two], ignore_index=True))
    assert peers.compared(two)[LIKES].min() > 3


def test_nobody_is_nobody_s_peer() -> None:
    peers = Peers.fit(market(3).iloc[:0])
    assert peers.compared(market(3))[LIKES].notna().all()


def test_json_keeps_it_and_only_features_are_compared(peers: Peers) -> None:
    assert Peers.from_json(json.loads(json.dumps(peers.to_json()))) == peers
    assert set(PEERED) <= set(FRAUD_FEATURES)


def test_who_has_what_is_expected_of_its_peers_differs_in_nothing(peers: Peers) -> None:
    new = market(50, seed=2)
    usual = peers.usual(new)
    assert peers.compared(new.assign(**usual))[list(PEERED)].abs().max(axis=None) < 1e-9
    brazil, japan = (peers.usual(new.assign(home_country=country))[LIKES] for country in ("BR", "JP"))
    assert (brazil / japan).between(1.7, 2.2).all()
