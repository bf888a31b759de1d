"""What creators' features say of engagements from what the model of accounts says of the accounts behind them."""

import numpy as np
import pandas as pd
import pytest

from features import columns as c
from features import schema
from features.fraud import fraud_features
from features.fraud.window import DAYS

AS_OF = pd.Timestamp("2026-07-01")
SURGE = AS_OF - pd.Timedelta(days=10)
DATES = pd.date_range(end=AS_OF - pd.Timedelta(days=1), periods=DAYS)
LIFT = {"people": 0.5, "bots": 4.0}


def lift(accounts: pd.DataFrame, _: pd.Timestamp) -> pd.Series:
    """An account's id says what it is."""
    return accounts[c.ACCOUNT_ID].str.rstrip("0123456789").map(LIFT).astype("float64")


def followed(creator: str, who: str, when: pd.Timestamp, times: int = 6) -> pd.DataFrame:
    return pd.DataFrame(
        {c.CREATOR_ID: creator, c.ACCOUNT_ID: [f"{who}{i}" for i in range(times)], c.ACTION: "FOLLOW"}
    ).assign(**{c.EVENT_TIME: when})


def tables(*engagements: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Creators who win 10 followers a day from 1,000 views, and 100 more on the day of the surge."""
    events = pd.concat(engagements, ignore_index=True)
    ids = events[c.CREATOR_ID].unique()
    gain = 10 + 100.0 * (DATES == SURGE)
    days = {c.DATE: DATES, c.FOLLOWERS_COUNT: 1_000 + gain.cumsum(), c.VIDEO_VIEWS: 1_000.0}
    daily = pd.concat([pd.DataFrame(days).assign(**{c.CREATOR_ID: one}) for one in ids])
    accounts = pd.DataFrame({c.ACCOUNT_ID: events[c.ACCOUNT_ID].unique()})
    creators = pd.DataFrame({c.CREATOR_ID: ids})
    return schema.complete({"creators": creators, "daily_stats": daily, "accounts": accounts, "engagements": events})


def test_by_hand() -> None:
    """Of the surge's 110 followers the usual 10 and a slack of 2 are nothing: 98 of 110 are beyond."""
    known = tables(followed("pressed", "people", SURGE), followed("bought", "bots", SURGE))
    found = fraud_features(known, AS_OF, judge=lift)
    assert found["fake_engagers"].to_dict() == {"pressed": 0.5, "bought": 4.0}
    beyond = 98 / 110
    for creator, ratio in (("pressed", 0.5), ("bought", 4.0)):
        assert found.loc[creator, "fake_surge"] == pytest.approx(6 * np.log(1 - beyond + beyond * ratio))


def test_on_a_usual_day_and_on_the_unfinished_one_nothing_speaks() -> None:
    usual, today = SURGE - pd.Timedelta(days=5), AS_OF
    known = tables(followed("usual", "bots", usual), followed("today", "bots", today))
    assert (fraud_features(known, AS_OF, judge=lift)["fake_surge"] == 0).all()


def test_accounts_of_whom_nothing_is_known_say_nothing() -> None:
    known = tables(followed("a", "bots", SURGE), followed("a", "nobody", SURGE))
    alone = tables(followed("a", "bots", SURGE))
    columns = ["fake_engagers", "fake_surge"]
    one, other = (fraud_features(one, AS_OF, judge=lift)[columns] for one in (known, alone))
    pd.testing.assert_frame_equal(one, other)
    few = tables(followed("a", "bots", SURGE, times=4), followed("a", "nobody", SURGE))
    assert fraud_features(few, AS_OF, judge=lift)[columns].isna().all(axis=None)


def test_without_a_judge_nothing_is_known() -> None:
    found = fraud_features(tables(followed("a", "bots", SURGE)), AS_OF)
    assert found[["fake_engagers", "fake_surge"]].isna().all(axis=None)
