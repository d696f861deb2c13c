"""All rows that are set aside, looked for by ``fanout check``: read, never changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.due import demands
from disconnect_fanout.adapters.store.links.row import (
    EARLIEST_S,
    LATEST_S,
    instant_of,
    platform_of,
    provider_of,
)
from disconnect_fanout.adapters.store.platforms.row import platform_flaw
from disconnect_fanout.adapters.store.schema.api_tables import api_keys, outbox
from disconnect_fanout.adapters.store.schema.tables import (
    dead,
    decided,
    deliveries,
    links,
    platforms,
    replays,
    waiting,
)
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.api_key import KeyKind
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.replay import ENDED

MOST_OF_EACH = 20
"""Of each kind; whoever has mended these looks again."""

_BLANKS = (" ", "\t", "\n", "\r")
_INSTANTS = (links.c.linked_at, links.c.unlinked_at)
_ODD_INSTANT = [or_(one < EARLIEST_S, one > LATEST_S) for one in _INSTANTS]
_ODD_LINK = or_(
    links.c.provider.not_in(list(Provider)),
    *_ODD_INSTANT,
    links.c.unlinked_at < links.c.linked_at,
    links.c.platform_id == "",
    *(links.c.platform_id.contains(one) for one in _BLANKS),
)
_UNKNOWN = "this version knows no such one"
_NO_COUNT = "is no number that can be reckoned with"
_CONDITIONS: tuple[tuple[RowKind, ColumnElement[Any], ColumnElement[bool], str], ...] = (
    (
        RowKind.DELIVERIES,
        deliveries.c.id,
        and_(or_(decided, dead), deliveries.c.reason.not_in(list(DeadReason))),
        f"reason: {_UNKNOWN}",
    ),
    (
        RowKind.REPLAYS,
        replays.c.id,
        and_(replays.c.state.not_in(ENDED), replays.c.rate_per_s <= 0),
        "rate_per_s: is no positive number",
    ),
    (
        RowKind.API_KEYS,
        api_keys.c.id,
        and_(api_keys.c.revoked_at.is_(None), api_keys.c.kind.not_in(list(KeyKind))),
        f"kind: {_UNKNOWN}",
    ),
)


async def survey(database: Database) -> Sequence[BadRow]:
    """Return the rows that are set aside, some of each kind.

    Raises:
        StoreUnreachable: the database does not answer.
    """
    async with database.read() as connection:
        found = [*await _platforms(connection), *await _links(connection)]
        found += await _unsendable(connection, demands(database))
        for table, name, condition, what in _CONDITIONS:
            rows = await _first(connection, select(name).where(condition))
            found += [BadRow(table, str(row[0]), what) for row in rows]
        marked = select(outbox.c.number, outbox.c.problem).where(outbox.c.problem.is_not(None))
        for row in await _first(connection, marked.order_by(outbox.c.number)):
            found.append(BadRow(RowKind.OUTBOX, str(row.number), row.problem))
    return found


async def _platforms(connection: AsyncConnection) -> Iterable[BadRow]:
    rows = await connection.execute(select(platforms).order_by(platforms.c.id))
    flaws = ((str(row.id), platform_flaw(row)) for row in rows if row.enabled)
    return [BadRow(RowKind.PLATFORMS, name, flaw) for name, flaw in flaws if flaw is not None]


async def _links(connection: AsyncConnection) -> Iterable[BadRow]:
    rows = await _first(connection, select(links).where(_ODD_LINK).order_by(links.c.id))
    flaws = ((str(row.id), _link_flaw(row)) for row in rows)
    return [BadRow(RowKind.LINKS, name, flaw) for name, flaw in flaws if flaw is not None]


async def _unsendable(
    connection: AsyncConnection, demanded: Mapping[str, ColumnElement[bool]]
) -> Iterable[BadRow]:
    """Name every column of a waiting row that keeps it from being sent."""
    holds = [condition.label(column) for column, condition in demanded.items()]
    odd = select(deliveries.c.id, *holds).where(waiting, not_(and_(*demanded.values())))
    rows = await _first(connection, odd.order_by(deliveries.c.id))
    bad = {str(row.id): [one for one in demanded if not getattr(row, one)] for row in rows}
    return [BadRow(RowKind.DELIVERIES, name, _flaws(columns)) for name, columns in bad.items()]


def _flaws(columns: Iterable[str]) -> str:
    return "; ".join(f"{one}: {_UNKNOWN if one == 'state' else _NO_COUNT}" for one in columns)


def _link_flaw(row: Row[Any]) -> str | None:
    """What a worker reads all the same is no flaw; but an end before the beginning is odd."""
    try:
        provider_of(row.provider)
        platform_of(row.platform_id)
        began = instant_of("linked_at", row.linked_at)
        ended = None if row.unlinked_at is None else instant_of("unlinked_at", row.unlinked_at)
    except UnreadableRow as error:
        return str(error)
    odd = ended is not None and ended < began
    return "unlinked_at: is before linked_at, so that it never held" if odd else None


async def _first(connection: AsyncConnection, wanted: Select[Any]) -> Sequence[Row[Any]]:
    return list(await connection.execute(wanted.limit(MOST_OF_EACH)))
