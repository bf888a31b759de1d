"""Engagements as numbers: who acted on whom and when, and the sparse matrices made of that."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from features import columns as c

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Acts:
    """m engagements in the order of time: ``account`` (m,) and ``creator`` (m,) are places in ``accounts`` and
    ``creators``, which are sorted, ``second`` (m,) seconds since 1970, ``row`` (m,) the place among the rows it came
    from."""

    account: Ints
    creator: Ints
    second: Ints
    row: Ints
    accounts: pd.Index
    creators: pd.Index

    @classmethod
    def of(cls, events: pd.DataFrame) -> "Acts":
        """From rows of ``engagements``; their order does not matter."""
        account, accounts = pd.factorize(events[c.ACCOUNT_ID], sort=True)
        creator, creators = pd.factorize(events[c.CREATOR_ID], sort=True)
        second = events[c.EVENT_TIME].to_numpy().astype("datetime64[s]").astype(np.int64)
        order = np.lexsort((creator, account, second))
        return cls(account[order], creator[order], second[order], order, pd.Index(accounts), pd.Index(creators))

    def part(self, chosen: Flags | Ints) -> "Acts":
        """The ``chosen`` engagements, by flags (m,) or places; places of accounts and creators mean the same."""
        columns = (self.account[chosen], self.creator[chosen], self.second[chosen], self.row[chosen])
        return Acts(*columns, self.accounts, self.creators)

    def matrix(self) -> sparse.csr_matrix:
        """(accounts, creators) 1 where an account ever acted on a creator."""
        return ones(self.account, self.creator, (len(self.accounts), len(self.creators)))


def ones(row: Ints, column: Ints, shape: tuple[int, int]) -> sparse.csr_matrix:
    """The 0/1 matrix with a one at each (row, column), however often it is named."""
    matrix = sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=shape)
    matrix.data[:] = 1
    return matrix


def crowded(row: Ints, column: Ints, rows: int, most: int) -> sparse.csr_matrix:
    """(rows, columns) ones, where a column with more than ``most`` entries is cut into pieces of ``most`` consecutive
    ones, so that in a crowd acting together means acting next to each other.

    Entries come in the order of time. A product of such a matrix with its transpose costs at most ``most`` times its
    entries: this keeps growth linear where hubs would make it quadratic.
    """
    order = np.argsort(column, kind="stable")
    sizes = np.bincount(column)
    place = np.empty_like(column)
    place[order] = np.arange(len(column)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    pieces = (sizes + most - 1) // most
    piece = (np.cumsum(pieces) - pieces)[column] + place // most
    return ones(row, piece, (rows, int(pieces.sum())))


def together(incidence: sparse.csr_matrix, least: int, chunk: int = 20_000) -> sparse.csr_matrix:
    """(rows, rows) how many columns two different rows have in common, where at least ``least``; made ``chunk`` rows at
    a time, so that memory holds what is kept and not every pair that ever met."""
    other = incidence.T.tocsr()
    parts = [
        _common(incidence[start : start + chunk], other, start, least)
        for start in range(0, max(incidence.shape[0], 1), chunk)
    ]
    return sparse.csr_matrix(sparse.vstack(parts, format="csr"))


def _common(rows: sparse.csr_matrix, other: sparse.csr_matrix, start: int, least: int) -> sparse.csr_matrix:
    found = (rows @ other).tocoo()
    kept = (found.data >= least) & (found.row + start != found.col)
    return sparse.csr_matrix((found.data[kept], (found.row[kept], found.col[kept])), shape=found.shape)


def connected(links: sparse.csr_matrix, fewest: int) -> list[Ints]:
    """The places of each connected part of at least ``fewest``."""
    count, label = connected_components(links, directed=False)
    sizes = np.bincount(label, minlength=count)
    parts = np.split(np.argsort(label, kind="stable"), np.cumsum(sizes)[:-1])
    return [part for part in parts if len(part) >= fewest]
