"""Engagements made by hand for the tests of the graph."""

import numpy as np
import pandas as pd

from features import columns as c
from features.schema import ENGAGEMENTS, complete

START = pd.Timestamp("2026-05-04")


def engagements(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    """Rows of (account, creator, days after START), each on the creator's one video."""
    frame = pd.DataFrame(rows, columns=[c.ACCOUNT_ID, c.CREATOR_ID, "day"])
    times = (START + pd.to_timedelta(frame["day"], unit="D")).astype("datetime64[us]")
    frame = frame.assign(**{c.ACTION: "LIKE", c.EVENT_TIME: times, c.VIDEO_ID: "video of " + frame[c.CREATOR_ID]})
    creators = pd.DataFrame({c.CREATOR_ID: frame[c.CREATOR_ID].unique()})
    return complete({"creators": creators, "engagements": frame.drop(columns="day")})[ENGAGEMENTS.name]


def crowd(rng: np.random.Generator, acts: int = 3000, accounts: int = 1000, creators: int = 200) -> list[tuple]:
    """Acts of people who have nothing to do with each other, over 60 days."""
    who, whom, when = rng.integers(accounts, size=acts), rng.integers(creators, size=acts), rng.uniform(0, 60, acts)
    return [(f"person{a}", f"creator{b}", t) for a, b, t in zip(who, whom, when, strict=True)]


def ring(accounts: int = 8, creators: int = 6, day: float = 20.0) -> list[tuple]:
    """Bots that act on all of their creators within two days, ten minutes after each other."""
    return [(f"bot{a}", f"buyer{b}", day + (b % 2) + a / 144) for a in range(accounts) for b in range(creators)]
