"""Run by Alembic on the connection that ``schema.migrate`` holds.

A new database is made in one transaction. One that others use is changed statement by statement.
"""

from alembic import context

from disconnect_fanout.adapters.store.migration.migrations.steps import Steps
from disconnect_fanout.adapters.store.schema import partial_indexes  # noqa: F401 - the tables have them now
from disconnect_fanout.adapters.store.schema.tables import metadata

given = context.config.attributes
context.configure(connection=given["connection"], target_metadata=metadata)
if (turns := given.get("turns")) is not None:
    migration = context.get_context()
    migration.impl = Steps(migration.impl, turns)
with context.begin_transaction():
    context.run_migrations()
