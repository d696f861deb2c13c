"""Addresses found by their mailbox, beside the hash that old workers go on looking for."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_KEYS = {"links": "id", "events": "id", "outbox": "number", "credentials": "id"}
"""Of the tables whose rows can be opened, and are, once each (decision 0015)."""


def upgrade() -> None:
    """Add the columns; rows that are there, and those that old workers write, have none of them."""
    for table in (*_KEYS, "connects"):
        op.add_column(table, sa.Column("mailbox_hash", sa.String(32)))
        op.add_column(table, sa.Column("spelling", sa.SmallInteger))
        _index(f"ix_{table}_mailbox_hash", table, "mailbox_hash", "mailbox_hash IS NOT NULL")
    for table, key in _KEYS.items():
        _index(f"ix_{table}_older", table, key, "spelling IS NULL AND user_hash IS NOT NULL")


def _index(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], sqlite_where=condition, postgresql_where=condition)
