"""Writes as an engine hears of them: each leaves the rows of its creators as the store would."""

from collections.abc import Sequence

import pandas as pd

from features import columns as c
from features.schema import CONTRACT, Tables, conform
from models.engine import Engine
from serving.store import FOLLOWED


def upsert(engine: Engine, creators: pd.DataFrame, audience: pd.DataFrame) -> None:
    """Rows take the place of those of the same entity that are undated or of the same time."""
    _add(engine, {"creators": creators, "audience": audience})


def append_events(engine: Engine, events: pd.DataFrame) -> None:
    _add(engine, {"collaboration_events": events})


def append_labels(engine: Engine, labels: pd.DataFrame, events: pd.DataFrame) -> None:
    _add(engine, {"fraud_labels": labels, "collaboration_events": events})


def delete(engine: Engine, creator_ids: Sequence[str]) -> None:
    engine.replace(creator_ids, {table.name: engine._tables[table.name][:0] for table in FOLLOWED})


def _add(engine: Engine, added: Tables) -> None:
    fresh = {name: conform(rows, CONTRACT[name]) for name, rows in added.items()}
    ids = list(pd.concat([rows[c.CREATOR_ID] for rows in fresh.values()]).unique())
    stored = {table.name: engine._tables[table.name] for table in FOLLOWED}
    stored = {name: frame[frame[c.CREATOR_ID].isin(ids)] for name, frame in stored.items()}
    left = {name: _left(frame, fresh[name]) if name in fresh else frame for name, frame in stored.items()}
    engine.replace(ids, {name: pd.concat([frame, fresh.get(name, frame[:0])]) for name, frame in left.items()})


def _left(stored: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    entity = next((table.entity for table in FOLLOWED if set(table.names) == set(rows.columns)), ())
    if not entity:
        return stored
    keys = pd.MultiIndex.from_frame(rows[[*entity, c.OBSERVED_AT]])
    again = pd.MultiIndex.from_frame(stored[[*entity, c.OBSERVED_AT]]).isin(keys)
    undated = stored[c.OBSERVED_AT].isna() & stored.set_index([*entity]).index.isin(rows.set_index([*entity]).index)
    return stored[~again & ~undated]
