"""Clear links in any spelling, the latest start of a link, near misses.

Old workers know none of it: they find clear links by the indexes that stay, insert links without a
latest start, and events with no near miss.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# Word for word what ``adapters.store.spelling`` asks for.
_KEYS = {
    "sqlite": {
        "email": (
            "CASE WHEN trim(email) GLOB '*[^!-~]*' OR email GLOB '*[xX][nN]--*'"
            " THEN '' ELSE lower(trim(email)) END"
        ),
        "google_id": "CASE WHEN trim(google_id) GLOB '*[^!-~]*' THEN '' ELSE trim(google_id) END",
    },
    "postgresql": {
        "email": (
            """CASE WHEN btrim(email) COLLATE "C" ~ '[^!-~]|[xX][nN]--'"""
            """ THEN '' ELSE lower(btrim(email) COLLATE "C") END"""
        ),
        "google_id": (
            """CASE WHEN btrim(google_id) COLLATE "C" ~ '[^!-~]'"""
            """ THEN '' ELSE btrim(google_id) END"""
        ),
    },
}


def upgrade() -> None:
    """Add the indexes and the columns."""
    for column, expression in _KEYS[op.get_bind().dialect.name].items():
        name, where = f"ix_links_{column}_key", f"{column} IS NOT NULL"
        op.create_index(
            name,
            "links",
            [sa.text(f"({expression})")],
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.add_column("links", sa.Column("latest_start", sa.BigInteger))
    missed = sa.Column("near_misses", sa.Integer, nullable=False, server_default=sa.text("0"))
    op.add_column("events", missed)
    some = sa.text("near_misses > 0")
    op.create_index(
        "ix_events_near_misses",
        "events",
        ["received_at"],
        sqlite_where=some,
        postgresql_where=some,
    )
