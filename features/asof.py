"""The tables as they were known at a moment, so that nothing is ever computed from what came later.

A row's time is the first of its table's ``known`` columns that is given (``observed_at``, ``received_at``, an event's
own time); ``daily_stats`` are known at the end of their date. A row without any time (an undated snapshot, a brief
without ``created_at``, a label without ``known_at``) counts as known at ``end``, when the dataset was exported. What an
undated snapshot still says of an earlier moment is told by :func:`known`. Every moment is naive UTC and inclusive: a
row known at exactly ``as_of`` is known.
"""

from functools import reduce

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import columns as c
from features import schema
from features.numbered import Places, numbered_together
from features.schema import Kind, Table, Tables

NO_TIMES = pd.Timestamp("1970-01-01")
"""The ``data_as_of`` of a dataset in which nothing has a time; every row of it is known from then on."""

_SNAPSHOTS = tuple(table for table in schema.CONTRACT.values() if table.entity)
# The moment a thing itself began, from which its attributes (not its numbers) are known.
_BEGINNINGS = {schema.VIDEOS.name: c.CREATE_TIME, schema.ACCOUNTS.name: c.CREATED_AT}
_ATTRIBUTED = {schema.CREATORS.name, schema.VIDEOS.name, schema.ACCOUNTS.name}
_TIMELESS = {c.DURATION_S}


def data_as_of(tables: Tables) -> pd.Timestamp:
    """The latest moment at which anything in the dataset became known; :data:`NO_TIMES` when nothing has a time."""
    return _last_moment(schema.complete(tables))


def _last_moment(completed: Tables) -> pd.Timestamp:
    moments = [known_at(completed[name], table).max() for name, table in schema.CONTRACT.items()]
    moments += [
        completed[schema.VIDEOS.name][c.CREATE_TIME].max(),
        completed[schema.IMPRESSIONS.name][c.OUTCOME_AT].max(),
    ]
    return max((moment for moment in moments if not pd.isna(moment)), default=NO_TIMES)


def is_static(tables: Tables) -> bool:
    """Whether no snapshot (creators, prices, audience, videos, accounts) is dated, so that there is no history."""
    completed = schema.complete(tables)
    return all(completed[table.name][c.OBSERVED_AT].isna().all() for table in _SNAPSHOTS)


def known(tables: Tables, as_of: pd.Timestamp, end: pd.Timestamp | None = None) -> schema.Complete:
    """Every contract table, complete, with only what was known at ``as_of`` (inclusive).

    Snapshot tables keep the latest known row of each creator, creator and format, creator and audience dimension (all
    its buckets), video or account. Before any such row, an undated creator, an undated account (from ``created_at`` on)
    and every video (from ``create_time`` on) keep their attributes, while their numbers, ``duration_s`` apart, are
    null; undated audience and prices are absent. An impression's outcome is NONE until ``outcome_at``. ``end`` is when
    the undated rows were observed, by default :func:`data_as_of` of all the tables.
    """
    completed = schema.complete(tables)
    end = _last_moment(completed) if end is None else end
    seen = {name: known_rows(completed[name], table, as_of, end) for name, table in schema.CONTRACT.items()}
    return schema.Complete(seen)


