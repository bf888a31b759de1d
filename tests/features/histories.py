"""Five creators whose 90 days differ in one thing each, so that evidence can be told by hand.

All have 10,000 views a day, a hundredth of them followers won, and a video of 10,000 views in each of the first six
weeks. On the day SPIKE ``bought`` wins 20,000 followers from nowhere, all of ``viral`` rises tenfold after a video of
100,000 views, and the views of ``paid`` double, half of them paid for. ``hired`` publishes for a brand on that day;
``calm`` does nothing.
"""

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud.history import Dossier, History
from features.schema import Tables, complete

AS_OF = pd.Timestamp("2026-07-01 12:00")
DATES = pd.date_range("2026-04-02", "2026-06-30")
SPIKE = 60  # 2026-06-01
CREATORS = ("bought", "viral", "paid", "hired", "calm")


def daily(creator: str) -> pd.DataFrame:
    views = np.full(len(DATES), 10_000.0)
    views[SPIKE] *= {"viral": 10, "paid": 2}.get(creator, 1)
    gain, paid = views * 0.01, np.zeros(len(DATES))
    gain[SPIKE] += 20_000 if creator == "bought" else 0
    paid[SPIKE] = 10_000 if creator == "paid" else 0
    return pd.DataFrame(
        {
            c.CREATOR_ID: creator, c.DATE: DATES, c.FOLLOWERS_COUNT: 50_000 + np.cumsum(gain), c.VIDEO_VIEWS: views,
            c.PAID_VIDEO_VIEWS: paid, c.LIKES: views * 0.05, c.COMMENTS: views * 0.005, c.SHARES: views * 0.004,
        }
    )  # fmt: skip


def videos(creator: str) -> pd.DataFrame:
    weekly = [(DATES[7 * week], 10_000.0, None) for week in range(6)]
    special = {"viral": [(DATES[SPIKE - 1], 100_000.0, None)], "hired": [(DATES[SPIKE], 9_000.0, "k1")]}
    rows = pd.DataFrame(
        [*weekly, *special.get(creator, [])], columns=[c.CREATE_TIME, c.VIDEO_VIEWS, c.COLLABORATION_ID]
    )
    ids = [f"{creator}-{number}" for number in range(len(rows))]
    return rows.assign(**{c.VIDEO_ID: ids, c.CREATOR_ID: creator, c.LIKES: rows[c.VIDEO_VIEWS] * 0.05})


def engagements(rows: list[tuple[str, str, str, str | None]]) -> pd.DataFrame:
    """(account, creator, time, comment)."""
    frame = pd.DataFrame(rows, columns=[c.ACCOUNT_ID, c.CREATOR_ID, c.EVENT_TIME, c.COMMENT_TEXT])
    return frame.assign(**{c.EVENT_TIME: pd.to_datetime(frame[c.EVENT_TIME]), c.ACTION: "COMMENT"})


def market(**others: pd.DataFrame) -> Tables:
    return complete(
        {
            "creators": pd.DataFrame({c.CREATOR_ID: CREATORS}),
            "daily_stats": pd.concat([daily(creator) for creator in CREATORS]),
            "videos": pd.concat([videos(creator) for creator in CREATORS]),
        }
        | others
    )


def risen(views: float, followers: float, likes: float) -> History:
    """A calm creator's, but for the day SPIKE on which these rose so many times."""
    stats, rise = daily("calm"), np.ones((3, len(DATES)))
    rise[:, SPIKE] = views, followers, likes
    won = np.cumsum(100 * rise[1])
    rose = stats.assign(**{c.FOLLOWERS_COUNT: 50_000 + won, c.VIDEO_VIEWS: 10_000 * rise[0], c.LIKES: 500 * rise[2]})
    (history,) = Dossier.of(market(daily_stats=rose), AS_OF).histories(["calm"])
    return history


def histories(tables: Tables) -> dict[str, History]:
    found = Dossier.of(tables, AS_OF).histories([*CREATORS])
    return {history.creator_id: history for history in found}
