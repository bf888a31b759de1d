"""Fraud scores of creators whom the catalogue does not have, from full records of them: one path with those it has."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from features import columns as c
from features.asof import NO_TIMES, data_as_of, known
from features.errors import Detail, InputError
from features.fraud.history import Dossier
from features.schema import CONTRACT, CREATORS, Table, Tables, complete
from features.source import Rows, of_accounts
from features.tables import coerce
from features.validation import Violation, violations
from models.fraud import FraudModel

CREATOR = "creator"  # the one row of the table creators
TABLES = ("audience", "videos", "daily_stats", "engagements", "accounts")


def record_answers(
    rows: Rows,
    as_of: pd.Timestamp,
    model: FraudModel,
    version: str,
    records: Sequence[Mapping[str, Any]],
    now: pd.Timestamp,
) -> list[dict[str, Any]]:
    """The fraud answer for each record ``{creator, audience, videos, daily_stats, engagements, accounts}``: rows of the
    contract's tables, in which ``creator_id`` may be left out.

    A record speaks of its own latest moment, of ``as_of`` where it has none, and of ``now`` at the latest. It is scored
    by itself, as if the catalogue had its creator in the place of any with this id: what its accounts did with others,
    and accounts it does not describe, are looked up in ``rows``, as they are known to it. Raises InputError for rows
    that break the contract.
    """
    read = [record_tables(record, number, now) for number, record in enumerate(records)]
    return [answer for tables in read for answer in _answer(rows, as_of, model, version, tables, now)]


def record_tables(record: Mapping[str, Any], number: int, now: pd.Timestamp) -> Tables:
    """The tables of the record of this ``number``. Raises InputError naming every field that breaks the contract."""
    creator_id = record[CREATOR][c.CREATOR_ID]
    rows = {CREATORS.name: [record[CREATOR]]} | {name: record[name] for name in TABLES if record.get(name)}
    raw = {name: _frame(rows[name], CONTRACT[name], creator_id) for name in rows}
    details = [_detail(found, number) for found in violations(raw, now)]
    if details:
        raise InputError(f"{details[0]['field']}: {details[0]['problem']}", details)
    return complete({name: coerce(frame, CONTRACT[name]) for name, frame in raw.items()})


def _frame(rows: Sequence[Mapping[str, Any]], table: Table, creator_id: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    if c.CREATOR_ID in table.names:
        frame[c.CREATOR_ID] = frame.get(c.CREATOR_ID, pd.Series(index=frame.index, dtype="object")).fillna(creator_id)
    return frame


def _detail(found: Violation, number: int) -> Detail:
    place = (CREATOR,) if found.table == CREATORS.name else (found.table, found.row)
    steps = ("records", number, *place, found.column)
    field = ".".join(str(step) for step in steps if step is not None)
    return Detail(field=field, problem=f"{found.problem}; {found.remedy}", value=found.value)


def _answer(
    rows: Rows, as_of: pd.Timestamp, model: FraudModel, version: str, tables: Tables, now: pd.Timestamp
) -> list[dict[str, Any]]:
    latest = data_as_of(tables)
    moment = as_of if latest == NO_TIMES else min(latest, now)
    others = of_accounts(rows, tables["engagements"][c.ACCOUNT_ID].unique())
    seen = known(_among_others(tables, others), moment, moment)
    return model.answers(model.features(seen, moment), version, Dossier.of(seen, moment))


def _among_others(tables: Tables, others: Tables) -> Tables:
    """The record with what its accounts did with ``others``, and with accounts that it does not describe itself."""
    acts, accounts = others["engagements"], others["accounts"]
    theirs = ~acts[c.CREATOR_ID].isin(tables["creators"][c.CREATOR_ID])
    missing = ~accounts[c.ACCOUNT_ID].isin(tables["accounts"][c.ACCOUNT_ID])
    return {
        **tables,
        "engagements": pd.concat([tables["engagements"], acts[theirs]], ignore_index=True),
        "accounts": pd.concat([tables["accounts"], accounts[missing]], ignore_index=True),
    }
