"""A marketplace of any size, drawn from a small one: its creators again and again, with new names and other numbers."""

import numpy as np
import pandas as pd

from features import columns as c
from features.schema import Tables, complete

JITTER = 0.5  # standard deviation of ln, of what is counted and asked
MIXES = 5  # ways in which two bios make a third
NUMBERS = (c.FOLLOWERS_COUNT, c.LIKES_COUNT, c.MEDIAN_VIEWS, c.VIDEOS_COUNT, c.CREATOR_PRICE)
KEPT = ("exchange_rates", "briefs", "collaboration_events", "impressions", "creator_prices")


def expanded(tables: Tables, size: int, rng: np.random.Generator) -> Tables:
    """``size`` creators with audiences; the first ones are those of ``tables``, with all that these have done.

    Daily series, videos and engagements are left out: the catalogue does not hold them.
    """
    latest = tables["creators"].sort_values(c.OBSERVED_AT, kind="stable").drop_duplicates(c.CREATOR_ID, keep="last")
    place, round_ = np.arange(size) % len(latest), np.arange(size) // len(latest)
    creators = latest.iloc[place].reset_index(drop=True)
    creators[c.CREATOR_ID] = pd.Series(
        np.where(round_ == 0, creators[c.CREATOR_ID], [f"x{i:07}" for i in range(size)]), dtype="str"
    )
    factor = np.where(round_ == 0, 1.0, np.exp(rng.normal(0, JITTER, size)))
    for name in NUMBERS:
        creators[name] = (creators[name] * factor).round(2)
    bios = latest[c.BIO].fillna("").to_numpy()
    others = bios[(place + 37 * (round_ % MIXES)) % len(latest)]
    three = zip(bios[place], others, round_ % MIXES, strict=True)
    creators[c.BIO] = pd.Series([_mixed(one, other) if way else one for one, other, way in three], dtype="str")
    known = {name: tables[name] for name in KEPT}
    return complete(known | {"creators": creators, "audience": _audience(tables["audience"], latest, creators, place)})


def _mixed(one: str, other: str) -> str:
    """The first half of a bio and the second half of another."""
    first, second = one.split(), other.split()
    return " ".join(first[: len(first) // 2 + 1] + second[len(second) // 2 :])


def _audience(audience: pd.DataFrame, latest: pd.DataFrame, creators: pd.DataFrame, place: np.ndarray) -> pd.DataFrame:
    """Everyone's audience is that of the creator whom it was drawn from."""
    key = [c.CREATOR_ID, c.DIMENSION, c.BUCKET]
    known = audience.sort_values(c.OBSERVED_AT, kind="stable").drop_duplicates(key, keep="last")
    owner = pd.Index(latest[c.CREATOR_ID]).get_indexer(known[c.CREATOR_ID])
    order = np.argsort(owner, kind="stable")
    known, counts = known.iloc[order[(owner < 0).sum() :]], np.bincount(owner[owner >= 0], minlength=len(latest))
    starts, lengths = np.cumsum(counts) - counts, counts[place]
    rows = np.repeat(starts[place] - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
    own = known.iloc[rows].reset_index(drop=True)
    return own.assign(**{c.CREATOR_ID: creators[c.CREATOR_ID].to_numpy()[np.repeat(np.arange(len(place)), lengths)]})
