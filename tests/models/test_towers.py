import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from features.bank import unit
from models.tower_training import Wanted, sampled_softmax, train
from models.towers import DIMENSION, TAG_SCALE, Pairs, Towers, fit_towers, untrained

Floats = npt.NDArray[np.float32]
TOPICS = 6
TEXT = 12  # so many text inputs, then one tag a topic


def one_hot(places: npt.NDArray[np.int64], width: int) -> Floats:
    return np.eye(width, dtype=np.float32)[places]


class World:
    """Briefs and creators of a topic each; their texts use other words for it, so that only outcomes tell who fits."""

    def __init__(self, briefs: int = 700, creators: int = 90, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.brief_topics, self.creator_topics = rng.integers(TOPICS, size=briefs), rng.integers(TOPICS, size=creators)
        self.creators = self._inputs(rng, self.creator_topics)
        self.briefs = self._inputs(rng, TOPICS + self.brief_topics)
        chosen = [(b, rng.choice(np.flatnonzero(self.creator_topics == t))) for b, t in enumerate(self.brief_topics)]
        self.pairs: Pairs = np.array(chosen, dtype=np.int64)

    @staticmethod
    def _inputs(rng: np.random.Generator, topics: npt.NDArray[np.int64]) -> Floats:
        text = one_hot(topics, TEXT) + 0.3 * rng.normal(size=(len(topics), TEXT))
        tags = one_hot(topics % TOPICS, TOPICS) * (topics < TOPICS)[:, None]  # only creators are tagged
        return np.hstack([unit(text), tags]).astype(np.float32)

    def fit(self, seed: int = 0, briefs: int = 600) -> Towers:
        """On the first ``briefs``; the others are never seen."""
        pairs = self.pairs[:briefs]
        rng = np.random.default_rng(seed)
        return fit_towers(self.briefs, self.creators, pairs, np.ones(len(pairs)), text_width=TEXT, rng=rng)

    def found(self, towers: Towers, briefs: slice, creators: Floats | None = None) -> float:
        """The share of briefs whose best creator is of their topic."""
        creators = towers.creators(self.creators if creators is None else creators)
        best = (towers.briefs(self.briefs[briefs]) @ creators.T).argmax(axis=1)
        return float((self.creator_topics[best] == self.brief_topics[briefs]).mean())


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def towers(world: World) -> Towers:
    return world.fit()


UNSEEN = slice(600, None)


def test_outcomes_teach_what_texts_do_not_say(world: World, towers: Towers) -> None:
    assert world.found(untrained(world.creators, TEXT), UNSEEN) < 0.5
    assert world.found(towers, UNSEEN) > 0.9


@pytest.mark.parametrize("missing", [slice(0, TEXT), slice(TEXT, None)], ids=["no text", "no tags"])
def test_creators_with_half_of_their_inputs_are_found_too(world: World, towers: Towers, missing: slice) -> None:
    halved = world.creators.copy()
    halved[:, missing] = 0
    assert world.found(towers, UNSEEN, halved) > 0.7


def test_vectors_have_length_one_and_nothing_stays_nothing(world: World, towers: Towers) -> None:
    assert towers.briefs(world.briefs).shape == (700, DIMENSION)
    assert towers.briefs(world.briefs).dtype == towers.creators(world.creators).dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(towers.creators(world.creators), axis=1), 1, rtol=1e-5)
    assert not towers.creators(np.zeros((1, TEXT + TOPICS), np.float32)).any()


def test_one_row_equals_its_row_of_a_batch(world: World, towers: Towers) -> None:
    batch = towers.creators(world.creators)
    np.testing.assert_allclose(towers.creators(world.creators[7:8])[0], batch[7], atol=1e-6)


def test_same_seed_same_bits_however_many_threads(world: World, towers: Towers) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        again = world.fit()
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(threads)
    assert again.brief.tobytes() == towers.brief.tobytes()
    assert again.creator.tobytes() == towers.creator.tobytes()
    assert again.history == towers.history
    assert world.fit(seed=1).brief.tobytes() != towers.brief.tobytes()


def test_saved_towers_are_the_same_towers(towers: Towers, tmp_path: Path) -> None:
    towers.save(tmp_path / "towers")
    loaded = Towers.load(tmp_path / "towers")
    assert loaded.brief.tobytes() == towers.brief.tobytes()
    assert loaded.creator.tobytes() == towers.creator.tobytes()
    assert loaded.history == towers.history


@pytest.mark.usefixtures("towers")
def test_inputs_stay_as_they_were(world: World) -> None:
    before = World()
    for name in ("briefs", "creators", "pairs"):
        np.testing.assert_array_equal(getattr(world, name), getattr(before, name))


def test_untrained_towers_are_the_raw_cosine_where_dimensions_allow(world: World) -> None:
    start = untrained(world.creators, TEXT)
    scale = np.r_[np.ones(TEXT), np.full(TOPICS, TAG_SCALE)]
    raw = unit(world.briefs * scale) @ unit(world.creators * scale).T
    np.testing.assert_allclose(start.briefs(world.briefs) @ start.creators(world.creators).T, raw, atol=1e-5)


