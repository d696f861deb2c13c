"""Many events, opened: those that this version can't read are left out, and said."""

from collections.abc import Iterable, Iterator

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.unreadable_row import UnreadableRow
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.event import DisconnectEvent


def readable(
    database: Database, seals: Seals, sealed: Iterable[tuple[str, bytes]]
) -> Iterator[tuple[str, DisconnectEvent]]:
    """Open events; each comes with the id of its row.

    Args:
        database: told of those that can't be read.
        seals: open them.
        sealed: each with the id of its row.

    Raises:
        Unsealable: one is sealed with a key that is not configured.
    """
    for name, one in sealed:
        try:
            event = seals.open_event(one)
        except UnreadableRow as error:
            database.set_aside.note(BadRow(RowKind.EVENTS, name, str(error)))
        else:
            yield name, event
