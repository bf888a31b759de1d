"""What the account model sees of one account: one small function a column, from the table accounts alone.

Country is not among them: it would tell where fake accounts were found, not what they look like. Nor are names.
"""

import numpy as np
import pandas as pd

from features import columns as c

PROFILE = (
    c.FOLLOWERS_COUNT, c.FOLLOWING_COUNT, c.VIDEOS_COUNT, c.HAS_AVATAR, c.IS_PRIVATE, c.HANDLE_LENGTH, c.HANDLE_DIGITS,
    c.BIO_LENGTH,
)  # fmt: skip
"""The columns of the contract that are features as they stand."""


def following_per_follower(accounts: pd.DataFrame) -> pd.Series:
    """log((following + 1) / (followers + 1)): bought followers follow many and are followed by few."""
    return _log_ratio(accounts[c.FOLLOWING_COUNT], accounts[c.FOLLOWERS_COUNT])


def videos_per_follower(accounts: pd.DataFrame) -> pd.Series:
    """log((videos + 1) / (followers + 1)): followers without anything to follow."""
    return _log_ratio(accounts[c.VIDEOS_COUNT], accounts[c.FOLLOWERS_COUNT])


def videos_per_following(accounts: pd.DataFrame) -> pd.Series:
    """log((videos + 1) / (following + 1)): who only follows publishes nothing."""
    return _log_ratio(accounts[c.VIDEOS_COUNT], accounts[c.FOLLOWING_COUNT])


def connections(accounts: pd.DataFrame) -> pd.Series:
    """Followers and followed together: an empty account has few of either."""
    return accounts[c.FOLLOWERS_COUNT] + accounts[c.FOLLOWING_COUNT]


def digit_share(accounts: pd.DataFrame) -> pd.Series:
    """Share of digits in the handle: a machine numbers what it makes."""
    return accounts[c.HANDLE_DIGITS] / accounts[c.HANDLE_LENGTH].clip(lower=1)


def account_age(accounts: pd.DataFrame) -> pd.Series:
    """Days from creation to the observation; unknown where it would have been seen before it was made."""
    age = (accounts[c.OBSERVED_AT] - accounts[c.CREATED_AT]) / pd.Timedelta(days=1)
    return age.where(age >= 0)


DERIVED = (
    following_per_follower, videos_per_follower, videos_per_following, connections, digit_share, account_age,
)  # fmt: skip
ACCOUNT_FEATURES = (*PROFILE, *(feature.__name__ for feature in DERIVED))


def account_features(accounts: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """ACCOUNT_FEATURES, float64, a row for each of ``accounts`` (conformed); unknown is NaN.

    An account without ``observed_at`` was observed at ``as_of``.
    """
    dated = accounts.assign(**{c.OBSERVED_AT: accounts[c.OBSERVED_AT].fillna(as_of)})
    derived = {feature.__name__: feature(dated) for feature in DERIVED}
    return pd.DataFrame({name: dated[name] for name in PROFILE} | derived, index=accounts.index).astype(np.float64)


def _log_ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    return np.log((above + 1) / (below + 1))
