"""What the ledger and reviews come to for each creator, kept so that ranking and the queue ask them of no rows."""

import pandas as pd

from features import columns as c
from features.money import latest_rates
from features.schema import Tables
from models.exploration import record
from models.stake import money_at_risk

UNDATED = pd.Timestamp.max.floor("us")  # a review without a date counts as just known


def dealings(seen: Tables, price: pd.Series, latest: pd.Timestamp) -> pd.DataFrame:
    """``completed`` and ``failed`` jobs, ``money_at_risk`` (US dollars, :mod:`models.stake`) and ``reviewed_at`` (NaT:
    never), the last time that a fraud label became known, of the creators that ``price`` (US dollars) is indexed by.

    ``seen`` are their rows as they were known at ``latest``.
    """
    events, labels = seen["collaboration_events"], seen["fraud_labels"]
    completed, failed = record(events, price.index)
    worth = latest_rates(seen["exchange_rates"], latest)
    reviewed_at = labels[c.KNOWN_AT].fillna(UNDATED).groupby(labels[c.CREATOR_ID]).max()
    return pd.DataFrame(
        {
            "completed": completed,
            "failed": failed,
            "money_at_risk": money_at_risk(events, price, worth, latest),
            "reviewed_at": reviewed_at.reindex(price.index),
        },
        index=price.index,
    )
