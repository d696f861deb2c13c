"""Who may have to be told: the links of a batch of users, found with one query."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.sealed_link import SealedLinks
from disconnect_fanout.domain.event import User
from disconnect_fanout.domain.link import Link


async def find_links(
    database: Database, seals: Seals, users: Sequence[User]
) -> Sequence[Mapping[int, Link]]:
    """Return the links of each user's address or google id, by row, in the users' order."""
    emails = _storable({user.folded_email for user in users})
    google_ids = _storable({user.google_id or "" for user in users})
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
        {**by_email.get(user.folded_email, none), **by_google_id.get(user.google_id or "", none)}
        for user in users
    ]


def _storable(keys: Collection[str]) -> list[str]:
    """No link holds a NUL, which PostgreSQL would refuse even to look for."""
    return [key for key in keys if key and "\0" not in key]
