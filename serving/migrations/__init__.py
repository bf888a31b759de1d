"""The store's schema, one Alembic revision after another; only ever added to."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from features.errors import InputError
from serving.database import lock_migrations

VERSION_TABLE = "creatormatch_version"  # a database that holds other programs' tables may have an alembic_version


def is_store(engine: sa.Engine) -> bool:
    """Whether a migration was ever run on this database."""
    return sa.inspect(engine).has_table(VERSION_TABLE)


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Bring a store to ``revision``, all or nothing, whoever else tries the same; one that is there stays as it is.

    Tables from before there were migrations are taken over with their rows: what they lack is added. Raises InputError
    (CONFLICT) for a store that a later version of this code has migrated.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with engine.begin() as connection:
        lock_migrations(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            problem = "the store was written by a later version of this service; serve it with that"
            raise InputError(f"data: {problem} ({error})", code="CONFLICT") from error
