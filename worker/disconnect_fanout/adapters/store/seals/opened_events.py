"""Sealed events, opened: a damaged one is None, and a key that lacks is said."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import require_keys
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.event import NOBODY, DisconnectEvent

UNOPENED = "sealed: no secret key in use opens it, or a newer version wrote it"


async def open_events(
    connection: AsyncConnection, seals: Seals, sealed: Iterable[bytes]
) -> list[DisconnectEvent | None]:
    """Return each event, in their order; None for one that no key in use opens.

    Raises:
        SecretKeyMissing: a key in use is not here, so nothing can be said of those not opened.
    """
    opened = [_opened(seals, one) for one in sealed]
    if None in opened:
        await require_keys(connection, seals)
    return opened


async def open_known(
    connection: AsyncConnection, seals: Seals, sealed: Iterable[bytes]
) -> list[DisconnectEvent]:
    """Return the events but for the damaged ones, of which nobody can say whom they concern.

    Raises:
        SecretKeyMissing: a key in use is not here.
    """
    return [one for one in await open_events(connection, seals, sealed) if one is not None]


async def open_one(
    connection: AsyncConnection, seals: Seals, event_id: str, sealed: bytes
) -> DisconnectEvent:
    """Return the one event that somebody asks for.

    Raises:
        SecretKeyMissing: a key in use is not here.
        UnreadableRow: no key in use opens it; says what to do.
    """
    (opened,) = await open_events(connection, seals, [sealed])
    if opened is None:
        raise UnreadableRow(
            f"event {event_id} can't be opened, and is set aside alone: no secret key in use opens "
            "it, or a newer version wrote it; bring back the key or the row, or upgrade"
        )
    return opened


async def nobodys(
    connection: AsyncConnection, seals: Seals, unhashed: Mapping[str, bytes]
) -> Collection[str]:
    """Return which events name nobody any more, for ``privacy forget`` has emptied them.

    Asked of those without their user's hash, by event: that it is missing says nothing, for
    somebody's own SQL may have lost it.

    Raises:
        SecretKeyMissing: a key in use is not here.
    """
    empty = {name for name, sealed in unhashed.items() if not sealed}
    whole = {name: sealed for name, sealed in unhashed.items() if sealed}
    opened = zip(whole, await open_events(connection, seals, whole.values()), strict=True)
    return empty | {name for name, event in opened if event is not None and event.user == NOBODY}


def _opened(seals: Seals, sealed: bytes) -> DisconnectEvent | None:
    try:
        return seals.open_event(sealed)
    except (Unsealable, UnreadableRow):
        return None
