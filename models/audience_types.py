"""Who engages with a creator: real people, mass followers, influencers, suspicious accounts; by stated rules."""

import numpy as np
import pandas as pd

from features import columns as c
from features.accounts import account_features
from features.fraud.window import SPAN
from models.accounts import AccountModel
from models.measures import wilson

SUSPICIOUS = 0.5  # fake rather than not
INFLUENTIAL = 5000  # followers, where the smallest influencers of the trade's tiers begin
MASS = 1500  # followed accounts: more than anyone reads
TYPES = ("REAL", "MASS_FOLLOWER", "SUSPICIOUS", "INFLUENCER")


def audience_type(accounts: pd.DataFrame, probability: pd.Series) -> pd.Series:
    """The first that holds: SUSPICIOUS from a fake probability of .5; INFLUENCER from 5,000 followers, if they are more
    than it follows; MASS_FOLLOWER from 1,500 followed accounts; REAL. None where the probability is not known."""
    followers, following = accounts[c.FOLLOWERS_COUNT], accounts[c.FOLLOWING_COUNT]
    rules = [
        probability.isna(), probability >= SUSPICIOUS, (followers >= INFLUENTIAL) & ~(following >= followers),
        following >= MASS,
    ]  # fmt: skip
    names = np.array([None, "SUSPICIOUS", "INFLUENCER", "MASS_FOLLOWER", "REAL"], dtype=object)
    first = np.argmax([*rules, np.ones(len(accounts), dtype=bool)], axis=0)
    return pd.Series(names[first], index=accounts.index, dtype="object")


def audience_types(
    model: AccountModel, engagements: pd.DataFrame, accounts: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    """A row for each creator of ``engagements`` and each type, of the distinct accounts that engaged in the 90 days up
    to ``as_of``: ``share`` with its 95 % interval ``low`` to ``high`` (Wilson), and ``accounts``, how many they are.

    Both tables must be known at ``as_of``. Accounts of which nothing is known are left out.
    """
    recent = engagements[engagements[c.EVENT_TIME] > as_of - SPAN]
    pairs = recent[[c.CREATOR_ID, c.ACCOUNT_ID]].drop_duplicates()
    met = accounts[accounts[c.ACCOUNT_ID].isin(pairs[c.ACCOUNT_ID])].drop_duplicates(c.ACCOUNT_ID, keep="last")
    types = audience_type(met, model.predict(account_features(met, as_of))).set_axis(met[c.ACCOUNT_ID])
    told = pairs.assign(type=pairs[c.ACCOUNT_ID].map(types)).dropna(subset=["type"])
    counts = (
        told.groupby([c.CREATOR_ID, "type"]).size().unstack(fill_value=0).reindex(columns=list(TYPES), fill_value=0)
    )
    hits = counts.rename_axis(columns="type").stack()
    totals = hits.groupby(c.CREATOR_ID).transform("sum")
    low, high = wilson(hits.to_numpy(np.float64), totals.to_numpy(np.float64))
    table = pd.DataFrame({"share": hits / totals, "low": low, "high": high, "accounts": totals})
    return table.reset_index()
