"""The secret keys in use by their fingerprints, and the rows that none of them opens.

Only adds two small tables. Old workers know neither: they write no fingerprint, and go on sealing
with a key that ``fanout migrate`` has noted.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "secret_keys",
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("used_since", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_secret_keys"),
    )
    op.create_table(
        "unreadable_rows",
        sa.Column("of_table", sa.String(32), nullable=False),
        sa.Column("row", sa.String(128), nullable=False),
        sa.Column("found_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("of_table", "row", name="pk_unreadable_rows"),
    )