def test_more_inputs_than_dimensions_keep_the_leading_directions() -> None:
    rng = np.random.default_rng(0)
    creators = rng.normal(size=(300, 200)) * np.r_[np.ones(40), np.full(160, 0.01)]
    start = untrained(creators.astype(np.float32), 200)
    raw = unit(creators) @ unit(creators).T
    np.testing.assert_allclose(start.creators(creators) @ start.creators(creators).T, raw, atol=0.02)


@pytest.mark.parametrize("briefs", [0, 1])
def test_towers_stay_untrained_where_nothing_can_be_held_out(world: World, briefs: int) -> None:
    fitted = world.fit(briefs=briefs)
    assert fitted.history == ()
    np.testing.assert_array_equal(fitted.creator, untrained(world.creators, TEXT).creator)


def wanted(world: World, pairs: Pairs) -> Wanted:
    weights = torch.ones(len(pairs))
    left, right = torch.tensor(pairs).T
    return Wanted(torch.tensor(world.briefs), torch.tensor(world.creators), left, right, weights, TEXT)


def ndcg(towers: Towers, world: World, pairs: Pairs) -> float:
    """By definition: 1 / log2(1 + rank) of each pair's creator among all."""
    cosines = towers.briefs(world.briefs) @ towers.creators(world.creators).T
    ranks = [(cosines[brief] >= cosines[brief, creator]).sum() for brief, creator in pairs]
    return float(np.mean([1 / np.log2(1 + rank) for rank in ranks]))


def test_history_starts_untrained_and_the_best_epoch_is_kept(world: World) -> None:
    start = untrained(world.creators, TEXT)
    held = np.arange(len(world.pairs)) >= 600
    (brief, creator), history = train((start.brief, start.creator), wanted(world, world.pairs), held, seed=0)
    assert history[0] == pytest.approx(ndcg(start, world, world.pairs[held]), abs=0.01)
    assert max(history) == pytest.approx(ndcg(Towers(brief, creator), world, world.pairs[held]), abs=0.01)


def test_training_that_only_hurts_is_thrown_away(world: World) -> None:
    """The held-out briefs want who resembles them, the others want anyone: nothing learnt is better than the start."""
    rng = np.random.default_rng(0)
    start = untrained(world.creators, TEXT)
    nearest = (start.briefs(world.briefs) @ start.creators(world.creators).T).argmax(axis=1)
    anyone = rng.integers(len(world.creators), size=len(nearest))
    held = np.arange(len(nearest)) >= 600
    pairs = np.stack([np.arange(len(nearest)), np.where(held, nearest, anyone)], axis=1)
    sides, history = train((start.brief, start.creator), wanted(world, pairs), held, seed=0)
    assert history[0] == max(history) > min(history)
    for side, before in zip(sides, (start.brief, start.creator), strict=True):
        np.testing.assert_array_equal(side, before)


def test_no_creator_a_brief_wanted_is_its_negative(world: World) -> None:
    everyone = np.stack([np.zeros(90, np.int64), np.arange(90)], axis=1)
    start = untrained(world.creators, TEXT)
    sides = [torch.tensor(start.brief), torch.tensor(start.creator)]
    loss = sampled_softmax(sides, wanted(world, everyone), torch.Generator().manual_seed(0))
    assert float(loss(torch.arange(90))) == 0
    loss = sampled_softmax(sides, wanted(world, everyone[:89]), torch.Generator().manual_seed(0))
    assert float(loss(torch.arange(89))) > 0


def test_candidates_count_by_how_often_they_are_expected() -> None:
    """A brief that says nothing wants creator 1; 99 of the 100 pairs want creator 0. About 1 + 256 / 2 candidates are
    creator 0, each expected 256 × 0.99 + 256 / 2 times, and creator 1 256 × 0.01 + 256 / 2 times."""
    briefs, creators = torch.tensor([[0.0], [1.0]]), torch.ones(2, 1)
    left, right = torch.tensor([0] + [1] * 99), torch.tensor([1] + [0] * 99)
    pairs = Wanted(briefs, creators, left, right, torch.tensor([1.0] + [0.0] * 99), text_width=1)
    loss = sampled_softmax([torch.ones(1, 1), torch.ones(1, 1)], pairs, torch.Generator().manual_seed(0))
    assert float(loss(torch.tensor([0, 1]))) == pytest.approx(np.log1p(129 * 130.56 / 381.44), abs=0.15)


def test_the_often_wanted_come_first_among_equals() -> None:
    creators = np.hstack([np.ones((8, 1)), np.eye(8)]).astype(np.float32)
    briefs = np.tile(np.r_[1.0, np.zeros(8)], (510, 1)).astype(np.float32)
    right = np.repeat(np.arange(8), [256, 128, 64, 32, 16, 8, 4, 2])
    pairs = np.stack([np.arange(510), right], axis=1)
    towers = fit_towers(briefs, creators, pairs, np.ones(510), text_width=1, rng=np.random.default_rng(0))
    scores = towers.briefs(briefs[:1]) @ towers.creators(creators).T
    assert scores[0].argsort()[::-1][:4].tolist() == [0, 1, 2, 3]


def test_serving_towers_needs_no_torch() -> None:
    code = "import sys, models.towers; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
