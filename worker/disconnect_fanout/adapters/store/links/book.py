"""The operator's side of links: which platform had whose calendar connected, from when to when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.links.merge import LinkMerge
from disconnect_fanout.adapters.store.links.seals import SealedLinks
from disconnect_fanout.adapters.store.links.unopened import was_opened
from disconnect_fanout.adapters.store.rows.taken import require_taken
from disconnect_fanout.adapters.store.schema.tables import links, platforms
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import note_key, require_keys
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.instant import to_s
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.mailbox import mailbox
from disconnect_fanout.flow.left_out import LeftOutRow

_UNOPENED = "sealed: no secret key in use opens it"

LARGEST_PAGE = 500
"""Links in one transaction: SQLite has one writer, and the worker wants its turn."""


@dataclass(frozen=True, slots=True)
class LinkChoice:
    """The links of one user to one platform that a command is about.

    Attributes:
        email: as anybody wrote it.
        google_id: None for links with any or none; likewise the provider.
    """

    email: str
    platform_id: str
    google_id: str | None = None
    provider: Provider | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What came of links that were noted.

    Attributes:
        links: each as it is stored now; one that is open already may have a start before.
        new: how many were inserted.
        changed: how many of those that were there say something else now.
    """

    links: Sequence[Link]
    new: int
    changed: int


class LinkBook:
    """Links in the database. Addresses come as anybody wrote them, instants in whole seconds.

    A link that can't be opened is left as it is.
    """

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals
        self._links = SealedLinks(database, seals)

    async def write(self, page: Sequence[Link], *, anew: bool = False) -> Written:
        """Note up to ``LARGEST_PAGE`` links in one transaction.

        Args:
            page: their instants are whole seconds.
            anew: see ``LinkMerge``.

        Raises:
            SecretKeyMissing: a link is sealed with a key that is not here.
        """
        emails = list({link.email for link in page})
        async with self._database.record() as connection:
            stored = await self._links.find(connection, emails)
            opened = {row: one for row, one in stored.items() if was_opened(one)}
            if len(opened) < len(stored):
                await require_keys(connection, self._seals)
            merge = LinkMerge(sorted(opened.items(), key=_row), anew=anew)
            noted = [merge.take(link) for link in page]
            await note_key(connection, self._database, self._seals.fingerprints[0])
            if merge.new:
                rows = [self._links.columns(link) for link in merge.new]
                new = await connection.execute(insert(links).returning(links.c.id), rows)
                require_taken(links.name, len(rows), len(new.all()))
            if merge.touched:
                await connection.execute(_CHANGE, [self._change(*one) for one in merge.touched])
        return Written(noted, len(merge.new), merge.changed)

    async def end(self, choice: LinkChoice, at: datetime) -> Sequence[Link]:
        """End the open links that match and began by then; return them as they are now.

        Raises:
            SecretKeyMissing: a link is sealed with a key that is not here.
        """
        asked = [choice.google_id] if choice.google_id is not None else []
        async with self._database.record() as connection:
            stored = await self._find(connection, choice.email, asked)
            found = {row: link for row, link in stored.items() if _open(link, choice, at)}
            ended = update(links).where(links.c.id.in_(found))
            await connection.execute(ended.values(unlinked_at=to_s(at)))
        return [_known(replace(link, unlinked_at=at)) for link in found.values()]

    async def of_user(self, email: str) -> Sequence[Link]:
        """Return the links that are, or may be, of an address, the newest first.

        Raises:
            SecretKeyMissing: a link is sealed with a key that is not here.
        """
        async with self._database.read() as connection:
            stored = await self._find(connection, email)
        for row in (row for row, link in stored.items() if not was_opened(link)):
            self._database.left_out.note(LeftOutRow(links.name, str(row), _UNOPENED))
        by_name = sorted(stored.items(), key=lambda one: (one[1].platform_id, one[0]))
        known = (_known(link) for _, link in by_name)
        return sorted(known, key=lambda link: link.linked_at, reverse=True)

    async def unregistered(self, platform_ids: Iterable[str]) -> set[str]:
        """Return those ids under which no platform is registered."""
        async with self._database.read() as connection:
            known = set((await connection.execute(select(platforms.c.id))).scalars())
        return set(platform_ids) - known

    async def _find(
        self, connection: AsyncConnection, email: str, google_ids: Sequence[str] = ()
    ) -> dict[int, Link]:
        stored = await self._links.find(connection, [email], google_ids)
        if not all(map(was_opened, stored.values())):
            await require_keys(connection, self._seals)
        return stored

    def _change(self, row: int, link: Link) -> dict[str, Any]:
        """A row that changes is sealed anew, clear as it may have been."""
        columns = self._links.columns(link)
        return {"row": row, **{f"_{name}": columns[name] for name in _CHANGING}}


_CHANGING = (
    "user_hash",
    "mailbox_hash",
    "spelling",
    "google_hash",
    "sealed",
    "email",
    "google_id",
    "linked_at",
    "unlinked_at",
    "latest_start",
)
_CHANGE = (
    update(links)
    .where(links.c.id == bindparam("row"))
    .values({name: bindparam(f"_{name}") for name in _CHANGING})
)


def _known(link: Link) -> Link:
    """Say nothing of an account that nobody can read, instead of what stands in for it."""
    return link if was_opened(link) else replace(link, google_id=None)


def _row(stored: tuple[int, Link]) -> int:
    return stored[0]


def _open(link: Link, choice: LinkChoice, at: datetime) -> bool:
    return (
        link.email == mailbox(choice.email)  # what is only maybe theirs may be another's
        and link.platform_id == choice.platform_id
        and link.unlinked_at is None
        and link.linked_at <= at
        and choice.google_id in {None, _known(link).google_id}
        and choice.provider in {None, link.provider}
    )
