"""The table of connect events that were learnt, so that each is learnt once."""

from sqlalchemy import BigInteger, Column, Index, SmallInteger, String, Table

from disconnect_fanout.adapters.store.schema.tables import metadata

connects = Table(
    "connects",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("content_hash", String(32)),  # keyed; None once its user was forgotten
    Column("user_hash", String(32)),  # keyed hash of the case-folded address; likewise
    Column("mailbox_hash", String(32)),  # see ``spelling``
    Column("spelling", SmallInteger),
    Column("received_at", BigInteger, nullable=False),
    Index("ix_connects_user_hash", "user_hash"),
    Index("ix_connects_received_at", "received_at"),
)
