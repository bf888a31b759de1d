"""Two towers: linear projections of briefs and creators into one space, learned from whom briefs wanted.

Both start from the same projection, so that untrained towers are nearly the raw cosine of text and tags together;
training (:mod:`models.tower_training`) is kept only where it does better on briefs held out.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from features.bank import unit

Floats = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.int64]
DIMENSION = 64
HELD_OUT = 0.1
TAG_SCALE = 0.3  # of tags beside a text vector of length 1


@dataclass(frozen=True)
class Towers:
    """Projections ``brief`` (q, dimension) and ``creator`` (p, dimension).

    ``history`` is the held-out NDCG by epoch, first that of the untrained towers; the projections are its best's.
    """

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


def untrained(creator_inputs: Floats, text_width: int) -> Towers:
    """Towers whose dot product is the raw cosine of text and scaled tags, as near as so few dimensions allow: the
    leading principal directions of the creators' inputs (Eckart and Young, 1936)."""
    width = creator_inputs.shape[1]
    scale = np.where(np.arange(width) < text_width, 1.0, TAG_SCALE).astype(np.float32)
    scaled = creator_inputs * scale
    _, directions = np.linalg.eigh(scaled.T @ scaled)  # ascending eigenvalues
    projection = np.zeros((width, DIMENSION), np.float32)
    projection[:, :width] = scale[:, None] * directions[:, ::-1][:, :DIMENSION]
    return Towers(projection, projection)


def fit_towers(
    brief_inputs: Floats, creator_inputs: Floats, pairs: Pairs, weights: npt.NDArray[np.float64], *, text_width: int,
    rng: np.random.Generator,
) -> Towers:  # fmt: skip
    """Fits on ``pairs`` (k, 2) of rows into the inputs (m, q) and (n, p), each with a positive weight.

    The first ``text_width`` inputs of both sides are the text vector. Without pairs of at least two briefs nothing can
    be held out, and the towers stay untrained. Same arguments and seed, same bits.
    """
    start = untrained(creator_inputs, text_width)
    left, right = np.asarray(pairs, dtype=np.int64).reshape(-1, 2).T
    briefs = rng.permutation(np.unique(left))
    held = np.isin(left, briefs[: max(1, int(HELD_OUT * len(briefs)))])
    if held.all():
        return start
    import torch

    from models.tower_training import Wanted, train

    wanted = Wanted(
        torch.from_numpy(brief_inputs), torch.from_numpy(creator_inputs), torch.tensor(left), torch.tensor(right),
        torch.tensor(weights, dtype=torch.float32), text_width,
    )  # fmt: skip
    (brief, creator), history = train((start.brief, start.creator), wanted, held, int(rng.integers(2**31)))
    return Towers(brief, creator, history)
