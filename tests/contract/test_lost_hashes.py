"""An event whose user's hash somebody's own SQL has lost: its user is not forgotten."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from tests.harness.store.examples import EXHAUSTED, attempted, event, intent, link, planned
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.events.late_recipients import LateRecipients
from disconnect_fanout.adapters.store.events.recorded import RecordedEvents
from disconnect_fanout.adapters.store.platforms.source import SqlPlatformSource
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.replays.selection import ReplaySelection, ReplaySelector
from disconnect_fanout.adapters.store.rows.delivery_filter import DeliveryFilter
from disconnect_fanout.adapters.store.schema.tables import events
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.flow.intent import Registration
from disconnect_fanout.policy.change import LetterConfirmed

ALICE = "alice@example.com"


async def lost(world: SqlWorld) -> tuple[DisconnectEvent, str]:
    """Return an event without its hash, and its one delivery, which is dead."""
    one = event(email=ALICE, google_id=None)
    delivery = planned(one, "luma", lease="mine")
    await world.worker.events.register([intent(one, delivery)])
    await world.worker.ledger.commit([attempted(delivery.id, "mine", EXHAUSTED)])
    await world.worker.ledger.commit([LetterConfirmed(delivery.id, replays=0)])
    async with world.database.record() as connection:
        await connection.execute(update(events).values(user_hash=None))
    return one, delivery.id


async def selected(world: SqlWorld) -> ReplaySelection:
    """Return what a replay of all dead letters would send."""
    chosen = DeliveryFilter(states=(DeliveryState.DEAD,))
    selector = ReplaySelector(world.database, world.seals)
    return await selector.select(chosen, limit=None, include_reconnected=False)


def late(world: SqlWorld) -> LateRecipients:
    """Return ``events resolve``."""
    source = SqlPlatformSource(world.database, world.vault, 30.0)
    return LateRecipients(world.database, world.seals, source, timedelta(0))


async def test_a_copy_of_it_is_known(sql_world: SqlWorld) -> None:
    """Fails before: its publisher's next copy was rejected as a conflict."""
    one, _ = await lost(sql_world)
    assert list(await sql_world.worker.events.register([intent(one)])) == [Registration.KNOWN]


async def test_its_dead_letter_is_replayed(sql_world: SqlWorld) -> None:
    """Fails before: it was left out as forgotten."""
    _, name = await lost(sql_world)
    found = await selected(sql_world)
    assert (found.ids, found.forgotten) == ([name], 0)


async def test_late_recipients_are_added(sql_world: SqlWorld) -> None:
    """Fails before: there was no such event."""
    one, _ = await lost(sql_world)
    await sql_world.add_platform("cal")
    await sql_world.add_links(link(ALICE, "cal"))
    assert (await late(sql_world).resolve(one.id)).added == ("cal",)


async def test_it_is_shown_with_its_user(sql_world: SqlWorld) -> None:
    """Fails before: its user was called forgotten."""
    one, _ = await lost(sql_world)
    assert await RecordedEvents(sql_world.database, sql_world.seals).one(one.id) == one


async def test_whom_privacy_forgets_stays_forgotten(sql_world: SqlWorld) -> None:
    """Neither replayed nor resolved nor shown; a copy of the event is known."""
    one = event(email=ALICE, google_id=None)
    delivery = planned(one, "luma", lease="mine")
    await sql_world.worker.events.register([intent(one, delivery)])
    await sql_world.worker.ledger.commit([attempted(delivery.id, "mine", EXHAUSTED)])
    await sql_world.worker.ledger.commit([LetterConfirmed(delivery.id, replays=0)])
    await Forgetting(sql_world.database, sql_world.seals, ALICE).remove()
    found = await selected(sql_world)
    assert (found.ids, found.forgotten) == ([], 1)
    assert await RecordedEvents(sql_world.database, sql_world.seals).one(one.id) is None
    assert list(await sql_world.worker.events.register([intent(one)])) == [Registration.KNOWN]
    with pytest.raises(NotFound):
        await late(sql_world).resolve(one.id)