def known_rows(frame: pd.DataFrame, table: Table, as_of: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Of one table, or of some of its entities, what :func:`known` gives."""
    visible = _visible(frame, table, as_of, end)
    return _with_outcomes(visible, as_of, end) if table is schema.IMPRESSIONS else visible


def exported(tables: Tables, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The dataset as an export at ``as_of`` would have been: like :func:`known`, but with the whole history of every
    snapshot up to then, so that earlier moments can still be asked for. Undated rows stay out unless :func:`data_as_of`
    is past.
    """
    completed = schema.complete(tables)
    end = data_as_of(completed)
    rows = {}
    for name, table in schema.CONTRACT.items():
        seen = known_at(completed[name], table).fillna(end) <= as_of
        rows[name] = completed[name][seen].reset_index(drop=True)
    return rows | {schema.IMPRESSIONS.name: _with_outcomes(rows[schema.IMPRESSIONS.name], as_of, end)}


def known_at(frame: pd.DataFrame, table: Table) -> pd.Series:
    """When each row became known; NaT where the row does not say."""
    times = (frame[name].to_numpy() for name in table.known)
    moment = reduce(lambda first, then: np.where(np.isnat(first), then, first), times)
    if table is schema.DAILY_STATS:
        moment = (moment.astype("datetime64[D]") + 1).astype(moment.dtype)
    return pd.Series(moment, frame.index)


def _visible(frame: pd.DataFrame, table: Table, as_of: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    seen = (known_at(frame, table).fillna(end) <= as_of).to_numpy()
    if not table.entity:
        return _chosen(frame, np.flatnonzero(seen))
    begun = np.ones(len(frame), bool)
    if table.name in _BEGINNINGS:
        begun = (~(frame[_BEGINNINGS[table.name]] > as_of)).to_numpy()
    entity = _entities(frame, table)
    rows = _latest(frame, np.flatnonzero(seen & begun), entity, end)
    if table.name not in _ATTRIBUTED:
        return _chosen(frame, rows)
    early = _early(frame, np.flatnonzero(~seen & begun), table)
    rows = np.concatenate([rows, early])
    rows = np.sort(rows[np.unique(entity[rows], return_index=True)[1]])
    return _without_numbers(_chosen(frame, rows), np.isin(rows, early), table)


def _chosen(frame: pd.DataFrame, rows: Places) -> pd.DataFrame:
    """These rows, in order, numbered anew; of a table from its start on, which may be long, nothing is copied."""
    first = len(rows) == 0 or rows[-1] == len(rows) - 1
    return (frame.iloc[: len(rows)] if first else frame.iloc[rows]).reset_index(drop=True)


def _entities(frame: pd.DataFrame, table: Table) -> Places:
    """(n,) a number for the entity of each row; -1 where part of its key is missing."""
    return numbered_together(*(frame[name] for name in table.entity))


def _latest(frame: pd.DataFrame, rows: Places, entity: Places, end: pd.Timestamp) -> Places:
    """Of ``rows`` those of each entity's latest observation; at equal times a dated one comes before an undated one."""
    rows = rows[entity[rows] >= 0]
    observed = frame[c.OBSERVED_AT].iloc[rows]
    order = (2 * observed.fillna(end).astype("int64") + observed.notna()).to_numpy()
    last = np.full(entity.max(initial=-1) + 1, np.iinfo(np.int64).min)
    np.maximum.at(last, entity[rows], order)
    return rows[order == last[entity[rows]]]


def _early(frame: pd.DataFrame, unseen: Places, table: Table) -> Places:
    """Of the rows ``unseen`` those that tell of things before any observation of them, the earliest first."""
    observed = frame[c.OBSERVED_AT].iloc[unseen]
    if table is not schema.VIDEOS:
        unseen, observed = unseen[observed.isna()], observed[observed.isna()]
    return unseen[np.argsort(observed.to_numpy(), kind="stable")]


def _without_numbers(frame: pd.DataFrame, early: npt.NDArray[np.bool_], table: Table) -> pd.DataFrame:
    """What is known of things before any observation of them, the rows ``early``: their attributes."""
    if not early.any():
        return frame
    numbers = [column.name for column in table.columns if column.kind is Kind.NUMBER and column.name not in _TIMELESS]
    return frame.assign(**{name: frame[name].mask(early) for name in (*numbers, c.OBSERVED_AT)})


def _with_outcomes(impressions: pd.DataFrame, as_of: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """The impressions, NONE for every outcome that came after ``as_of``; one without its own time came at ``end``."""
    open_still = impressions[c.OUTCOME].notna() & (impressions[c.OUTCOME_AT].fillna(end) > as_of)
    return impressions.assign(
        **{
            c.OUTCOME: impressions[c.OUTCOME].mask(open_still, "NONE"),
            c.OUTCOME_AT: impressions[c.OUTCOME_AT].mask(open_still),
        }
    )
