"""Where the contract's rows are, for answers about a few creators: in memory, or in a database that looks them up."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.asof import known_rows
from features.schema import ACCOUNTS, CONTRACT, ENGAGEMENTS, EXCHANGE_RATES, Complete, Tables, complete, empty


class Rows(Protocol):
    """The contract's rows at one moment; frames are conformed, and in any order."""

    def where(self, name: str, column: str, values: Collection[str]) -> pd.DataFrame:
        """The rows of the table ``name`` with one of ``values`` in ``column``."""

    def table(self, name: str) -> pd.DataFrame:
        """All of a table: for what is asked rarely."""


class Source(Protocol):
    """Where rows are read."""

    def reading(self) -> AbstractContextManager[Rows]:
        """The rows as they are when it begins, whatever is written meanwhile."""


class _Places(NamedTuple):
    """Where each of the ``words`` of a column stands: a creator costs what is known of it, not what is known of all."""

    words: pd.Index
    order: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]

    @classmethod
    def of(cls, column: pd.Series) -> Self:
        """Of a column of texts."""
        numbers, words = pd.factorize(column)
        order = np.argsort(numbers, kind="stable")
        return cls(pd.Index(words), order, np.searchsorted(numbers[order], np.arange(len(words) + 1)))

    def rows(self, values: Collection[str]) -> npt.NDArray[np.intp]:
        """The places of ``values``, in their order."""
        found = self.words.get_indexer(pd.Index(pd.unique(np.asarray([*values], dtype=object))))
        parts = [self.order[self.starts[one] : self.starts[one + 1]] for one in found[found >= 0]]
        return np.sort(np.concatenate([*parts, np.empty(0, np.intp)]))


class InMemory:
    """Tables that stay as they are."""

    def __init__(self, tables: Tables) -> None:
        self._tables = complete(tables)
        self._places: dict[tuple[str, str], _Places] = {}

    @contextmanager
    def reading(self) -> Iterator["InMemory"]:
        """Itself."""
        yield self

    def where(self, name: str, column: str, values: Collection[str]) -> pd.DataFrame:
        """See :class:`Rows`."""
        frame = self._tables[name]
        if (name, column) not in self._places:
            self._places[name, column] = _Places.of(frame[column])
        return frame.iloc[self._places[name, column].rows(values)].reset_index(drop=True)

    def table(self, name: str) -> pd.DataFrame:
        """See :class:`Rows`."""
        return self._tables[name]


@dataclass(frozen=True)
class Known:
    """Of ``rows`` what was known at ``as_of`` (:func:`features.asof.known`), undated ones as observed then."""

    rows: Rows
    as_of: pd.Timestamp

    def where(self, name: str, column: str, values: Collection[str]) -> pd.DataFrame:
        """See :class:`Rows`."""
        return known_rows(self.rows.where(name, column, values), CONTRACT[name], self.as_of, self.as_of)

    def table(self, name: str) -> pd.DataFrame:
        """See :class:`Rows`."""
        return known_rows(self.rows.table(name), CONTRACT[name], self.as_of, self.as_of)


def whole(rows: Rows) -> Tables:
    """Every table."""
    return complete({name: rows.table(name) for name in CONTRACT})


def about(rows: Rows, creator_ids: Sequence[str]) -> Tables:
    """Every table with the rows of these creators and with what else says something of them.

    That is every engagement of the accounts that engaged with them, the rows of these accounts, and the exchange
    rates; briefs, which are about no creator, are left out.
    """
    own = {
        name: rows.where(name, c.CREATOR_ID, creator_ids)
        for name, table in CONTRACT.items()
        if c.CREATOR_ID in table.names
    }
    own |= of_accounts(rows, own[ENGAGEMENTS.name][c.ACCOUNT_ID].unique())
    own[EXCHANGE_RATES.name] = rows.table(EXCHANGE_RATES.name)
    return Complete({name: own[name] if name in own else empty(table) for name, table in CONTRACT.items()})


class Own(Mapping[str, pd.DataFrame]):
    """The tables about creators with the rows of some of them alone, and the accounts behind their engagements; each is
    read when it is first asked for, as long as ``rows`` are open."""

    def __init__(self, rows: Rows, creator_ids: Collection[str]) -> None:
        self._rows, self._ids = rows, creator_ids
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """The table."""
        if name not in self._read:
            self._read[name] = self._looked_up(name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the contract's tables."""
        return iter(CONTRACT)

    def __len__(self) -> int:
        """How many they are."""
        return len(CONTRACT)

    def _looked_up(self, name: str) -> pd.DataFrame:
        if name == ACCOUNTS.name:
            return self._rows.where(name, c.ACCOUNT_ID, self[ENGAGEMENTS.name][c.ACCOUNT_ID].unique())
        return self._rows.where(name, c.CREATOR_ID, self._ids)


def of_accounts(rows: Rows, account_ids: Collection[str]) -> dict[str, pd.DataFrame]:
    """The tables ``engagements`` and ``accounts`` with all that is known of these accounts."""
    return {name: rows.where(name, c.ACCOUNT_ID, account_ids) for name in (ENGAGEMENTS.name, ACCOUNTS.name)}


def meeting(rows: Rows, creator_ids: Collection[str]) -> list[str]:
    """The creators with whom accounts engaged that engaged with these: what is known of one says something of them."""
    accounts = rows.where(ENGAGEMENTS.name, c.CREATOR_ID, creator_ids)[c.ACCOUNT_ID].unique()
    return list(rows.where(ENGAGEMENTS.name, c.ACCOUNT_ID, accounts)[c.CREATOR_ID].unique())
