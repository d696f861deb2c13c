"""Who may have to be told: the links of a batch of users, found with one query."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.sealed_link import SealedLinks
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link


async def find_links(
    database: Database, seals: Seals, events: Sequence[DisconnectEvent]
) -> Sequence[Sequence[Link]]:
    """Return the links of each event's address or google id, each once, in the events' order.

    Raises:
        Unsealable: a link was sealed with a key that is not configured.
    """
    emails = _storable({event.user.folded_email for event in events})
    google_ids = _storable({event.user.google_id or "" for event in events})
    by_email: dict[str, dict[int, Link]] = defaultdict(dict)
    by_google_id: dict[str, dict[int, Link]] = defaultdict(dict)
    async with database.read() as connection:
        found = await SealedLinks(database, seals).find(connection, emails, google_ids)
    for row, link in found.items():
        by_email[link.email][row] = link
        if link.google_id is not None:
            by_google_id[link.google_id][row] = link
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


def _storable(keys: Collection[str]) -> list[str]:
    """No link holds a NUL, which PostgreSQL would refuse even to look for."""
    return [key for key in keys if key and "\0" not in key]
