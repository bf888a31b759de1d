"""What became of each item of feedback on a ranking: accepted, a duplicate of what is known, or rejected and why.

A creator shown at a moment is one impression. Its outcome is the latest that was ever told, so that items may come
twice and in any order.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from features import columns as c
from features.schema import IMPRESSIONS, Table, conform
from features.validation import violations
from features.vocabulary import OUTCOMES
from serving.ledger import ACCEPTED, DUPLICATE, REJECTED
from serving.store import Ranking

NOTHING = OUTCOMES[0]
TOLD = (c.CREATOR_ID, c.POSITION, c.SHOWN_AT, c.SURFACE, c.OUTCOME, c.OUTCOME_AT)
ITEM = Table("feedback_item", tuple(IMPRESSIONS.column(name) for name in TOLD))
PLACED = (c.POSITION, c.SURFACE)
TWICE = ", ".join(IMPRESSIONS.key)  # what a violation says of rows with one key; here they are one impression


@dataclass(frozen=True)
class Judged:
    """``results``, one for each item, and ``impressions``: the rows of that table that are new or have a new outcome,
    each key once."""

    results: list[dict[str, Any]]
    impressions: pd.DataFrame


def impressions(items: pd.DataFrame, ranking: Ranking, brief: pd.DataFrame) -> pd.DataFrame:
    """Conformed ``items`` as impressions of the ``ranking`` and its ``brief``, one row."""
    same = {
        c.RANKING_ID: ranking.ranking_id,
        c.BRIEF_ID: brief[c.BRIEF_ID].iloc[0],
        c.POLICY_VERSION: ranking.policy_version,
    }
    return conform(items.assign(**same), IMPRESSIONS)


def judged(batch: pd.DataFrame, stored: pd.DataFrame, creators: Collection[str], now: pd.Timestamp) -> Judged:
    """Judges ``batch``, impressions of one ranking, beside the ``stored`` ones of the same; ``creators`` are known.

    An impression keeps the moment at which it was first received; its outcome has a time of its own.
    """
    batch = batch.assign(**{c.OUTCOME: batch[c.OUTCOME].fillna(NOTHING), c.RECEIVED_AT: now})
    known = {_key(row): row for row in stored.to_dict("records")}
    changed, results = {}, []
    for row, error in zip(batch.to_dict("records"), _problems(batch, creators, now), strict=True):
        key, status = _key(row), REJECTED
        error = error or _conflict(row, known.get(key))
        if not error:
            status = ACCEPTED if _progress(row) > _progress(known.get(key)) else DUPLICATE
        if status == ACCEPTED:
            received = known.get(key, row)[c.RECEIVED_AT]
            known[key] = changed[key] = row | {c.RECEIVED_AT: received}
        results.append({c.CREATOR_ID: row[c.CREATOR_ID], "status": status, "error": error})
    return Judged(results, conform(pd.DataFrame(list(changed.values()), columns=[*IMPRESSIONS.names]), IMPRESSIONS))


def _key(row: dict[Any, Any]) -> tuple[str, pd.Timestamp]:
    return row[c.CREATOR_ID], row[c.SHOWN_AT]


def _progress(row: dict[Any, Any] | None) -> tuple[Any, ...]:
    """Grows with what is known of an impression: that it was, then the time of its outcome, then the outcome."""
    if row is None:
        return ()
    if row[c.OUTCOME] == NOTHING:
        return (pd.Timestamp.min, 0)
    return (row[c.OUTCOME_AT], OUTCOMES.index(row[c.OUTCOME]))


def _conflict(row: dict[Any, Any], known: dict[Any, Any] | None) -> str | None:
    for name in PLACED if known else ():
        here, there = row[name], (known or row)[name]
        if here != there and not (pd.isna(here) and pd.isna(there)):
            return f"{name}: this showing is known with {there}; correct it or its shown_at"
    return None


def _problems(batch: pd.DataFrame, creators: Collection[str], now: pd.Timestamp) -> Sequence[str | None]:
    """For each row the first thing that is wrong with it by itself, None where nothing is."""
    found = pd.Series(None, index=batch.index, dtype="object")
    happened = batch[c.OUTCOME] != NOTHING
    found[batch[c.OUTCOME_AT] < batch[c.SHOWN_AT]] = "outcome_at: is before shown_at; correct one of them"
    found[happened & batch[c.OUTCOME_AT].isna()] = "outcome_at: is needed with an outcome; say when it came"
    for one in reversed(violations({IMPRESSIONS.name: batch}, now)):
        if one.row is not None and one.column != TWICE:
            found.iloc[one.row] = f"{one.column}: {one.problem}; {one.remedy}"
    found[~batch[c.CREATOR_ID].isin(creators)] = "creator_id: no such creator; upsert it first"
    return [error if isinstance(error, str) else None for error in found]
