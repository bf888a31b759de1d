"""What makes an event weigh more or less than its kind says: who rates, what the order is worth, how often its brand
has ordered from this creator of late. Everything here is fixed by what came before the event.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features.numbered import Numbered, Places, last_known, numbered_together
from features.vocabulary import LIFE_CYCLE_EVENTS
from models.credit_policy import Floats, Policy

AGREEMENTS = ("ACCEPTED", "CONTRACTED")
"""The events that start an order, and whose amount says what it is worth."""
_SECONDS_A_DAY = 24 * 60 * 60


def debiased(ratings: pd.DataFrame, policy: Policy) -> Floats:
    """(n,) what a brand of usual severity would have given: each rating plus by how much its brand's lie below
    others'."""
    return ratings[c.RATING].to_numpy() + Numbered.of(ratings[c.BRAND_ID]).each(policy.raters, 0.0)


def times(coded: pd.DataFrame, policy: Policy) -> Floats:
    """(n,) by how much the weight of each event is multiplied, > 0: of the life cycle by the order's, of others 1."""
    kind, order = (Numbered.of(coded[name]) for name in (c.EVENT_TYPE, c.COLLABORATION_ID))
    agreed = kind.are(AGREEMENTS) & (order.places >= 0)
    usd = coded[c.AMOUNT].to_numpy() * Numbered.of(coded[c.CURRENCY]).each(policy.usd, np.nan)
    last = last_known(order.places, agreed & ~np.isnan(usd))
    classes = _class_times(np.where(last >= 0, usd[last], np.nan) if len(usd) else usd, policy)
    repeated = policy.repeated.times ** _repeats(coded, order, np.flatnonzero(agreed), policy)
    return np.where(kind.are(LIFE_CYCLE_EVENTS), classes * repeated, 1.0)


def _class_times(usd: Floats, policy: Policy) -> Floats:
    """By the class of value, 1 where the amount agreed or its worth in US dollars is not known."""
    starts, factors = ([getattr(one, name) for one in policy.value_classes] for name in ("start", "times"))
    place = np.searchsorted(starts, usd, side="right")  # 0: below all classes
    return np.where(np.isnan(usd), 1.0, np.array([1.0, *factors])[place])


def _repeats(coded: pd.DataFrame, order: Numbered, agreed: Places, policy: Policy) -> Floats:
    """(n,) how many orders the brand had started with this creator in the days before it did the event's; ``agreed``
    are the rows that agree on an order."""
    branded = agreed[coded[c.BRAND_ID].notna().to_numpy()[agreed]]
    started = branded[np.unique(order.places[branded], return_index=True)[1]]
    started.sort()
    rows = coded[[c.CREATOR_ID, c.BRAND_ID, c.EVENT_TIME]].iloc[started]
    pair = numbered_together(rows[c.CREATOR_ID], rows[c.BRAND_ID])
    count = np.zeros(len(order.words) + 1)
    count[order.places[started]] = earlier(pair, rows[c.EVENT_TIME].to_numpy("datetime64[us]"), policy.repeated.days)
    return count[order.places]


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
