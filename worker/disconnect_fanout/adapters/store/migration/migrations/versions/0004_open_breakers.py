"""Which worker holds which breaker open. A table that old workers do not know."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "open_breakers",
        sa.Column("worker", sa.String(32), nullable=False),
        sa.Column("platform_id", sa.String(128), nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("worker", "platform_id", name="pk_open_breakers"),
    )
