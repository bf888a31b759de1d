"""What the fraud model sees of a creator: one small function a column, over the 90 days before a date.

None reads credit, ranking, names, or a protected trait; country serves only to compare stated with engaging audiences.
"""

import numpy as np
import pandas as pd

from features import columns as c
from features.fraud import accounts, comments, engagement, growth
from features.fraud.window import Window
from features.schema import Tables

_FEATURES = growth.FEATURES + engagement.FEATURES + accounts.FEATURES + comments.FEATURES
FRAUD_FEATURES = tuple(feature.__name__ for feature in _FEATURES) + ("days_known",)


def fraud_features(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """(n, len(FRAUD_FEATURES)) float64 of all creators in ``tables``, indexed by creator_id; ``tables`` must be known at
    ``as_of``. Unknown is NaN. ``days_known`` says how many of the 90 days have statistics."""
    window = Window(tables, pd.Index(tables["creators"][c.CREATOR_ID].unique()), as_of)
    columns = {feature.__name__: feature(window) for feature in _FEATURES}
    columns["days_known"] = (~np.isnan(window.views)).sum(axis=1).astype(float)
    return pd.DataFrame(columns, index=window.ids)
