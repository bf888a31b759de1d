"""Amounts in different currencies, compared at the latest exchange rate known."""

import pandas as pd

from features import columns as c

US_DOLLAR = "USD"


def to_usd(amount: pd.Series, currency: pd.Series, rates: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    """Each amount in US dollars at its currency's latest rate with ``date <= as_of``.

    ``rates`` is the table exchange_rates: ``usd`` is what one unit of ``currency`` is worth on ``date``. The dollar is
    always 1; without a rate, a currency or an amount the answer is NaN. The index is that of ``amount``.
    """
    return amount * _worth(currency, rates, as_of).set_axis(amount.index)


def _worth(currency: pd.Series, rates: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    """Dollars for one unit of each currency; a rate of zero is no rate."""
    usable = rates[(rates[c.DATE] <= as_of) & (rates[c.USD] > 0)].sort_values(c.DATE)
    latest = usable.drop_duplicates(c.CURRENCY, keep="last").set_index(c.CURRENCY)[c.USD]
    return currency.map({**latest, US_DOLLAR: 1.0}).astype("float64")
