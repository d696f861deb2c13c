"""Answers of platforms sealed, remembered answers found by their user, forgotten deliveries marked.

Only adds: an old worker writes answers in clear beside the new ones, which seal them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_CLEAR = "answer <> '' AND result <> 'interrupted'"
_UNSAMPLED = (
    ("links", "email"),
    ("links", "google_id"),
    ("attempts", "answer"),
    ("deliveries", "because"),
)
_UNSAMPLED_KEYS = ("ix_links_email_key", "ix_links_google_id_key")  # samples of expressions too


def upgrade() -> None:
    """Add the columns and their indexes."""
    op.add_column("attempts", sa.Column("sealed", sa.LargeBinary))
    op.add_column("deliveries", sa.Column("forgotten", sa.Boolean))
    op.add_column("answers", sa.Column("user_hash", sa.String(32)))
    op.create_index("ix_answers_user_hash", "answers", ["user_hash"])
    clear = sa.text(_CLEAR)
    op.create_index(
        "ix_attempts_clear",
        "attempts",
        ["delivery_id", "number"],
        sqlite_where=clear,
        postgresql_where=clear,
    )
    if op.get_bind().dialect.name == "postgresql":
        # ANALYZE copies samples of a column into a catalogue, where nothing of ours removes them.
        for table, column in _UNSAMPLED:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
        for index in _UNSAMPLED_KEYS:
            op.execute(f"ALTER INDEX {index} ALTER COLUMN 1 SET STATISTICS 0")
