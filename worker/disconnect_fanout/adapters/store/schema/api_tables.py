"""The tables of the HTTP API: keys, credentials, the outbox, and answers that are given again."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
)

from disconnect_fanout.adapters.store.schema.tables import metadata

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of 256 random bits; no key is kept
    Column("platform_id", String(128)),
    Column("user_id", BigInteger),
    Column("scopes", Text, nullable=False),  # separated by spaces
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Index("ix_api_keys_digest", "digest", unique=True),
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(32), nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("user_hash", String(32), nullable=False),  # keyed hash of the case-folded address
    Column("mailbox_hash", String(32)),  # see ``spelling``
    Column("spelling", SmallInteger),
    Column("sealed", LargeBinary, nullable=False),  # address and google id, encrypted
    Column("team_id", BigInteger),
    Column("app_id", String(128)),
    Column("invalid", Boolean, nullable=False),
    Index("ix_credentials_user_hash", "user_hash"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("number", _ROW_ID, primary_key=True),
    Column("event_id", String(128), nullable=False),
    Column("user_hash", String(32), nullable=False),
    Column("mailbox_hash", String(32)),  # see ``spelling``
    Column("spelling", SmallInteger),
    Column("sealed", LargeBinary, nullable=False),  # the event, encrypted
    Column("created_at", BigInteger, nullable=False),
    Column("taken_until", BigInteger, nullable=False),  # 0: nobody publishes it
    Column("problem", String(120)),  # why it was set aside; it is tried again, but rarely
    Index("ix_outbox_user_hash", "user_hash"),
)

answers = Table(
    "answers",
    metadata,
    Column("caller", String(32), nullable=False),  # the id of a key
    # Keyed: an Idempotency-Key may be an address, and the path of a request holds one.
    Column("token", String(64), nullable=False),  # of the Idempotency-Key
    Column("request", String(64), nullable=False),  # of what was asked; empty once forgotten
    Column("sealed", LargeBinary),  # the outcome, encrypted; None only inside its transaction
    Column("created_at", BigInteger, nullable=False),
    Column("user_hash", String(32)),  # keyed hash of the address; None where none was given
    PrimaryKeyConstraint("caller", "token"),
    Index("ix_answers_created_at", "created_at"),
    Index("ix_answers_user_hash", "user_hash"),
)
