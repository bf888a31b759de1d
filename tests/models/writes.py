"""Writes as an engine hears of them: each leaves the rows of its creators as the store would."""

from collections.abc import Sequence

import pandas as pd

from features import columns as c
from features.schema import CONTRACT, Tables, conform
from features.source import InMemory, meeting, whole
from models.engine import Engine
from models.lookup import Lookup


def upsert(engine: Engine, creators: pd.DataFrame, audience: pd.DataFrame) -> None:
    """Rows take the place of those of the same entity that are undated or of the same time."""
    _add(engine, {"creators": creators, "audience": audience})


def append_events(engine: Engine, events: pd.DataFrame) -> None:
    _add(engine, {"collaboration_events": events})


def append_labels(engine: Engine, labels: pd.DataFrame, events: pd.DataFrame) -> None:
    _add(engine, {"fraud_labels": labels, "collaboration_events": events})


def delete(engine: Engine, creator_ids: Sequence[str]) -> None:
    stored = tables_of(engine)
    left = {
        name: frame[~frame[c.CREATOR_ID].isin(creator_ids)] for name, frame in stored.items() if c.CREATOR_ID in frame
    }
    met = meeting(InMemory(stored), creator_ids)
    _replace(engine, {**stored, **left}, list(dict.fromkeys([*creator_ids, *met])))


def tables_of(engine: Engine) -> Tables:
    """Everything that the engine's source holds."""
    with engine._lookup._source.reading() as rows:
        return whole(rows)


def _add(engine: Engine, added: Tables) -> None:
    fresh = {name: conform(rows, CONTRACT[name]) for name, rows in added.items()}
    ids = list(pd.concat([rows[c.CREATOR_ID] for rows in fresh.values()]).unique())
    stored = tables_of(engine)
    rows = {name: pd.concat([_left(name, stored[name], rows), rows]) for name, rows in fresh.items()}
    _replace(engine, {**stored, **rows}, ids)


def _replace(engine: Engine, tables: Tables, creator_ids: Sequence[str]) -> None:
    source = InMemory({name: frame.reset_index(drop=True) for name, frame in tables.items()})
    before, engine._lookup = engine._lookup, Lookup(engine._bundle, source)
    try:
        engine.replace(creator_ids, source)
    except Exception:
        engine._lookup = before
        raise


def _left(name: str, stored: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    entity = CONTRACT[name].entity
    if not entity:
        return stored
    keys = pd.MultiIndex.from_frame(rows[[*entity, c.OBSERVED_AT]])
    again = pd.MultiIndex.from_frame(stored[[*entity, c.OBSERVED_AT]]).isin(keys)
    undated = stored[c.OBSERVED_AT].isna() & stored.set_index([*entity]).index.isin(rows.set_index([*entity]).index)
    return stored[~again & ~undated]
