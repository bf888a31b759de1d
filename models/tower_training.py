"""The training of the two towers. Imports torch, half a gigabyte that serving never needs: import it only to train.

Sampled softmax with the log-frequency correction of Yi et al. (RecSys 2019): without it, creators who are often wanted
would be punished as often as negatives. Negatives are the batch's other creators and, so that those nobody wanted yet
are learnt from too, some of the whole catalogue (mixed negative sampling, Yang et al., WWW 2020).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float32]
TEMPERATURE = 0.2
EPOCHS = 100  # patience ends most trainings long before
PATIENCE = 8
BATCH = 256
CATALOGUE_NEGATIVES = 256  # beside a batch
EPOCH = 50_000  # pairs at most between two looks at those held out
HELD = 2_000  # pairs held out that are looked at, at most: each is compared with the whole catalogue
LEARNING_RATE = 1e-3
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

    def log_expected(self) -> torch.Tensor:
        """(n,) log of how often each creator is expected among a full batch's candidates."""
        shares = torch.bincount(self.right, minlength=len(self.creators)) / len(self.right)
        return (BATCH * shares + CATALOGUE_NEGATIVES / len(self.creators)).log()

    def codes(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """A number for every pair of rows."""
        return left * len(self.creators) + right


def train(
    sides: Sequence[Floats], wanted: Wanted, held: npt.NDArray[np.bool_], seed: int
) -> tuple[list[Floats], tuple[float, ...]]:
    """The brief's and the creator's projections that do best on ``held`` (k,) pairs, starting from ``sides``, and the
    held-out NDCG by epoch."""
    generator = torch.Generator().manual_seed(seed)
    parameters = [torch.nn.Parameter(torch.tensor(side)) for side in sides]
    optimizer = torch.optim.AdamW(parameters, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    loss = sampled_softmax(parameters, wanted, generator)
    learnt, test = torch.tensor(np.flatnonzero(~held)), torch.tensor(np.flatnonzero(held))
    if len(test) > HELD:
        test = test[torch.randperm(len(test), generator=generator)[:HELD]]

    def epoch() -> None:
        for rows in torch.split(learnt[torch.randperm(len(learnt), generator=generator)[:EPOCH]], BATCH):
            optimizer.zero_grad()
            torch.autograd.backward(loss(rows))
            optimizer.step()

    with _one_thread():
        return _until_no_better(
            epoch,
            lambda: _ndcg(parameters, wanted, test),
            lambda: [side.detach().numpy().copy() for side in parameters],
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch, because the order of a sum, and so its last bits, depends on how many there are."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def sampled_softmax(
    sides: Sequence[torch.Tensor], wanted: Wanted, generator: torch.Generator
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Weighted cross-entropy of finding each pair's creator among the candidates, as a function of the pairs' rows.
    Other candidates that the brief wanted as well are left out.
    """
    log_expected = wanted.log_expected()
    known = torch.sort(wanted.codes(wanted.left, wanted.right)).values

    def loss(rows: torch.Tensor) -> torch.Tensor:
        drawn = torch.randint(len(wanted.creators), (CATALOGUE_NEGATIVES,), generator=generator)
        left, candidates = wanted.left[rows], torch.cat([wanted.right[rows], drawn])
        creators = _drop_blocks(wanted.creators[candidates], wanted.text_width, generator)
        cosines = _unit(wanted.briefs[left] @ sides[0]) @ _unit(creators @ sides[1]).T
        also_wanted = _among(wanted.codes(left[:, None], candidates), known).fill_diagonal_(False)
        scores = (cosines / TEMPERATURE - log_expected[candidates]).masked_fill(also_wanted, -torch.inf)
        each = torch.nn.functional.cross_entropy(scores, torch.arange(len(rows)), reduction="none")
        return (each * wanted.weights[rows]).sum() / wanted.weights[rows].sum()

    return loss


def _among(codes: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Which of ``codes`` are in ``known``, which is sorted: torch.isin would sort both at every call."""
    return known[torch.searchsorted(known, codes).clamp_max(len(known) - 1)] == codes


@torch.no_grad()
def _ndcg(sides: Sequence[torch.Tensor], wanted: Wanted, test: torch.Tensor) -> float:
    """Mean of 1 / log2(1 + rank) of each ``test`` pair's creator in the whole catalogue: its NDCG, were it the only one
    wanted. Ties rank it last, so that towers that tell nobody apart gain nothing."""
    creators = _unit(wanted.creators @ sides[1])
    gains = []
    for rows in torch.split(test, BATCH):
        cosines = _unit(wanted.briefs[wanted.left[rows]] @ sides[0]) @ creators.T
        ranks = (cosines >= cosines.gather(1, wanted.right[rows, None])).sum(dim=1)
        gains.append(1 / torch.log2(1 + ranks))
    return float(torch.cat(gains).mean())


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
    """Runs epochs until ``held_out`` has not risen for PATIENCE of them; the best weights, be it the start's."""
    best, history = weights(), [held_out()]
    while len(history) <= EPOCHS and len(history) - int(np.argmax(history)) <= PATIENCE:
        epoch()
        history.append(held_out())
        if history[-1] > max(history[:-1]):
            best = weights()
    return best, tuple(history)
