"""Amounts in different currencies, compared at the latest exchange rate known."""

from collections.abc import Mapping

import pandas as pd

from features import columns as c

US_DOLLAR = "USD"


def to_usd(amount: pd.Series, currency: pd.Series, worth: Mapping[str, float]) -> pd.Series:
    """Each amount in US dollars, by what one unit of its currency is ``worth`` (:func:`latest_rates`).

    Without a rate, a currency or an amount the answer is NaN. The index is that of ``amount``.
    """
    return amount * currency.map(worth).astype("float64").set_axis(amount.index)


def latest_rates(rates: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, float]:
    """Currency → US dollars for one unit, at its latest rate with ``date <= as_of``.

    ``rates`` is the table exchange_rates: ``usd`` is what one unit of ``currency`` is worth on ``date``; zero is no
    rate. The dollar is always 1.
    """
    usable = rates[(rates[c.DATE] <= as_of) & (rates[c.USD] > 0)].sort_values(c.DATE)
    latest = usable.drop_duplicates(c.CURRENCY, keep="last").set_index(c.CURRENCY)[c.USD]
    return {**latest, US_DOLLAR: 1.0}
