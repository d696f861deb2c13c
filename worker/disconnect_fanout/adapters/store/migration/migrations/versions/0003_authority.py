"""A certificate authority for each platform. A column more, that old workers do not read."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("platforms", sa.Column("authority", sa.Text))
