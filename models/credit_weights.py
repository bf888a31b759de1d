"""What makes an event weigh more or less than its kind says: who rates, what the order is worth, how often its brand
has ordered from this creator of late. Everything here is fixed by what came before the event.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.money import to_usd
from features.vocabulary import LIFE_CYCLE_EVENTS
from models.credit_policy import Policy

AGREEMENTS = ("ACCEPTED", "CONTRACTED")
"""The events that start an order, and whose amount says what it is worth."""
_SECONDS_A_DAY = 24 * 60 * 60


def debiased(ratings: pd.DataFrame, policy: Policy) -> pd.Series:
    """What a brand of usual severity would have given: each rating plus by how much its brand's lie below others'."""
    return ratings[c.RATING] + ratings[c.BRAND_ID].map(policy.raters).astype(float).fillna(0.0)


def times(coded: pd.DataFrame, policy: Policy) -> pd.Series:
    """By how much the weight of each event is multiplied, > 0: of the life cycle by the order's, of others 1."""
    order = coded[c.COLLABORATION_ID]
    agreed = coded[c.EVENT_TYPE].isin(AGREEMENTS) & order.notna()
    usd = to_usd(coded[c.AMOUNT], coded[c.CURRENCY], policy.usd).where(agreed).groupby(order).ffill()
    repeated = policy.repeated.times ** order.map(_repeats(coded[agreed], policy)).astype(float).fillna(0.0)
    return (_class_times(usd, policy) * repeated).where(coded[c.EVENT_TYPE].isin(LIFE_CYCLE_EVENTS), 1.0)


def _class_times(usd: pd.Series, policy: Policy) -> pd.Series:
    """By the class of value, 1 where the amount agreed or its worth in US dollars is not known."""
    starts, factors = ([getattr(one, name) for one in policy.value_classes] for name in ("start", "times"))
    place = np.searchsorted(starts, usd, side="right")  # 0: below all classes
    return pd.Series(np.array([1.0, *factors])[place], usd.index).where(usd.notna(), 1.0)


def _repeats(agreed: pd.DataFrame, policy: Policy) -> pd.Series:
    """collaboration_id → how many orders the brand had started with this creator in the days before it did this one."""
    started = agreed[agreed[c.BRAND_ID].notna()].drop_duplicates(c.COLLABORATION_ID)
    pair = started.groupby([c.CREATOR_ID, c.BRAND_ID]).ngroup().to_numpy(np.int64)
    count = earlier(pair, started[c.EVENT_TIME].to_numpy("datetime64[us]"), policy.repeated.days)
    return pd.Series(count, pd.Index(started[c.COLLABORATION_ID]), dtype=np.float64)


def earlier(group: npt.NDArray[np.int64], at: npt.NDArray[np.datetime64], days: float) -> npt.NDArray[np.int64]:
    """(n,) how many of the same group came before each one and no more than ``days`` before it, to the second.

    Rows are in order of time; of those at the same time, the rows above are before.
    """
    if not len(at):
        return np.zeros(0, np.int64)
    second, span = at.astype("datetime64[s]").astype(np.int64), int(days * _SECONDS_A_DAY)
    axis = second - second.min() + group * (np.ptp(second) + span + 1)  # one group after the other, far enough apart
    place = axis.argsort(kind="stable").argsort()
    return place - np.searchsorted(np.sort(axis), axis - span)
