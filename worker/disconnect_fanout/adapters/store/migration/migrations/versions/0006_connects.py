"""Connect events, and disconnects found by google id. Old workers know neither."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table, the column and its index."""
    op.create_table(
        "connects",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("content_hash", sa.String(32)),
        sa.Column("user_hash", sa.String(32)),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_connects"),
    )
    op.create_index("ix_connects_user_hash", "connects", ["user_hash"])
    op.create_index("ix_connects_received_at", "connects", ["received_at"])
    op.add_column("events", sa.Column("google_hash", sa.String(32)))
    known = sa.text("google_hash IS NOT NULL")
    op.create_index(
        "ix_events_google_hash",
        "events",
        ["google_hash"],
        sqlite_where=known,
        postgresql_where=known,
    )
