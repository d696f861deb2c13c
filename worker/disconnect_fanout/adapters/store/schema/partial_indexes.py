"""The partial indexes, for whoever migrates or compares the schema.

Apart from the tables, because describing them loads the dialects of both databases, which takes
longer than most commands do.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Index, Table, and_

from disconnect_fanout.adapters.store.schema.api_tables import credentials, outbox
from disconnect_fanout.adapters.store.schema.connect_table import connects
from disconnect_fanout.adapters.store.schema.tables import (
    attempts,
    clear,
    clear_answer,
    clear_email,
    clear_google_id,
    dead,
    decided,
    deliveries,
    discarded,
    doomed,
    events,
    google_known,
    links,
    nearly_missed,
    refused,
    replaying,
    unheard,
    waiting,
)

# Of deliveries, what workers look for is in the first four; the others are for operators. A filter
# on a column of an index is judged without its row, so that the newest fifty of a million are found
# in an instant, however few match, and counts read no row at all. Only failures are in them: a
# delivery that succeeds at once does not pay.
_ALL: tuple[tuple[Table, ColumnElement[bool], str, str], ...] = (
    (links, clear_email, "ix_links_email", "email"),
    (links, clear_google_id, "ix_links_google_id", "google_id"),
    (links, clear, "ix_links_clear", "id"),
    (attempts, clear_answer, "ix_attempts_clear", "delivery_id number"),
    (events, unheard, "ix_events_unheard", "received_at"),
    (events, nearly_missed, "ix_events_near_misses", "received_at"),
    (events, google_known, "ix_events_google_hash", "google_hash"),
    (deliveries, waiting, "ix_deliveries_due", "platform_id next_at"),
    (deliveries, replaying, "ix_deliveries_replaying", "job next_at"),
    (deliveries, decided, "ix_deliveries_decided", "decided_at"),
    (deliveries, dead, "ix_deliveries_dead_id", "id"),  # the sweeper walks them in this order
    (
        deliveries,
        dead,
        "ix_deliveries_dead",
        "platform_id decided_at reason last_status last_result last_error",
    ),
    (deliveries, dead, "ix_deliveries_dead_at", "decided_at platform_id reason last_status"),
    (deliveries, doomed, "ix_deliveries_doomed", "created_at platform_id reason last_status"),
    (deliveries, discarded, "ix_deliveries_discarded", "created_at platform_id"),
    (deliveries, refused, "ix_deliveries_refused", "created_at last_status platform_id"),
)


_SPELLED = (connects, credentials, events, links, outbox)
_OPENABLE = (credentials, events, links, outbox)


def _spelling() -> Iterator[tuple[Table, ColumnElement[bool], str, str]]:
    """Addresses whose mailbox is another text than older versions hash, and rows of theirs."""
    for table in _SPELLED:
        other = table.c.mailbox_hash.is_not(None)
        yield table, other, f"ix_{table.name}_mailbox_hash", "mailbox_hash"
    for table in _OPENABLE:
        older = and_(table.c.spelling.is_(None), table.c.user_hash.is_not(None))
        (key,) = table.primary_key.columns
        yield table, older, f"ix_{table.name}_older", key.name


def _made() -> Iterator[Index]:
    for table, where, name, columns in (*_ALL, *_spelling()):
        named = [table.c[one] for one in columns.split()]
        yield Index(name, *named, sqlite_where=where, postgresql_where=where)


INDEXES = tuple(_made())
"""Each is also known to its table from now on."""
