"""Every text of a run, embedded and counted once, so that states at many dates share the work."""

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from features.lexical import buckets, counted, words
from features.recent import Recent
from features.text import EmbeddingCache, Encoder, embed
from features.trace import stage

Floats = npt.NDArray[np.float32]
MOST_RECENT = 4096  # briefs, some ten kilobytes each


@dataclass(frozen=True, slots=True)
class Text:
    """A text's embedding (d,) and the buckets of its terms, a term that occurs twice standing there twice."""

    vector: Floats
    terms: npt.NDArray[np.int32]


class TextBank:
    """Embeddings and hashed terms of texts, looked up by text; new texts are added on demand.

    Threads may share a bank: what it holds never changes, it only grows.
    """

    def __init__(self, encoder: Encoder, cache: EmbeddingCache | None = None, progress: bool = False) -> None:
        self.encoder, self._cache, self._progress = encoder, cache, progress
        self._texts: MutableMapping[str, Text] = {}
        self.recent: Recent[Any] = Recent(MOST_RECENT)

    def passing(self) -> "TextBank":
        """Another bank that knows these texts too; what is added to it goes with it."""
        other = TextBank(self.encoder, self._cache, self._progress)
        other._texts = ChainMap({}, self._texts)
        return other

    def add(self, texts: Iterable[str]) -> None:
        """Embeds and counts the texts that are new."""
        self._texts.update(self._read(texts))

    def pooled(self, groups: Sequence[Sequence[str]]) -> tuple[Floats, sparse.csr_matrix]:
        """Per group of texts the unit mean vector (n, d) and the summed term counts (n, BUCKETS); zeros for no text.

        Equal groups give equal bits whatever else the bank holds.
        """
        self.add(text for group in groups for text in group)
        found = [[self._texts[text] for text in group] for group in groups]
        return self._mean_vectors([[text.vector for text in group] for group in found]), _summed_terms(found)

    def vectors(self, groups: Sequence[Sequence[str]]) -> Floats:
        """The vectors of :meth:`pooled`, of texts that are not added: a service that reads other people's texts all day
        would grow without end."""
        texts = list(dict.fromkeys(text for group in groups for text in group))
        known = {text: self._texts[text].vector for text in texts if text in self._texts}
        known |= self._embedded([text for text in texts if text not in known])
        return self._mean_vectors([[known[text] for text in group] for group in groups])

    @property
    def dimension(self) -> int:
        """The encoder's width d."""
        return self.encoder.get_embedding_dimension()

    def _read(self, texts: Iterable[str]) -> Mapping[str, Text]:
        new = list(dict.fromkeys(text for text in texts if text not in self._texts))
        return {text: Text(vector, buckets(words(text))) for text, vector in self._embedded(new).items()}

    def _embedded(self, new: Sequence[str]) -> Mapping[str, Floats]:
        if not new:
            return {}
        with stage("embed"):
            return dict(zip(new, embed(new, self.encoder, self._cache, self._progress), strict=True))

    def _mean_vectors(self, groups: Sequence[Sequence[Floats]]) -> Floats:
        sums = [np.add.reduce(group) for group in groups if group]
        vectors = np.zeros((len(groups), self.dimension), np.float32)
        vectors[[len(group) > 0 for group in groups]] = np.reshape(sums, (len(sums), self.dimension))
        return unit(vectors)


def unit(matrix: npt.NDArray[np.floating]) -> Floats:
    """Rows scaled to length 1; rows of zeros stay."""
    norms = np.linalg.norm(matrix, axis=-1, keepdims=True)
    return np.divide(matrix, norms, out=np.zeros_like(matrix), where=norms > 0).astype(np.float32)


def groups_of(texts: "pd.Series[object]", ids: pd.Index) -> list[list[str]]:
    """The lists of texts in the order of ``ids``; an id without any gets an empty list."""
    return [list(group) if isinstance(group, list) else [] for group in texts.reindex(ids)]


def _summed_terms(groups: Sequence[Sequence[Text]]) -> sparse.csr_matrix:
    return counted([np.concatenate([np.zeros(0, np.int32), *(text.terms for text in group)]) for group in groups])
