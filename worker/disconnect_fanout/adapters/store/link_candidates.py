"""Who may have to be told: the links of a batch of users, found with one query."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import CompoundSelect, select, union_all

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.instant import from_s, maybe_from_s
from disconnect_fanout.adapters.store.tables import links
from disconnect_fanout.domain.event import DisconnectEvent, Provider
from disconnect_fanout.domain.link import Link


async def find_links(
    database: Database, events: Sequence[DisconnectEvent]
) -> Sequence[Sequence[Link]]:
    """Return the links of each event's address or google id, each once, in the events' order."""
    by_email: dict[str, dict[int, Link]] = defaultdict(dict)
    by_google_id: dict[str, dict[int, Link]] = defaultdict(dict)
    async with database.read() as connection:
        for row in await connection.execute(_candidates(database, events)):
            link = _link(row)
            by_email[link.email][row.id] = link
            if link.google_id is not None:
                by_google_id[link.google_id][row.id] = link
    none: dict[int, Link] = {}
    return [
        tuple(
            {
                **by_email.get(event.user.folded_email, none),
                **by_google_id.get(event.user.google_id or "", none),
            }.values()
        )
        for event in events
    ]


def _candidates(database: Database, events: Sequence[DisconnectEvent]) -> CompoundSelect[Any]:
    """Two look-ups, each on its index; an OR would tempt a planner to read the whole table."""
    emails = _storable({event.user.folded_email for event in events})
    google_ids = _storable({event.user.google_id or "" for event in events})
    return union_all(
        select(links).where(database.among(links.c.email, emails)),
        select(links).where(database.among(links.c.google_id, google_ids)),
    )


def _storable(keys: Collection[str]) -> list[str]:
    """No link holds a NUL, which PostgreSQL would refuse even to look for."""
    return [key for key in keys if key and "\0" not in key]


def _link(row: Any) -> Link:  # noqa: ANN401 - a row of ``links``
    return Link(
        email=row.email,
        platform_id=row.platform_id,
        linked_at=from_s(row.linked_at),
        unlinked_at=maybe_from_s(row.unlinked_at),
        google_id=row.google_id,
        provider=None if row.provider is None else Provider(row.provider),
    )
