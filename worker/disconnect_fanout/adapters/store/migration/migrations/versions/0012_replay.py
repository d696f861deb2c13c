"""What a replay remembers: that it tells also who came back; how often its requests were cut off.

Both columns have a default, so that workers and commands that do not know them go on beside us.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"


def upgrade() -> None:
    """Add two columns."""
    op.add_column(
        "replays",
        sa.Column("include_reconnected", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "deliveries",
        sa.Column("interruptions", sa.Integer, nullable=False, server_default="0"),
    )
