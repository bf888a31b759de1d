"""What filters, sorts and lists read of every creator: columns of numbers and words, one array each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from features import columns as c
from features.audience import Shares
from features.recent import Recent
from features.state import State
from features.tags import Lists, Words
from models.bitmaps import Bits, Verdict, packed

MEASURED = (c.FOLLOWERS_COUNT, c.MEDIAN_VIEWS, c.ENGAGEMENT_RATE, "credit_score", "fraud_probability")
MOST_VERDICTS = 64  # of a quarter of a megabyte where there are a million creators
PRICE_USD = "creator_price_usd"  # prices are compared in US dollars, whatever currency a creator asks in


@dataclass(frozen=True)
class Listing:
    """The columns of n creators by name; ``audience`` by dimension."""

    size: int
    words: Mapping[str, Words]
    lists: Mapping[str, Lists]
    numbers: Mapping[str, npt.NDArray[np.float64]]
    audience: Mapping[str, Shares]

    @classmethod
    def of(cls, state: State) -> "Listing":
        """The listing of a state's creators, in their order."""
        asked = state.prices.default
        words = {
            c.COUNTRY_CODE: state.countries, c.LANGUAGE: state.languages, c.CURRENCY: asked.currencies,
            c.ONBOARDING_STATUS: state.statuses,
        }  # fmt: skip
        measured = {name: np.ascontiguousarray(state.frame[name].to_numpy()) for name in MEASURED}
        numbers = measured | {c.CREATOR_PRICE: asked.amounts, PRICE_USD: asked.usd}
        return cls(len(state.ids), words, state.lists, numbers, state.audience)

    @cached_property
    def unknown(self) -> Mapping[str, Bits]:
        """Whose number is not known, by name."""
        return {name: packed(np.isnan(values)) for name, values in self.numbers.items()}

    @cached_property
    def verdicts(self) -> Recent[Verdict]:
        """What filters that were given lately said of everyone, by name and value."""
        return Recent(MOST_VERDICTS)

    def summary(self, row: int) -> dict[str, Any]:
        """What a list shows of one creator, as JSON values."""
        numbers = {name: _number(values[row]) for name, values in self.numbers.items() if name != PRICE_USD}
        words = {name: words.word(row) for name, words in self.words.items()}
        return words | {name: lists.row(row) for name, lists in self.lists.items()} | numbers


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
