"""Two towers: linear projections of briefs and creators into one space, learned from whom briefs wanted.

In-batch sampled softmax with the log-frequency correction of Yi et al. (RecSys 2019): without it, creators who are often
positives would be punished as often as negatives. Both sides start from the same projection, so that untrained towers are
the raw cosine of text plus shared tags; training is kept only where it beats that on held-out pairs.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from features.bank import unit

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.int64]
DIMENSION = 64
TEMPERATURE = 0.1
EPOCHS = 30
PATIENCE = 4
BATCH = 256
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
DROPOUT = 0.2  # whole text or tag block of a creator, so that one without text still finds its place
HELD_OUT = 0.1
TAG_SCALE = 0.3


@dataclass(frozen=True)
class Towers:
    """``brief`` (q, dimension) and ``creator`` (p, dimension) projections; ``history`` is the held-out loss by epoch."""

    brief: Floats
    creator: Floats
    history: tuple[float, ...] = ()

    def briefs(self, inputs: Floats) -> Floats:
        """(m, dimension) unit vectors of briefs."""
        return unit(inputs @ self.brief)

    def creators(self, inputs: Floats) -> Floats:
        """(n, dimension) unit vectors of creators."""
        return unit(inputs @ self.creator)

    def save(self, folder: Path) -> None:
        """Writes ``towers.npz`` and ``history.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "towers.npz", brief=self.brief, creator=self.creator)
        (folder / "history.json").write_text(json.dumps(self.history))

    @classmethod
    def load(cls, folder: Path) -> "Towers":
        """Reads what :meth:`save` wrote."""
        with np.load(folder / "towers.npz", allow_pickle=False) as arrays:
            brief, creator = arrays["brief"], arrays["creator"]
        return cls(brief, creator, tuple(json.loads((folder / "history.json").read_text())))


def untrained(creator_inputs: Floats, text_width: int, rng: np.random.Generator) -> Towers:
    """Towers whose dot product is nearly the raw cosine: the leading directions of the creators' texts, and tags mapped alike."""
    text = creator_inputs[:, :text_width]
    _, _, directions = np.linalg.svd(text.T @ text)
    tags = rng.normal(size=(creator_inputs.shape[1] - text_width, DIMENSION)) / np.sqrt(DIMENSION)
    projection = np.vstack([directions[:DIMENSION].T, TAG_SCALE * tags]).astype(np.float32)
    return Towers(projection, projection)


def fit_towers(
    brief_inputs: Floats, creator_inputs: Floats, pairs: Pairs, weights: npt.NDArray[np.float64], *, text_width: int,
    rng: np.random.Generator,
) -> Towers:  # fmt: skip
    """Fits on ``pairs`` (k, 2) of rows into the inputs (m, q) and (n, p), each with a positive weight.

    The first ``text_width`` inputs of both sides are the text vector. Same arguments and seed, same bits.
    """
    start = untrained(creator_inputs, text_width, rng)
    held = np.isin(pairs[:, 0], rng.permutation(np.unique(pairs[:, 0]))[: max(1, int(HELD_OUT * len(brief_inputs)))])
    if held.all() or not held.any():
        return start
    return _train(start, brief_inputs, creator_inputs, pairs, weights, held, text_width, int(rng.integers(2**31)))


def _train(
    start: Towers, brief_inputs: Floats, creator_inputs: Floats, pairs: Pairs, weights: npt.NDArray[np.float64],
    held: npt.NDArray[np.bool_], text_width: int, seed: int,
) -> Towers:  # fmt: skip
    import torch  # half a gigabyte that serving never needs

    generator = torch.Generator().manual_seed(seed)
    sides = [torch.nn.Parameter(torch.from_numpy(side.copy())) for side in (start.brief, start.creator)]
    briefs, creators = torch.from_numpy(brief_inputs), torch.from_numpy(creator_inputs)
    frequency = torch.from_numpy(np.log(np.bincount(pairs[:, 1], minlength=len(creators)).clip(1) / len(pairs))).float()
    positive = {(int(brief), int(creator)) for brief, creator in pairs}

    def loss(rows: "torch.Tensor", dropout: float) -> "torch.Tensor":
        left, right = torch.from_numpy(pairs)[rows].T
        inputs = _drop_blocks(creators[right], text_width, dropout, generator)
        scores = _normal(briefs[left] @ sides[0]) @ _normal(inputs @ sides[1]).T / TEMPERATURE - frequency[right]
        hit = torch.tensor([[(int(i), int(j)) in positive for j in right] for i in left]) & ~torch.eye(
            len(rows), dtype=bool
        )
        each = torch.nn.functional.cross_entropy(
            scores.masked_fill(hit, -1e4), torch.arange(len(rows)), reduction="none"
        )
        weight = torch.from_numpy(weights)[rows].float()
        return (each * weight).sum() / weight.sum()

    optimizer = torch.optim.AdamW(sides, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    train, test = torch.from_numpy(np.flatnonzero(~held)), torch.from_numpy(np.flatnonzero(held))

    def epoch() -> None:
        for rows in train[torch.randperm(len(train), generator=generator)].split(BATCH):
            optimizer.zero_grad()
            loss(rows, DROPOUT).backward()
            optimizer.step()

    def held_out() -> float:
        with torch.no_grad():
            return float(loss(test[: 4 * BATCH], 0.0))

    best, history = _until_no_better(epoch, held_out, lambda: [side.detach().numpy().copy() for side in sides])
    return Towers(*best, history)


def _drop_blocks(inputs: "torch.Tensor", text_width: int, share: float, generator: "torch.Generator") -> "torch.Tensor":
    """Zeroes the text or the tags of a ``share`` of rows each, never both."""
    import torch

    draw = torch.rand(len(inputs), 1, generator=generator)
    text, tags = inputs[:, :text_width], inputs[:, text_width:]
    return torch.hstack([text * (draw >= share), tags * (draw < 1 - share)])


def _normal(vectors: "torch.Tensor") -> "torch.Tensor":
    return vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-6)


def _until_no_better(
    epoch: Callable[[], None], held_out: Callable[[], float], weights: Callable[[], list[Floats]]
) -> tuple[list[Floats], tuple[float, ...]]:
    """Runs epochs until the held-out loss has not fallen for PATIENCE of them; the best weights (the start's included)."""
    best, history = weights(), [held_out()]
    while len(history) <= EPOCHS and len(history) - int(np.argmin(history)) <= PATIENCE:
        epoch()
        history.append(held_out())
        if history[-1] == min(history):
            best = weights()
    return best, tuple(history)
