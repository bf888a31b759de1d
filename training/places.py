"""The countries of the simulated marketplace: a part of the parameters in :mod:`training.world`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """``rate``: US dollars per unit of ``currency``; ``weight``: share of creators; ``price``: level of fees, US =
    1."""

    code: str
    language: str
    currency: str
    rate: float
    weight: float
    price: float


# Weights: a global short-video platform, no country above a sixth. Rates: rounded 2025 averages. Fees: between the
# ratio of incomes and parity, because brands buy across borders.
COUNTRIES = (
    Country("US", "en", "USD", 1.0, 0.14, 1.0), Country("GB", "en", "GBP", 1.3, 0.05, 0.9),
    Country("CA", "en", "CAD", 0.72, 0.03, 0.85), Country("IN", "en", "INR", 0.0117, 0.06, 0.35),
    Country("PH", "en", "PHP", 0.0175, 0.04, 0.35), Country("CN", "zh", "CNY", 0.14, 0.08, 0.7),
    Country("TW", "zh", "TWD", 0.031, 0.04, 0.7), Country("MX", "es", "MXN", 0.053, 0.07, 0.5),
    Country("ES", "es", "EUR", 1.1, 0.04, 0.8), Country("AR", "es", "ARS", 0.0009, 0.03, 0.4),
    Country("CO", "es", "COP", 0.00024, 0.03, 0.4), Country("BR", "pt", "BRL", 0.18, 0.10, 0.5),
    Country("PT", "pt", "EUR", 1.1, 0.02, 0.7), Country("JP", "ja", "JPY", 0.0067, 0.08, 0.85),
    Country("SA", "ar", "SAR", 0.267, 0.04, 0.85), Country("EG", "ar", "EGP", 0.02, 0.04, 0.35),
    Country("AE", "ar", "AED", 0.272, 0.02, 0.95), Country("ID", "id", "IDR", 0.000061, 0.09, 0.4),
)  # fmt: skip
