"""Which credit policy holds when: the ledger says since when for each creator, so that no score moves without an event.

A policy holds for a creator from its POLICY_CHANGED event on (``model_version`` names the policy); before the first one
the policy that came before it. Who has no such event is told by the policy that is served.
"""

from collections.abc import Iterator

import pandas as pd

from features import columns as c
from features.asof import known_at
from features.schema import COLLABORATION_EVENTS, conform
from models.credit_policy import Policy

POLICY_CHANGED = "POLICY_CHANGED"


def in_force(
    events: pd.DataFrame, policy: Policy, as_of: pd.Timestamp, known_by: pd.Timestamp, creator_ids: pd.Index
) -> Iterator[tuple[Policy, pd.Index]]:
    """The policies that hold at ``as_of`` and for whom, as is known by ``known_by``; each creator is there once.

    ``policy`` is served; a policy that it does not have among its former ones is taken to be it.
    """
    if not policy.former or creator_ids.empty:
        yield policy, creator_ids
        return
    changes = events[events[c.EVENT_TYPE] == POLICY_CHANGED].sort_values([c.EVENT_TIME, c.EVENT_ID])
    past = (changes[c.EVENT_TIME] <= as_of) & (known_at(changes, COLLABORATION_EVENTS) <= known_by)
    last = changes[past].groupby(c.CREATOR_ID)[c.MODEL_VERSION].last()
    coming = changes[~past].groupby(c.CREATOR_ID)[c.MODEL_VERSION].first().map(lambda name: policy.before(name).version)
    holds = pd.Series(policy.version, creator_ids, dtype="object")
    for told in (coming, last):
        known = told.index.intersection(creator_ids)
        holds[known] = told[known]
    for version, theirs in holds.groupby(holds):
        yield policy.named(str(version)), theirs.index


def policy_changes(events: pd.DataFrame, policy: Policy, at: pd.Timestamp) -> pd.DataFrame:
    """The POLICY_CHANGED events, at ``at``, that have to be in the ledger ``events`` before ``policy`` is served.

    One for each creator in it, unless the last change names this policy already or none was served before.
    """
    changes = events[events[c.EVENT_TYPE] == POLICY_CHANGED].sort_values([c.EVENT_TIME, c.EVENT_ID])
    told = changes[c.MODEL_VERSION].iloc[-1] if len(changes) else None
    ids = pd.Series(events[c.CREATOR_ID].unique() if policy.former and told != policy.version else [], dtype="str")
    return conform(
        pd.DataFrame(
            {
                c.EVENT_ID: f"{policy.version}-{at.isoformat()}-" + ids,
                c.CREATOR_ID: ids,
                c.EVENT_TYPE: POLICY_CHANGED,
                c.EVENT_TIME: at,
                c.RECEIVED_AT: at,
                c.MODEL_VERSION: policy.version,
            }
        ),
        COLLABORATION_EVENTS,
    )
