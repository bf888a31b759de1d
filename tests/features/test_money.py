import pandas as pd

from features import columns as c
from features.money import latest_rates, to_usd

RATES = pd.DataFrame(
    {
        c.CURRENCY: ["EUR", "EUR", "EUR", "BRL", "JPY"],
        c.DATE: pd.to_datetime(["2026-01-03", "2026-01-01", "2026-01-05", "2026-01-01", "2026-01-01"]),
        c.USD: [1.2, 1.1, 9.9, 0.2, 0.0],
    }
)
AS_OF = pd.Timestamp("2026-01-04")


def test_amounts_are_compared_at_the_latest_known_rate() -> None:
    amount = pd.Series([10.0, 10.0, 10.0, 10.0, 10.0, 10.0, None], index=list("abcdefg"))
    currency = pd.Series(["EUR", "BRL", "USD", "JPY", "XOF", None, "EUR"], index=list("abcdefg"))
    expected = pd.Series([12.0, 2.0, 10.0, None, None, None, None], index=list("abcdefg"))
    pd.testing.assert_series_equal(to_usd(amount, currency, latest_rates(RATES, AS_OF)), expected, check_names=False)


def test_a_rate_counts_from_its_date_on() -> None:
    amount, currency = pd.Series([1.0]), pd.Series(["EUR"])
    assert to_usd(amount, currency, latest_rates(RATES, pd.Timestamp("2026-01-01"))).tolist() == [1.1]
    assert to_usd(amount, currency, latest_rates(RATES, pd.Timestamp("2025-12-31"))).isna().all()


def test_without_rates_only_dollars_are_known() -> None:
    dollars = to_usd(pd.Series([3.0, 3.0]), pd.Series(["USD", "EUR"]), latest_rates(RATES.head(0), AS_OF))
    assert dollars.fillna(-1).tolist() == [3.0, -1.0]


def test_inputs_stay_as_they_are() -> None:
    before = RATES.copy(deep=True)
    latest_rates(RATES, AS_OF)
    pd.testing.assert_frame_equal(RATES, before)
