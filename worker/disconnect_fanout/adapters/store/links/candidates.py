"""Who may have to be notified: the links of a batch of users, found with one query."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.links.seals import SealedLinks
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.event import User
from disconnect_fanout.domain.google_id import is_google_id
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.old_spelling import folds


async def find_links(
    database: Database, seals: Seals, users: Sequence[User]
) -> Sequence[Mapping[int, Link]]:
    """Return the links of each user's address or google id, by row, in the users' order."""
    async with database.read() as connection:
        return await links_of(connection, database, seals, users)


async def links_of(
    connection: AsyncConnection, database: Database, seals: Seals, users: Sequence[User]
) -> Sequence[Mapping[int, Link]]:
    """Do the same inside a transaction of the caller's."""
    emails = _storable({user.email for user in users})
    google_ids = [one for one in {user.google_id for user in users} if is_google_id(one)]
    by_email: dict[str, dict[int, Link]] = defaultdict(dict)
    by_google_id: dict[str, dict[int, Link]] = defaultdict(dict)
    found = await SealedLinks(database, seals).find(connection, emails, google_ids)
    for row, link in found.items():
        by_email[link.email][row] = link
        if link.google_id is not None:
            by_google_id[link.google_id][row] = link
    none: dict[int, Link] = {}
    return [
        {
            **by_email.get(user.mailbox, none),
            **_folded(user, by_email),
            **by_google_id.get(user.google_id or "", none),
        }
        for user in users
    ]


def _folded(user: User, by_email: Mapping[str, Mapping[int, Link]]) -> dict[int, Link]:
    """Return the links that may be the user's, because an older version folded their address."""
    maybe = (found for one in folds(user.mailbox) if (found := by_email.get(one)))
    return {row: link for found in maybe for row, link in found.items() if link.may_be_of(user)}


def _storable(keys: Collection[str]) -> list[str]:
    """No link holds a NUL, which PostgreSQL would refuse even to look for."""
    return [key for key in keys if key and "\0" not in key]
