"""The tables. Instants are whole milliseconds since 1970 in UTC, links' are whole seconds.

A delivery is *waiting* while it has a ``next_at``, and *due* when that has come. One that was
delivered and is sent again waits too, and stays delivered. A lease is a token plus a ``next_at`` in
the future: when it expires, the row is due again, with the dead worker's token still on it. A
delivery is *decided* when it is pending with a ``reason``: no more requests, its dead letter is on
the way.

Partial indexes are used only where a query repeats their condition word for word: a bound
parameter in its place would hide it from both planners. Hence ``waiting``, ``decided`` and
``dead``, with their constants spelled out. The indexes themselves are in ``partial_indexes``.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    and_,
    false,
    literal_column,
    or_,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row: 1
    Column("lookup_key", LargeBinary, nullable=False),  # sealed; hashes addresses for look-ups
    Column("flushes", BigInteger, nullable=False),  # grows with a commit that has nothing to write
)

platforms = Table(
    "platforms",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("scheme", String(32), nullable=False),
    Column("secret", LargeBinary, nullable=False),  # sealed
    Column("old_secret", LargeBinary),  # sealed; signs too until old_secret_until
    Column("old_secret_until", BigInteger),
    Column("revision", Integer, nullable=False),  # grows with URL and secret
    Column("authority", Text),  # PEM; the only one that its certificate may come from
    Column("timeout_s", Float),
    Column("max_in_flight", Integer),
    Column("rate_per_s", Float),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text),
    Column("disabled_at", BigInteger),
    Column("disabled_by", String(64)),  # the delivery whose 410 did it
    Column("paused_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("user_hash", String(32)),  # keyed hash of the case-folded address
    Column("mailbox_hash", String(32)),  # of the mailbox, where it is another one (``spelling``)
    Column("spelling", SmallInteger),
    Column("google_hash", String(32)),  # keyed hash of the google id
    Column("sealed", LargeBinary),  # address and google id as JSON, encrypted
    Column("email", Text),  # clear: only what the owner's SQL wrote, until a worker seals it
    Column("google_id", Text),  # likewise
    Column("provider", String(16)),
    Column("platform_id", String(128), nullable=False),
    Column("linked_at", BigInteger, nullable=False),  # seconds
    Column("unlinked_at", BigInteger),  # seconds
    Column("latest_start", BigInteger),  # seconds: the latest start that was said of it, if later
    CheckConstraint("sealed IS NOT NULL OR email IS NOT NULL", "ck_links_user"),
    Index("ix_links_user_hash", "user_hash"),
    Index("ix_links_google_hash", "google_hash"),
    Index("ix_links_platform_id", "platform_id"),
)
clear_email = links.c.email.is_not(None)
clear_google_id = links.c.google_id.is_not(None)
clear = or_(clear_email, clear_google_id)
spelled = links.c.mailbox_hash.is_not(None)

events = Table(
    "events",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("content_hash", String(32), nullable=False),  # keyed: nobody tries addresses on a copy
    Column("user_hash", LargeBinary),  # keyed hash of the case-folded address; None once forgotten
    Column("mailbox_hash", String(32)),  # of the mailbox, where it is another one (``spelling``)
    Column("spelling", SmallInteger),
    Column("google_hash", String(32)),  # keyed; only where connects may come after disconnects
    Column("sealed", LargeBinary, nullable=False),  # the event as JSON, encrypted
    Column("disconnected_at", BigInteger, nullable=False),  # seconds
    Column("received_at", BigInteger, nullable=False),
    Column("recipients", Integer, nullable=False),  # frozen at planning
    Column("near_misses", Integer, nullable=False, server_default=text("0")),
    Column("copies", Integer, nullable=False),  # how often it arrived again
    Column("writer", String(32), nullable=False),  # the registration that inserted it
    Index("ix_events_received_at", "received_at"),
    Index("ix_events_user_hash", "user_hash"),
)
unheard = events.c.recipients == literal_column("0")
nearly_missed = events.c.near_misses > literal_column("0")
google_known = events.c.google_hash.is_not(None)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("event_id", String(128), nullable=False),
    Column("platform_id", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("replays", Integer, nullable=False),
    Column("next_at", BigInteger),  # due, or the end of the lease; None once settled or decided
    Column("not_before", BigInteger),  # Retry-After: nothing makes it due earlier
    Column("hastened", Boolean, nullable=False, server_default=false()),  # before its turn
    Column("lease", String(32)),
    Column("born_at", BigInteger, nullable=False),  # of this round of the schedule
    Column("reason", String(32)),
    Column("decided_at", BigInteger),
    Column("last_result", String(16)),
    Column("last_status", Integer),
    Column("last_error", String(120)),  # normalised, to group by
    Column("first_failed_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
    Column("job", String(32)),  # the replay that sent it last
    Column("because", Text),  # why an operator discarded it
    Column("forgotten", Boolean),  # true: what is answered about it is not kept
    Column("interruptions", Integer, nullable=False, server_default="0"),  # of this round
    Index("ix_deliveries_event_id", "event_id"),
    Index("ix_deliveries_created_at", "created_at", "platform_id"),
)

FIRST_REFUSAL = 300
waiting = deliveries.c.next_at.is_not(None)
replaying = and_(waiting, deliveries.c.job.is_not(None))
decided = and_(deliveries.c.state == literal_column("'pending'"), deliveries.c.reason.is_not(None))
doomed = deliveries.c.reason.is_not(None)
dead = deliveries.c.state == literal_column("'dead'")
discarded = deliveries.c.state == literal_column("'discarded'")
refused = deliveries.c.last_status >= literal_column(f"{FIRST_REFUSAL}")

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("result", String(16), nullable=False),
    Column("status", Integer),
    Column("duration_ms", Integer, nullable=False),
    Column("answer", Text, nullable=False),  # clear: only an earlier version's, until it is sealed
    Column("replay", Boolean, nullable=False),
    Column("sealed", LargeBinary),  # the answer, encrypted
    PrimaryKeyConstraint("delivery_id", "number"),
)

clear_answer = and_(
    attempts.c.answer != literal_column("''"),
    attempts.c.result != literal_column("'interrupted'"),  # these words are ours
)

replays = Table(
    "replays",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("state", String(16), nullable=False),  # selecting, running, paused, cancelled, done
    Column("rate_per_s", Float),
    Column("selected", Integer, nullable=False),
    Column("reconnected", Integer, nullable=False),
    Column("delivered", Integer),  # counted when it is finished; until then its items are
    Column("failed", Integer),  # likewise
    Column("slot_at", BigInteger, nullable=False),  # the instant given to the last release, or 0
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("include_reconnected", Boolean, nullable=False, server_default=false()),
)

replay_items = Table(
    "replay_items",
    metadata,
    Column("job", String(32), nullable=False),
    Column("delivery_id", String(64), nullable=False),
    Column("platform_id", String(128), nullable=False),
    Column("state", String(16), nullable=False),  # see replay_items.py
    Column("reason", String(32)),  # of the dead letter that was released
    PrimaryKeyConstraint("job", "delivery_id"),
    Index("ix_replay_items_state", "job", "state", "delivery_id", "platform_id"),
    Index("ix_replay_items_delivery_id", "delivery_id"),
)

duties = Table(
    "duties",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("until", BigInteger, nullable=False),
)
