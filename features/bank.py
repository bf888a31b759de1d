"""Every text of a run, embedded and counted once, so that states at many dates share the work."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from features.lexical import BUCKETS, term_counts
from features.text import EmbeddingCache, Encoder, embed

Floats = npt.NDArray[np.float32]


class TextBank:
    """Embeddings (n, d) and hashed term counts (n, BUCKETS) of texts, looked up by text; new texts are added on demand."""

    def __init__(self, encoder: Encoder, cache: EmbeddingCache | None = None, progress: bool = False) -> None:
        self.encoder, self._cache, self._progress = encoder, cache, progress
        self._rows: dict[str, int] = {}
        self._vectors = np.zeros((0, 0), np.float32)
        self._counts = term_counts([])

    def add(self, texts: Iterable[str]) -> None:
        """Embeds and counts the texts that are new."""
        new = list(dict.fromkeys(text for text in texts if text not in self._rows))
        if not new:
            return
        vectors = embed(new, self.encoder, self._cache, self._progress)
        self._vectors = np.vstack([self._vectors, vectors]) if len(self._rows) else vectors
        self._counts = sparse.csr_matrix(sparse.vstack([self._counts, term_counts(new)]))
        self._rows |= {text: row for row, text in enumerate(new, start=len(self._rows))}

    def pooled(self, groups: Sequence[Sequence[str]]) -> tuple[Floats, sparse.csr_matrix]:
        """Per group of texts the unit mean vector (n, d) and the summed term counts (n, BUCKETS); zeros for no text."""
        self.add(text for group in groups for text in group)
        if not self._rows:
            return np.zeros((len(groups), self.dimension), np.float32), sparse.csr_matrix((len(groups), BUCKETS))
        lengths = [len(group) for group in groups]
        columns = [self._rows[text] for group in groups for text in group]
        rows = np.repeat(np.arange(len(groups)), lengths)
        member = sparse.csr_matrix((np.ones(len(columns), np.float32), (rows, columns)), (len(groups), len(self._rows)))
        return unit(np.asarray(member @ self._vectors)), sparse.csr_matrix(member @ self._counts)

    @property
    def dimension(self) -> int:
        """The encoder's width d."""
        return self._vectors.shape[1] or embed(["a"], self.encoder, self._cache).shape[1]


def unit(matrix: npt.NDArray[np.floating]) -> Floats:
    """Rows scaled to length 1; rows of zeros stay."""
    norms = np.linalg.norm(matrix, axis=-1, keepdims=True)
    return np.divide(matrix, norms, out=np.zeros_like(matrix), where=norms > 0).astype(np.float32)


def groups_of(texts: "pd.Series[object]", ids: pd.Index) -> list[list[str]]:
    """The lists of texts in the order of ``ids``; an id without any gets an empty list."""
    return [list(group) if isinstance(group, list) else [] for group in texts.reindex(ids)]
