"""Run by Alembic inside the transaction that ``schema.migrate`` holds."""

from alembic import context

from disconnect_fanout.adapters.store import partial_indexes  # noqa: F401 - the tables have them now
from disconnect_fanout.adapters.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
