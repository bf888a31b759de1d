"""A column of texts as numbers, so that what is asked of a text is asked of each word once."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

Places = npt.NDArray[np.intp]


class Numbered(NamedTuple):
    """The ``words`` of a column, and for each row (n,) the place of its own; -1 where it is missing."""

    places: Places
    words: pd.Index

    @classmethod
    def of(cls, column: pd.Series) -> Self:
        """From texts."""
        return cls(*pd.factorize(column))

    def are(self, wanted: Collection[str]) -> npt.NDArray[np.bool_]:
        """(n,) whether the row's word is one of these."""
        return np.array([*(word in wanted for word in self.words), False])[self.places]

    def each(self, values: Mapping[str, float], missing: float) -> npt.NDArray[np.float64]:
        """(n,) the value of the row's word, ``missing`` where it has none."""
        return np.array([*(values.get(word, missing) for word in self.words), missing])[self.places]


def numbered_together(*columns: pd.Series) -> Places:
    """(n,) a number for each combination of words; -1 where one is missing."""
    found = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        places, words = Numbered.of(column)
        found = np.where((found < 0) | (places < 0), -1, found * len(words) + places)
    return found


def last_known(group: Places, known: npt.NDArray[np.bool_]) -> Places:
    """(n,) the last row at or above each one that is ``known`` and of its ``group``; -1 where there is none, and for
    rows of no group (-1)."""
    order = np.argsort(group, kind="stable")
    sorted_group, place = group[order], np.arange(len(group))
    starts = np.searchsorted(sorted_group, sorted_group)
    last = np.maximum.accumulate(np.where(known[order], place, -1)) if len(group) else place
    found = np.full(len(group), -1)
    there = (last >= starts) & (sorted_group >= 0)
    found[order[there]] = order[last[there]]
    return found
