"""What the fraud model sees of a creator: one small function a column, over the 90 days before a date.

None reads credit, ranking, names, or a protected trait; country serves only to compare stated with engaging audiences,
and a creator with its peers.
"""

import pandas as pd

from features import columns as c
from features.fraud import accounts, comments, context, engagement, evidence, fakes, growth
from features.fraud.window import Judge, Judged
from features.schema import Tables

_FEATURES = (*growth.FEATURES, *engagement.FEATURES, *accounts.FEATURES, *fakes.FEATURES, *comments.FEATURES)
FRAUD_FEATURES = tuple(feature.__name__ for feature in _FEATURES)
EVIDENCE = tuple(column.__name__ for column in evidence.COLUMNS)
"""Columns beside the features that no model reads: how much is known, and when the peaks were."""
CONTEXT = tuple(column.__name__ for column in context.COLUMNS)
"""Columns by which the model finds a creator's peers."""


def fraud_features(
    tables: Tables, as_of: pd.Timestamp, ids: pd.Index | None = None, judge: Judge | None = None
) -> pd.DataFrame:
    """FRAUD_FEATURES and EVIDENCE, float64, and CONTEXT, indexed by creator_id; unknown is NaN.

    ``tables`` must be known at ``as_of`` and hold everyone's engagements, because some features ask what else an
    account did; ``ids`` (default: every creator) only says of whom to speak, and changes no value. ``judge`` says which
    accounts are likely fake: where a training reads the answer, a model that saw only labels known at ``as_of``.
    """
    everyone = pd.Index(tables["creators"][c.CREATOR_ID].unique(), name=c.CREATOR_ID)
    window = Judged(tables, everyone if ids is None else ids, as_of, judge)
    columns = {column.__name__: column(window) for column in (*_FEATURES, *evidence.COLUMNS, *context.COLUMNS)}
    return pd.DataFrame(columns, index=window.ids)
