"""The contract's rows as the store holds them, looked up by its indexes: what answers about a few creators read."""

from collections.abc import Collection

import pandas as pd
import sqlalchemy as sa

from features import schema
from features.schema import Table
from features.tables import conformed
from serving.database import among


class StoredRows:
    """:class:`features.source.Rows` on a connection: those of one snapshot, if its transaction has one."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def where(self, name: str, column: str, values: Collection[str]) -> pd.DataFrame:
        """The rows of the table ``name`` with one of ``values`` in ``column``, which has an index."""
        asked = [value for value in values if isinstance(value, str)]
        table = schema.CONTRACT[name]
        stored = _stored(table)
        chosen = sa.select(stored).where(among(self._connection, stored.c[column], asked))
        found = self._connection.execute(chosen).all()  # one by one they take as long again
        # Every cell was checked when it came in, or when whole tables were read.
        columns = zip(*found, strict=True)
        return schema.framed(dict(zip(table.names, columns, strict=True)), table) if found else schema.empty(table)

    def table(self, name: str) -> pd.DataFrame:
        """All of a table. Raises InputError for a cell that is not of its column's kind."""
        table = schema.CONTRACT[name]
        found = self._connection.execute(sa.select(_stored(table))).all()
        return conformed(pd.DataFrame(found, columns=[*table.names]), table) if found else schema.empty(table)


def _stored(table: Table) -> sa.TableClause:
    """Without types: what stands there is read as any dataset is, so that a bad cell can be named."""
    return sa.table(table.name, *(sa.column(name) for name in table.names))
