"""The log of rankings, as the service writes it: Parquet parts in a folder, a row for each candidate of a ranking.

``ranking_id``, ``ranked_at``, ``policy_version`` (the release), ``experiment`` and ``arm`` (null where none ran),
``brief_id``, ``brand_id``; then the columns of :func:`models.considered.log_table`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from features import columns as c
from features.errors import bad

FOLDER = "rankings"
RANKED_AT = "ranked_at"
EXPERIMENT, ARM = "experiment", "arm"


def read_rankings(folder: Path) -> pd.DataFrame:
    """All complete parts in ``folder``, the oldest first. Raises InputError (NOT_FOUND) where there is none."""
    parts = sorted(folder.glob("[!.]*.parquet"))
    if not parts:
        raise bad("rankings", "no part is here; the service writes the first within a minute", str(folder), "NOT_FOUND")
    return pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)


def logged_impressions(impressions: pd.DataFrame, rankings: pd.DataFrame) -> pd.DataFrame:
    """What was shown of logged rankings and what came of it: ``impressions`` (of the contract) that a ranking is
    logged for, with its columns beside them, and the propensity that the log tells.

    It tells none (NaN) where a creator was shown at another position than it was given: the page decided that, not the
    policy.
    """
    key = [c.RANKING_ID, c.CREATOR_ID]
    told = [name for name in impressions if name in key or name not in rankings]
    shown = impressions[[*told, c.POSITION]].rename(columns={c.POSITION: "shown_position"})
    rows = shown.merge(rankings.dropna(subset=[c.POSITION]), on=key, how="inner")
    rows[c.PROPENSITY] = rows[c.PROPENSITY].where(rows["shown_position"] == rows[c.POSITION], np.nan)
    return rows
