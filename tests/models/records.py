"""Records of creators as a caller would send them, made from a dataset."""

from typing import Any

import pandas as pd

from features import columns as c
from features.schema import Tables


def record_of(tables: Tables, creator_id: str) -> dict[str, Any]:
    """Everything that ``tables`` know of a creator, and of the accounts that engaged with it, as JSON values."""
    own = {
        name: tables[name][tables[name][c.CREATOR_ID] == creator_id]
        for name in ("creators", "audience", "videos", "daily_stats", "engagements")
    }
    accounts = tables["accounts"]
    rows = {name: _rows(frame) for name, frame in own.items()}
    rows["accounts"] = _rows(accounts[accounts[c.ACCOUNT_ID].isin(own["engagements"][c.ACCOUNT_ID])])
    return {"creator": rows.pop("creators")[-1]} | rows


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items() if _given(value)} for row in frame.to_dict("records")]


def _given(value: Any) -> bool:
    return isinstance(value, list) or not pd.isna(value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, pd.Timestamp) else value
