"""The operator's side of links: which platform had whose calendar connected, from when to when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.instant import from_s, maybe_from_s, to_s
from disconnect_fanout.adapters.store.link_merge import LinkMerge
from disconnect_fanout.adapters.store.tables import links, platforms
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.link import Link

LARGEST_PAGE = 500
"""Links in one transaction: SQLite has one writer, and the worker wants its turn."""


@dataclass(frozen=True, slots=True)
class LinkChoice:
    """The links of one user to one platform that a command is about.

    Attributes:
        email: case-folded.
        google_id: None for links with any or none; likewise the provider.
    """

    email: str
    platform_id: str
    google_id: str | None = None
    provider: Provider | None = None


class LinkBook:
    """Links in the database. Addresses come case-folded, instants in whole seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, page: Sequence[Link], *, anew: bool = False) -> Sequence[Link]:
        """Note up to ``LARGEST_PAGE`` links in one transaction.

        Args:
            page: their instants are whole seconds.
            anew: see ``LinkMerge``.

        Returns:
            Each as it is stored now: one that is open already stays as it is.
        """
        async with self._database.record() as connection:
            merge = LinkMerge(await _stored(connection, page), anew=anew)
            noted = [merge.take(link) for link in page]
            if merge.new:
                await connection.execute(insert(links), [_row(link) for link in merge.new])
            if merge.changed:
                await connection.execute(_CHANGE, [_change(*one) for one in merge.changed])
        return noted

    async def end(self, choice: LinkChoice, at: datetime) -> Sequence[Link]:
        """End the open links that match and began by then; return them as they are now."""
        async with self._database.record() as connection:
            found = (await connection.execute(select(links).where(_open(choice, at)))).all()
            ended = update(links).where(links.c.id.in_([row.id for row in found]))
            await connection.execute(ended.values(unlinked_at=to_s(at)))
        return [replace(_link(row), unlinked_at=at) for row in found]

    async def of_user(self, email: str) -> Sequence[Link]:
        """Return the links of a case-folded address, the newest first."""
        newest_first = (links.c.linked_at.desc(), links.c.platform_id, links.c.id)
        wanted = select(links).where(links.c.email == email).order_by(*newest_first)
        async with self._database.read() as connection:
            return [_link(row) for row in await connection.execute(wanted)]

    async def unregistered(self, platform_ids: Iterable[str]) -> set[str]:
        """Return those ids under which no platform is registered."""
        async with self._database.read() as connection:
            known = set((await connection.execute(select(platforms.c.id))).scalars())
        return set(platform_ids) - known


_CHANGE = (
    update(links)
    .where(links.c.id == bindparam("row"))
    .values(google_id=bindparam("learnt"), unlinked_at=bindparam("ended"))
)


async def _stored(connection: AsyncConnection, page: Sequence[Link]) -> list[tuple[int, Link]]:
    emails = {link.email for link in page}
    wanted = select(links).where(links.c.email.in_(emails)).order_by(links.c.id)
    return [(row.id, _link(row)) for row in await connection.execute(wanted)]


def _open(choice: LinkChoice, at: datetime) -> ColumnElement[bool]:
    matching = and_(
        links.c.email == choice.email,
        links.c.platform_id == choice.platform_id,
        links.c.unlinked_at.is_(None),
        links.c.linked_at <= to_s(at),
    )
    if choice.google_id is not None:
        matching = and_(matching, links.c.google_id == choice.google_id)
    if choice.provider is not None:
        matching = and_(matching, links.c.provider == choice.provider.value)
    return matching


def _row(link: Link) -> dict[str, Any]:
    return {
        "email": link.email,
        "google_id": link.google_id,
        "provider": None if link.provider is None else link.provider.value,
        "platform_id": link.platform_id,
        "linked_at": to_s(link.linked_at),
        "unlinked_at": None if link.unlinked_at is None else to_s(link.unlinked_at),
    }


def _change(row: int, link: Link) -> dict[str, Any]:
    ended = None if link.unlinked_at is None else to_s(link.unlinked_at)
    return {"row": row, "learnt": link.google_id, "ended": ended}


def _link(row: Row[Any]) -> Link:
    return Link(
        email=row.email,
        platform_id=row.platform_id,
        linked_at=from_s(row.linked_at),
        unlinked_at=maybe_from_s(row.unlinked_at),
        google_id=row.google_id,
        provider=None if row.provider is None else Provider(row.provider),
    )
