"""What creators ask: for the content format a brief wants where they price it apart, else their default price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.money import latest_rates, to_usd
from features.schema import Tables
from features.tags import Words

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """What n creators ask: ``amounts`` (n,) in their ``currencies`` and in US dollars (``usd``), NaN where nothing is
    asked or no exchange rate is known."""

    amounts: Values
    currencies: Words
    usd: Values

    @classmethod
    def of(cls, amount: pd.Series, currency: pd.Series, rates: Mapping[str, float]) -> "Asked":
        """The columns of a table; ``rates`` are US dollars for one unit."""
        usd = to_usd(amount, currency, rates)
        return cls(amount.to_numpy(np.float64), Words.of(currency), np.asarray(usd, np.float64))


@dataclass(frozen=True)
class Prices:
    """Prices of n creators: ``default`` and, by content format, what they ask for it."""

    default: Asked
    formats: Mapping[str, Asked]

    def usd(self, wanted: Sequence[str], rows: Rows) -> Values:
        """(k,) US dollars of the creators in ``rows`` for the first of the ``wanted`` formats that each prices, else
        for anything."""
        prices = self.default.usd.take(rows)
        for asked in reversed(self._wanted(wanted)):
            prices = np.where(np.isnan(asked.amounts.take(rows)), prices, asked.usd.take(rows))
        return prices

    def asked(self, row: int, wanted: Sequence[str]) -> tuple[float, str | None]:
        """Amount (NaN: none) and currency of one creator, chosen as in :meth:`usd`."""
        for one in [*self._wanted(wanted), self.default]:
            if not np.isnan(one.amounts[row]):
                return float(one.amounts[row]), one.currencies.word(row)
        return np.nan, None

    def _wanted(self, wanted: Sequence[str]) -> list[Asked]:
        return [self.formats[name] for name in wanted if name in self.formats]


def build_prices(tables: Tables, creators: pd.DataFrame, as_of: pd.Timestamp) -> Prices:
    """The prices of ``creators`` (indexed by creator_id) in ``tables`` known at ``as_of``."""
    rates = latest_rates(tables["exchange_rates"], as_of)
    offers = tables["creator_prices"].drop_duplicates([c.CREATOR_ID, c.CONTENT_FORMAT], keep="last")
    by_format = {
        str(name): rows.set_index(c.CREATOR_ID)[[c.AMOUNT, c.CURRENCY]].reindex(creators.index)
        for name, rows in offers.groupby(c.CONTENT_FORMAT)
    }
    return Prices(
        default=Asked.of(creators[c.CREATOR_PRICE], creators[c.CURRENCY], rates),
        formats={name: Asked.of(rows[c.AMOUNT], rows[c.CURRENCY], rates) for name, rows in by_format.items()},
    )
