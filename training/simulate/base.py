"""What every part of the simulation shares: the clock, ids, categorical draws and frames of the contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import schema
from training.world import TOPICS, World, material

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]

TOPIC_NAMES = tuple(material(TOPICS))
SUBTOPICS = 4  # per topic


@dataclass(frozen=True)
class Clock:
    """Time as float days since the first day of the burn-in; the horizon is [``start``, ``stop``)."""

    zero: pd.Timestamp
    start: int
    stop: int

    @property
    def days(self) -> int:
        """Days of the horizon."""
        return self.stop - self.start

    def at(self, days: npt.ArrayLike) -> npt.NDArray[np.datetime64]:
        """Moments as datetime64[us], to the second below; NaN becomes NaT."""
        seconds = np.floor(np.asarray(days, dtype=np.float64) * 86_400)
        whole = np.nan_to_num(seconds).astype("timedelta64[s]")
        return np.where(np.isnan(seconds), np.datetime64("NaT"), np.datetime64(self.zero, "us") + whole)

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Every simulated day, burn-in included."""
        return pd.date_range(self.zero, periods=self.stop, unit="us")


def clock(world: World, days: int) -> Clock:
    """The clock of a horizon of ``days`` that ends with the world's last day."""
    burn_in = world.daily.burn_in
    zero = pd.Timestamp(world.end) - pd.Timedelta(days=burn_in + days - 1)
    return Clock(zero, burn_in, burn_in + days)


def by_country(world: World, attribute: str) -> npt.NDArray[Any]:
    """That attribute of every country, in the world's order: floats, or words as objects."""
    values = [getattr(country, attribute) for country in world.countries]
    return np.array(values, dtype=object if isinstance(values[0], str) else np.float64)


def homes(world: World, count: int, rng: np.random.Generator) -> Ints:
    """A country index for each of ``count``, by weight."""
    weights = by_country(world, "weight")
    return rng.choice(len(weights), count, p=weights / weights.sum())


def names(prefix: str, count: int) -> Words:
    """Ids such as ``c000012``."""
    return np.array([f"{prefix}{number:06d}" for number in range(count)], dtype=object)


def draw(weights: Floats, rng: np.random.Generator) -> Ints:
    """One column index per row of ``weights`` (n, k), in proportion to them."""
    edges = np.cumsum(weights, axis=1)
    return (edges < rng.random(len(weights))[:, None] * edges[:, -1:]).sum(axis=1)


def masked(values: npt.ArrayLike, missing: Flags) -> pd.Series:
    """The values with NaN or None where ``missing``."""
    return pd.Series(values).mask(missing)


def logistic(logit: npt.ArrayLike) -> Floats:
    """1 / (1 + exp(-logit))."""
    return 1 / (1 + np.exp(-np.asarray(logit, dtype=np.float64)))


def standard(values: Floats) -> Floats:
    """The values with mean 0 and standard deviation 1; all 0 where they do not differ."""
    return (values - values.mean()) / max(float(values.std()), 1e-9)


def frame(table: schema.Table, columns: Mapping[str, Any]) -> pd.DataFrame:
    """A frame of that contract table, every column in its dtype."""
    return schema.conform(pd.DataFrame(dict(columns)), table)
