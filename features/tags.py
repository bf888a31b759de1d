"""Words of the catalogue's creators as numbers, so that a filter or a feature reads a million of them at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from features.picked import Picked

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
FEW = 16  # words


@dataclass(frozen=True)
class Words:
    """A word of each of n creators: its place (n,) among ``words``, -1 where there is none."""

    words: tuple[str, ...]
    places: npt.NDArray[np.signedinteger]

    @classmethod
    def of(cls, column: "pd.Series[str]") -> "Words":
        """Each different word once, as it is written."""
        places, words = pd.factorize(column)
        return cls(tuple(words), places.astype(np.int16 if len(words) < np.iinfo(np.int16).max else np.int32))

    @cached_property
    def unknown(self) -> Flags:
        """(n,) who has no word."""
        return self.places < 0

    def word(self, row: int) -> str | None:
        """The word of one creator."""
        place = self.places[row]
        return self.words[place] if place >= 0 else None

    def series(self, index: pd.Index) -> "pd.Series[str]":
        """The words as a column, NaN where there is none."""
        return pd.Series(np.array([*self.words, None], dtype=object)[self.places], index=index, dtype="str")

    def picked(self, rows: Rows) -> "Words":
        """The words of the creators in ``rows``."""
        return Words(self.words, self.places.take(rows))

    def having(self, test: Callable[[str], bool]) -> Flags:
        """(n,) whose word passes ``test``."""
        table = np.array([*map(test, self.words), False])  # the last is nobody's word, at -1
        if table.sum() > FEW:
            return table[self.places]
        found = np.zeros(len(self.places), bool)
        for place in np.flatnonzero(table):  # a few comparisons of everyone are cheaper than a look into the table
            found |= self.places == place
        return found


@dataclass(frozen=True)
class Lists:
    """A list of words of each of n creators: row ``i`` has ``places[ends[i] : ends[i + 1]]`` among ``words``."""

    words: tuple[str, ...]
    places: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, lists: Sequence[list[str]]) -> "Lists":
        """The lists as they are written."""
        places, words = pd.factorize(np.array([*chain.from_iterable(lists)], dtype=object))
        ends = np.cumsum([0, *map(len, lists)], dtype=np.int64)
        return cls(tuple(words), places.astype(np.int32), ends)

    @cached_property
    def empty(self) -> Flags:
        """(n,) who lists nothing."""
        return np.diff(self.ends) == 0

    def row(self, row: int) -> list[str]:
        """The list of one creator."""
        return [self.words[place] for place in self.places[self.ends[row] : self.ends[row + 1]]]

    def having(self, test: Callable[[str], bool]) -> Flags:
        """(n,) who lists a word that passes ``test``."""
        found = np.zeros(len(self.ends) - 1, bool)
        for place, word in enumerate(self.words):
            if test(word):
                found[self._owners.indices[slice(*self._owners.indptr[place : place + 2])]] = True
        return found

    @cached_property
    def _owners(self) -> sparse.csc_matrix:
        """Who lists each word: a scan of everyone's lists for every request would be slower than all else."""
        shape = (len(self.ends) - 1, len(self.words))
        return sparse.csr_matrix((np.ones(len(self.places), bool), self.places, self.ends), shape).tocsc()


@dataclass(frozen=True)
class Tags:
    """Multi-hot tags of n creators: ``matrix`` (n, t) with a column per word in lower case, rows of length 1."""

    columns: Mapping[str, int]
    matrix: sparse.csr_matrix

    @classmethod
    def of(cls, lists: Sequence[list[str]], columns: Mapping[str, int] | None = None) -> "Tags":
        """The tags of each creator, compared without regard to case; words that ``columns`` lack come after them."""
        groups = [sorted({word.lower() for word in words}) for words in lists]
        known = dict(columns or {})
        new = sorted({word for group in groups for word in group} - known.keys())
        columns = known | {word: len(known) + i for i, word in enumerate(new)}
        rows = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        values = np.repeat([1 / np.sqrt(max(len(group), 1)) for group in groups], [len(group) for group in groups])
        where = [columns[word] for group in groups for word in group]
        return cls(columns, sparse.csr_matrix((values, (rows, where)), (len(groups), len(columns))))

    def picked(self, rows: Rows) -> Picked:
        """The tags of the creators in ``rows``."""
        return Picked(self.matrix, rows)

    def cosine(self, words: Sequence[str], picked: Picked) -> npt.NDArray[np.float64]:
        """(k,) cosine between ``words`` and the tags of the creators ``picked``; NaN when no word is asked for."""
        wanted = {word.lower() for word in words}
        if not wanted:
            return np.full(len(picked.rows), np.nan)
        asked = np.zeros(len(self.columns))
        asked[[self.columns[word] for word in wanted if word in self.columns]] = 1
        return (picked @ asked) / np.sqrt(len(wanted))
