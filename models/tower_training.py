"""The training of the two towers. Imports torch, half a gigabyte that serving never needs: import it only to train."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float32]
TEMPERATURE = 0.1
EPOCHS = 30
PATIENCE = 4
BATCH = 256
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-4
DROPOUT = 0.2  # whole text or tag block of a creator, so that one without text still finds its place


@dataclass(frozen=True)
class Wanted:
    """Who was wanted: inputs ``briefs`` (m, q) and ``creators`` (n, p), of which the first ``text_width`` are text;
    pairs of their rows ``left`` and ``right`` (k,) with ``weights`` (k,)."""

    briefs: torch.Tensor
    creators: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor
    weights: torch.Tensor
    text_width: int

    def log_frequency(self) -> torch.Tensor:
        """(n,) log of each creator's share of the pairs, which is its chance to be in a batch."""
        return (torch.bincount(self.right, minlength=len(self.creators)).clamp_min(1) / len(self.right)).log()

    def codes(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """A number for every pair of rows."""
        return left * len(self.creators) + right


def train(
    sides: Sequence[Floats], wanted: Wanted, held: npt.NDArray[np.bool_], seed: int
) -> tuple[list[Floats], tuple[float, ...]]:
    """The brief's and the creator's projections that do best on ``held`` (k,) pairs, starting from ``sides``, and the
    held-out loss by epoch."""
    generator = torch.Generator().manual_seed(seed)
    parameters = [torch.nn.Parameter(torch.tensor(side)) for side in sides]
    optimizer = torch.optim.AdamW(parameters, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    loss = _loss(parameters, wanted)
    learnt, test = torch.tensor(np.flatnonzero(~held)), torch.tensor(np.flatnonzero(held))[: 4 * BATCH]

    def epoch() -> None:
        for rows in torch.split(learnt[torch.randperm(len(learnt), generator=generator)], BATCH):
            optimizer.zero_grad()
            inputs = _drop_blocks(wanted.creators[wanted.right[rows]], wanted.text_width, generator)
            torch.autograd.backward(loss(rows, inputs))
            optimizer.step()

    def held_out() -> float:
        with torch.no_grad():
            return float(loss(test, wanted.creators[wanted.right[test]]))

    return _until_no_better(epoch, held_out, lambda: [side.detach().numpy().copy() for side in parameters])


def _loss(sides: Sequence[torch.Tensor], wanted: Wanted) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Weighted cross-entropy of finding a pair's creator among those of its batch, as a function of the pairs' rows and
    their creators' inputs. Other creators that the brief wanted as well are left out.
    """
    log_frequency = wanted.log_frequency()
    known = wanted.codes(wanted.left, wanted.right)

    def loss(rows: torch.Tensor, creators: torch.Tensor) -> torch.Tensor:
        left, right = wanted.left[rows], wanted.right[rows]
        cosines = _unit(wanted.briefs[left] @ sides[0]) @ _unit(creators @ sides[1]).T
        also_wanted = torch.isin(wanted.codes(left[:, None], right), known).fill_diagonal_(False)
        scores = (cosines / TEMPERATURE - log_frequency[right]).masked_fill(also_wanted, -torch.inf)
        each = torch.nn.functional.cross_entropy(scores, torch.arange(len(rows)), reduction="none")
        return (each * wanted.weights[rows]).sum() / wanted.weights[rows].sum()

    return loss


def _drop_blocks(inputs: torch.Tensor, text_width: int, generator: torch.Generator) -> torch.Tensor:
    """Zeroes the text of a share DROPOUT of the rows and the tags of another, never both."""
    draw = torch.rand(len(inputs), 1, generator=generator)
    text, tags = inputs[:, :text_width], inputs[:, text_width:]
    return torch.hstack([text * (draw >= DROPOUT), tags * (draw < 1 - DROPOUT)])


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-6)


def _until_no_better(
    epoch: Callable[[], None], held_out: Callable[[], float], weights: Callable[[], list[Floats]]
) -> tuple[list[Floats], tuple[float, ...]]:
    """Runs epochs until the held-out loss has not fallen for PATIENCE of them; the best weights, be it the start's."""
    best, history = weights(), [held_out()]
    while len(history) <= EPOCHS and len(history) - int(np.argmin(history)) <= PATIENCE:
        epoch()
        history.append(held_out())
        if history[-1] < min(history[:-1]):
            best = weights()
    return best, tuple(history)
