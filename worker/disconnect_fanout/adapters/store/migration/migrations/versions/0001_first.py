"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create everything."""
    _installation()
    _platforms()
    _links()
    _events()
    _deliveries()
    _attempts()
    _replays()
    _duties()


def _installation() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("lookup_key", sa.LargeBinary, nullable=False),
        sa.Column("flushes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )


def _platforms() -> None:
    op.create_table(
        "platforms",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("old_secret", sa.LargeBinary),
        sa.Column("old_secret_until", sa.BigInteger),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("timeout_s", sa.Float),
        sa.Column("max_in_flight", sa.Integer),
        sa.Column("rate_per_s", sa.Float),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("disabled_reason", sa.Text),
        sa.Column("disabled_at", sa.BigInteger),
        sa.Column("disabled_by", sa.String(64)),
        sa.Column("paused_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_platforms"),
    )


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("user_hash", sa.String(32)),
        sa.Column("google_hash", sa.String(32)),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("email", sa.Text),
        sa.Column("google_id", sa.Text),
        sa.Column("provider", sa.String(16)),
        sa.Column("platform_id", sa.String(128), nullable=False),
        sa.Column("linked_at", sa.BigInteger, nullable=False),
        sa.Column("unlinked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.CheckConstraint("sealed IS NOT NULL OR email IS NOT NULL", name="ck_links_user"),
    )
    for column in ("user_hash", "google_hash", "platform_id"):
        op.create_index(f"ix_links_{column}", "links", [column])
    for name, columns, where in (
        ("ix_links_email", ["email"], "email IS NOT NULL"),
        ("ix_links_google_id", ["google_id"], "google_id IS NOT NULL"),
        ("ix_links_clear", ["id"], "email IS NOT NULL OR google_id IS NOT NULL"),
    ):
        _partial_index(name, "links", columns, where)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("content_hash", sa.String(32), nullable=False),
        sa.Column("user_hash", sa.LargeBinary),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("disconnected_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("recipients", sa.Integer, nullable=False),
        sa.Column("copies", sa.Integer, nullable=False),
        sa.Column("writer", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_received_at", "events", ["received_at"])
    op.create_index("ix_events_user_hash", "events", ["user_hash"])
    _partial_index("ix_events_unheard", "events", ["received_at"], "recipients = 0")


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("platform_id", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("replays", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("not_before", sa.BigInteger),
        sa.Column("hastened", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("lease", sa.String(32)),
        sa.Column("born_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("last_result", sa.String(16)),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_error", sa.String(120)),
        sa.Column("first_failed_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("job", sa.String(32)),
        sa.Column("because", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_event_id", "deliveries", ["event_id"])
    op.create_index("ix_deliveries_created_at", "deliveries", ["created_at", "platform_id"])
    for name, columns, where in (
        ("ix_deliveries_due", ["platform_id", "next_at"], "next_at IS NOT NULL"),
        (
            "ix_deliveries_replaying",
            ["job", "next_at"],
            "next_at IS NOT NULL AND job IS NOT NULL",
        ),
        ("ix_deliveries_decided", ["decided_at"], "state = 'pending' AND reason IS NOT NULL"),
        (
            "ix_deliveries_dead",
            ["platform_id", "decided_at", "reason", "last_status", "last_result", "last_error"],
            "state = 'dead'",
        ),
        ("ix_deliveries_dead_id", ["id"], "state = 'dead'"),
        (
            "ix_deliveries_dead_at",
            ["decided_at", "platform_id", "reason", "last_status"],
            "state = 'dead'",
        ),
        (
            "ix_deliveries_doomed",
            ["created_at", "platform_id", "reason", "last_status"],
            "reason IS NOT NULL",
        ),
        ("ix_deliveries_discarded", ["created_at", "platform_id"], "state = 'discarded'"),
        (
            "ix_deliveries_refused",
            ["created_at", "last_status", "platform_id"],
            "last_status >= 300",
        ),
    ):
        _partial_index(name, "deliveries", columns, where)


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("replay", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="pk_attempts"),
    )


def _replays() -> None:
    op.create_table(
        "replays",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("rate_per_s", sa.Float),
        sa.Column("selected", sa.Integer, nullable=False),
        sa.Column("reconnected", sa.Integer, nullable=False),
        sa.Column("delivered", sa.Integer),
        sa.Column("failed", sa.Integer),
        sa.Column("slot_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_replays"),
    )
    op.create_table(
        "replay_items",
        sa.Column("job", sa.String(32), nullable=False),
        sa.Column("delivery_id", sa.String(64), nullable=False),
        sa.Column("platform_id", sa.String(128), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.PrimaryKeyConstraint("job", "delivery_id", name="pk_replay_items"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_replay_items_state", "replay_items", ["job", "state", "delivery_id", "platform_id"]
    )
    op.create_index("ix_replay_items_delivery_id", "replay_items", ["delivery_id"])


def _duties() -> None:
    op.create_table(
        "duties",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_duties"),
    )


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
