"""Off-policy estimates: by hand on tiny logs, and against what the simulator would have shown."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.tables import read_tables
from training.evaluation.offpolicy import block_size, estimate, kish, places, support
from training.examples import GRADES, POSITIVE
from training.simulate.impressions import shown_by_policy
from training.world import WORLD_1


def log_of(*lists: str, propensity: float = 0.5) -> pd.DataFrame:
    """A log with a ranking per text: its letters are the creators from the top."""
    rows = [
        {"brief_id": f"b{i:03}", "creator_id": creator, "position": place, "propensity": propensity, "ranking_id": None}
        for i, creators in enumerate(lists)
        for place, creator in enumerate(creators, 1)
    ]
    return pd.DataFrame(rows)


def scored(shown: pd.DataFrame, best_first: str) -> np.ndarray:
    return np.array([-best_first.index(creator) for creator in shown["creator_id"]], dtype=float)


def test_by_hand() -> None:
    """100 briefs show a, b and got 3 from a at the top; 100 show b, a and got 1 from b there and 1 from a below."""
    shown = support(log_of(*["ab", "ab", "ba", "ba"] * 50))
    rewards = np.tile([3.0, 0.0, 3.0, 0.0, 1.0, 1.0, 1.0, 1.0], 50)
    found = estimate(shown, scored(shown, "ab"), rewards, np.random.default_rng(0))
    # The policy a, b agrees with the first kind only: weight 2 for each of its two rows, 0 for the second kind's.
    assert found["ips"]["mean"] == pytest.approx(2 * 3 / 2)
    assert found["snips"]["mean"] == pytest.approx(3)
    assert found["doubly_robust"]["mean"] == pytest.approx(3, abs=1e-9)
    assert found["logged"]["mean"] == pytest.approx(2.5)
    assert found["effective_sample_size"] == 200
    assert (found["rows"], found["briefs"]) == (400, 200)


def test_snips_by_hand_when_agreement_is_uneven() -> None:
    """Three in four lists are the policy's own: IPS counts too much of them, SNIPS does not."""
    shown = support(log_of(*["ab", "ab", "ab", "ba"] * 60))
    rewards = np.tile([1.0, 0.0] * 3 + [0.0, 0.0], 60)
    found = estimate(shown, scored(shown, "ab"), rewards, np.random.default_rng(0))
    assert found["ips"]["mean"] == pytest.approx(2 * 3 / 4)
    assert found["snips"]["mean"] == pytest.approx(1)


def test_too_little_evidence_is_refused() -> None:
    shown = support(log_of(*["ab", "ba"] * 49))
    with pytest.raises(ValueError, match="98 effective rows; 100 are needed"):
        estimate(shown, scored(shown, "ab"), np.ones(len(shown)), np.random.default_rng(0))


def test_a_policy_without_an_opinion_does_not_follow_the_log() -> None:
    shown = support(log_of("ab", "ba"))
    assert places(shown, np.zeros(4)).tolist() == [1, 2, 2, 1]


def test_places_stay_within_their_block() -> None:
    shown = support(log_of("abcd", "badc"))
    assert places(shown, scored(shown, "dcba"))[:4].tolist() == [2, 1, 4, 3]


def test_blocks_with_a_missing_place_are_left_out() -> None:
    log = log_of("abcd", "badc")
    assert len(support(log.drop(index=1))) == 6


@pytest.mark.parametrize("propensities", [[1.0] * 6, [0.37] * 6, [0.0] * 6])
def test_a_log_that_left_nothing_to_chance_is_refused(propensities: list[float]) -> None:
    with pytest.raises(ValueError, match="not those of a shuffle"):
        block_size(np.array(propensities))


def test_a_log_without_propensities_is_refused() -> None:
    with pytest.raises(ValueError, match="no impression says"):
        support(log_of("ab").assign(propensity=np.nan))


def test_block_size_sees_through_exploration() -> None:
    assert block_size(np.repeat([0.15, 0.0003], [75, 25])) == 5  # explored: a quarter


def test_kish_by_hand() -> None:
    assert kish(np.array([2.0, 2.0, 0.0])) == 2
    assert kish(np.array([3.0, 1.0])) == pytest.approx(16 / 10)
    assert kish(np.zeros(2)) == 0


def simulated_log(briefs: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """A log of the simulator's policy over 100 creators, who would be wanted, and what it saw of that."""
    parts = []
    for brief in range(briefs):
        shown = shown_by_policy(WORLD_1, rng.normal(size=100), np.ones(100, bool), rng)
        parts.append(shown.assign(brief_id=f"b{brief}", creator_id=shown["creator"].astype(str), ranking_id=None))
    log = support(pd.concat(parts, ignore_index=True))
    wanted = rng.random(len(log)) < 0.3
    looked = rng.random(len(log)) < log["position"] ** -WORLD_1.logging.examination
    return log, wanted.astype(float), (wanted & looked).astype(float)


@pytest.mark.parametrize("knows", [1.0, -1.0, 0.0], ids=["knows who is wanted", "the opposite", "nothing"])
def test_estimates_hold_the_truth_of_the_simulators_policy(knows: float) -> None:
    rng = np.random.default_rng(0)
    log, wanted, seen = simulated_log(1500, rng)
    scores = knows * wanted + 0.1 * rng.normal(size=len(log))
    truth = (wanted * places(log, scores) ** -WORLD_1.logging.examination).sum() / 1500
    found = estimate(log, scores, seen, rng)
    estimators = (found["ips"], found["snips"], found["doubly_robust"])
    assert all(one["low"] <= truth <= one["high"] for one in estimators)
    assert all(one["mean"] == pytest.approx(truth, rel=0.06) for one in estimators)
    assert not knows or np.sign(truth - found["logged"]["mean"]) == knows


def test_estimates_hold_the_truth_of_a_simulated_marketplace(dataset: Path) -> None:
    """Its utilities, funnel and logging policy; scores that know the grades are worth more than their opposite."""
    truth = pd.read_parquet(dataset / "truth" / "utility.parquet")
    log = support(read_tables(dataset)["impressions"]).merge(truth, on=["brief_id", "creator_id"])
    rewards = (log["outcome"].map(GRADES) >= POSITIVE).to_numpy(float)
    wanted = (log["grade"] >= POSITIVE).to_numpy()
    for sign in (1, -1):
        scores = sign * log["grade"].to_numpy(float)
        would = (wanted * places(log, scores) ** -WORLD_1.logging.examination).sum() / log["brief_id"].nunique()
        found = estimate(log, scores, rewards, np.random.default_rng(0))
        assert all(found[name]["low"] <= would <= found[name]["high"] for name in ("ips", "snips", "doubly_robust"))
        assert (found["doubly_robust"]["mean"] > found["logged"]["mean"]) == (sign > 0)
