"""What models say of authenticity and interaction, as the ASSESSED events that a scheduled batch adds to the ledger.

Nothing is said again: an assessment is written only where it moved by the policy's dead band since the last one. So a
model that errs about someone says so once, and what it can take is bounded by the floor of its factor until a person
confirms the finding.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from features import columns as c
from features.schema import COLLABORATION_EVENTS, conform
from models.credit_factors import coded, effects, in_order
from models.credit_policy import Policy

ASSESSED, AUTHENTICITY, INTERACTION = "ASSESSED", "AUTHENTICITY", "INTERACTION"
INTERACTION_VERSION = "peers-1"
LEAST_PEERS = 20
DECIMALS = 3


def interaction(features: pd.DataFrame) -> pd.Series:
    """creator_id → the share of peers, in [0, 1], with fewer comments and shares per view; null where unknown.

    ``features`` are :func:`features.fraud.fraud_features` of all creators. Peers are those with as many digits in their
    number of followers; with fewer than LEAST_PEERS of them nothing is said.
    """
    answers = features["comments_per_view"] + features["shares_per_view"]
    size = np.floor(features["log_followers"] / np.log(10))
    peers = answers.groupby(size)
    count = peers.transform("count")
    return ((peers.rank() - 0.5) / count).where(count >= LEAST_PEERS)


def assessments(
    events: pd.DataFrame, values: pd.DataFrame, versions: Mapping[str, str], policy: Policy, at: pd.Timestamp
) -> pd.DataFrame:
    """The ASSESSED events, at ``at``, that ``values`` add to the ledger ``events``.

    ``values``: by creator_id a column in [0, 1] for each factor, null where nothing is known; ``versions``: factor →
    what assessed it. The event_id follows from factor, creator and ``at``: the same batch twice is one.
    """
    rows = (
        values.round(DECIMALS)
        .rename_axis(index=c.CREATOR_ID, columns=c.FACTOR)
        .stack()
        .rename(c.VALUE)
        .dropna()
        .reset_index()
    )
    before = rows[[c.CREATOR_ID, c.FACTOR]].merge(_last(events), how="left")[c.VALUE]
    moved = (rows[c.VALUE] - before).abs().round(DECIMALS) >= policy.assessment_dead_band
    said = conform(
        rows.assign(
            **{
                c.EVENT_ID: "assessed-" + rows[c.FACTOR] + f"-{at.isoformat()}-" + rows[c.CREATOR_ID],
                c.EVENT_TYPE: ASSESSED,
                c.EVENT_TIME: at,
                c.RECEIVED_AT: at,
                c.MODEL_VERSION: rows[c.FACTOR].map(versions),
            }
        ),
        COLLABORATION_EVENTS,
    )
    return said[moved | (before.isna() & _weighs(said, policy))]


def _last(events: pd.DataFrame) -> pd.DataFrame:
    """The last value of each creator and factor."""
    said = in_order(events[(events[c.EVENT_TYPE] == ASSESSED) & events[c.VALUE].notna()])
    return said.drop_duplicates([c.CREATOR_ID, c.FACTOR], keep="last")[[c.CREATOR_ID, c.FACTOR, c.VALUE]]


def _weighs(said: pd.DataFrame, policy: Policy) -> pd.Series:
    """Whether each assessment weighs anything: a first one that does not need not be written."""
    events = coded(said)
    return pd.Series(effects(events, policy).any(axis=1), events.index).reindex(said.index)
