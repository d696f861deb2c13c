"""The HTTP API: keys, credentials, outbox, answers. Tables that old workers do not know."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables."""
    _keys()
    _credentials()
    _outbox()
    _answers()


def _keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("platform_id", sa.String(128)),
        sa.Column("user_id", sa.BigInteger),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_digest", "api_keys", ["digest"], unique=True)


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("user_hash", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("team_id", sa.BigInteger),
        sa.Column("app_id", sa.String(128)),
        sa.Column("invalid", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_credentials"),
    )
    op.create_index("ix_credentials_user_hash", "credentials", ["user_hash"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("number", _ROW_ID, nullable=False),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("user_hash", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("taken_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_outbox"),
    )
    op.create_index("ix_outbox_user_hash", "outbox", ["user_hash"])


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("caller", sa.String(32), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("caller", "token", name="pk_answers"),
    )
    op.create_index("ix_answers_created_at", "answers", ["created_at"])
