"""Alembic runs this for every command: in the transaction that :func:`serving.migrations.migrate` began."""

from alembic import context

from serving.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
