"""Events that have not happened: what may be left out of them, and whether the ledger would take them."""

from dataclasses import replace

import pandas as pd

from features import columns as c
from features.errors import Detail, InputError
from features.schema import COLLABORATION_EVENTS, Table, conform
from serving.ledger import ERROR

_GIVEN = (c.CREATOR_ID, c.RECEIVED_AT)
_OPTIONAL = (c.EVENT_ID, c.EVENT_TIME)
EVENT = Table(
    "hypothetical_event",
    tuple(
        replace(column, required=column.required and column.name not in _OPTIONAL)
        for column in COLLABORATION_EVENTS.columns
        if column.name not in _GIVEN
    ),
)


def completed(rows: pd.DataFrame, creator_id: str, latest: pd.Timestamp) -> pd.DataFrame:
    """Conformed ``rows`` of EVENT as events of the ledger; one without a time comes after ``latest`` and those before
    it in the list."""
    order = pd.Series(range(len(rows)), index=rows.index)
    return conform(
        rows.assign(
            **{
                c.CREATOR_ID: creator_id,
                c.EVENT_ID: rows[c.EVENT_ID].fillna("what-if-" + order.astype("str")),
                c.EVENT_TIME: rows[c.EVENT_TIME].fillna(latest + pd.to_timedelta(order + 1, unit="us")),
            }
        ),
        COLLABORATION_EVENTS,
    )


def check(verdict: pd.DataFrame) -> None:
    """InputError with every event of the ``verdict`` (:func:`serving.ledger.judged`) that the ledger would reject."""
    details = [
        Detail(field=f"events.{row}.{field}", problem=problem, value=event_id)
        for row, (event_id, error) in enumerate(zip(verdict[c.EVENT_ID], verdict[ERROR], strict=True))
        if error is not None
        for field, _, problem in [error.partition(": ")]
    ]
    if details:
        raise InputError(f"{details[0]['field']}: {details[0]['problem']}", details)
