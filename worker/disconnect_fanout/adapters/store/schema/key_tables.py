"""The tables about keys: those in use, and the rows that none of them opens."""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, String, Table

from disconnect_fanout.adapters.store.schema.tables import metadata

secret_keys = Table(
    "secret_keys",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("used_since", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # when somebody last sealed, or could have
)

unreadable_rows = Table(
    "unreadable_rows",
    metadata,
    Column("of_table", String(32), nullable=False),
    Column("row", String(128), nullable=False),
    Column("found_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("of_table", "row"),
)
