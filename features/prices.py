"""What creators ask: for the content format a brief wants where they price it apart, else their default price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.money import latest_rates, to_usd
from features.schema import Tables

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """Prices of n creators: ``default`` and, by content format, what they ask for it; each frame (n rows) has amount,
    currency and usd, NaN where nothing is asked or no exchange rate is known."""

    default: pd.DataFrame
    formats: Mapping[str, pd.DataFrame]

    def usd(self, wanted: Sequence[str]) -> Values:
        """(n,) US dollars for the first of the ``wanted`` formats that a creator prices, else for anything."""
        prices = self.default["usd"].to_numpy(np.float64).copy()
        for frame in reversed(self._wanted(wanted)):
            asked = frame["amount"].notna().to_numpy()
            prices[asked] = frame["usd"].to_numpy(np.float64)[asked]
        return prices

    def asked(self, row: int, wanted: Sequence[str]) -> pd.Series:
        """Amount, currency and usd of one creator, chosen as in :meth:`usd`."""
        frames = [*self._wanted(wanted), self.default]
        return next(
            (frame.iloc[row] for frame in frames if pd.notna(frame["amount"].iloc[row])), self.default.iloc[row]
        )

    def _wanted(self, wanted: Sequence[str]) -> list[pd.DataFrame]:
        return [self.formats[name] for name in wanted if name in self.formats]


def build_prices(tables: Tables, creators: pd.DataFrame, as_of: pd.Timestamp) -> Prices:
    """The prices of ``creators`` (indexed by creator_id) in ``tables`` known at ``as_of``."""
    worth = latest_rates(tables["exchange_rates"], as_of)

    def frame(amount: pd.Series, currency: pd.Series) -> pd.DataFrame:
        return pd.DataFrame({"amount": amount, "currency": currency, "usd": to_usd(amount, currency, worth)})

    offers = tables["creator_prices"].drop_duplicates([c.CREATOR_ID, c.CONTENT_FORMAT], keep="last")
    by_format = {
        str(name): rows.set_index(c.CREATOR_ID)[[c.AMOUNT, c.CURRENCY]].reindex(creators.index)
        for name, rows in offers.groupby(c.CONTENT_FORMAT)
    }
    return Prices(
        default=frame(creators[c.CREATOR_PRICE], creators[c.CURRENCY]),
        formats={name: frame(rows[c.AMOUNT], rows[c.CURRENCY]) for name, rows in by_format.items()},
    )
