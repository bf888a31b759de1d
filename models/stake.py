"""How much money is at stake with a creator, in US dollars at the latest rate known.

money at risk = open + expected. *Open* is the sum of the amounts of its collaborations that are accepted and neither
settled, cancelled nor defaulted: the last amount that the ledger told of each, else the creator's price. *Expected* is
what the next 30 days bring if they are like the last 90: a third of the amounts contracted then, where there were none
a third of its price. What cannot be valued (no amount and no price, no rate) counts nothing; where nothing can be
valued the answer is NaN.
"""

from collections.abc import Mapping

import pandas as pd

from features import columns as c
from features.collaborations import collaborations
from features.money import to_usd

RECENT, AHEAD = pd.Timedelta(days=90), pd.Timedelta(days=30)


def money_at_risk(events: pd.DataFrame, price: pd.Series, worth: Mapping[str, float], as_of: pd.Timestamp) -> pd.Series:
    """creator_id → US dollars, for the creators that ``price`` (US dollars) is indexed by.

    ``events`` is the ledger as known at ``as_of``, ``worth`` the rates then (:func:`features.money.latest_rates`).
    """
    agreed = agreed_amounts(events, worth)
    contracted = events[(events[c.EVENT_TYPE] == "CONTRACTED") & (events[c.EVENT_TIME] > as_of - RECENT)]
    recent = _by_creator(contracted, agreed, price).reindex(price.index).fillna(price)
    opened = open_money(events, agreed, price).reindex(price.index)
    return pd.concat([opened, recent * (AHEAD / RECENT)], axis=1).sum(axis=1, min_count=1)


def agreed_amounts(events: pd.DataFrame, worth: Mapping[str, float]) -> pd.Series:
    """collaboration_id → the last amount told of it, in US dollars."""
    told = events[events[c.AMOUNT].notna() & events[c.COLLABORATION_ID].notna()]
    last = told.sort_values([c.EVENT_TIME, c.EVENT_ID]).drop_duplicates(c.COLLABORATION_ID, keep="last")
    return to_usd(last[c.AMOUNT], last[c.CURRENCY], worth).set_axis(pd.Index(last[c.COLLABORATION_ID]))


def open_money(events: pd.DataFrame, agreed: pd.Series, price: pd.Series) -> pd.Series:
    """creator_id → the amounts of its open collaborations; creators without any are not there."""
    found = collaborations(events)
    return _by_creator(found[found["accepted_at"].notna() & found["ended_at"].isna()], agreed, price)


def _by_creator(jobs: pd.DataFrame, agreed: pd.Series, price: pd.Series) -> pd.Series:
    """The sum over a creator's jobs of what was agreed, else of its price; NaN where none can be valued."""
    usd = jobs[c.COLLABORATION_ID].map(agreed).fillna(jobs[c.CREATOR_ID].map(price)).astype("float64")
    return usd.groupby(jobs[c.CREATOR_ID]).sum(min_count=1)
