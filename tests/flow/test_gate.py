"""The gate before the queue: shut while the database takes no event, whatever else it takes."""

import asyncio

from tests.harness.flow.stage import FlowStage, Outside
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.flow.fact import EventsHeld
from disconnect_fanout.flow.outage import StoreRefuses, StoreUnreachable


def test_it_opens_within_seconds_of_the_database_taking_events() -> None:
    """Twenty minutes of a lock: told once, nothing is taken meanwhile, and then at once."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        async with FlowStage(outside) as worker:
            outside.tables.refusal = StoreUnreachable("lock timeout")
            opening = asyncio.create_task(worker.gate.open())
            await pass_time(20 * 60)
            assert not opening.done()
            outside.tables.refusal = None
            await pass_time(5)
            assert opening.done()
            held = [one for one in worker.facts if isinstance(one, EventsHeld)]
            assert held == [EventsHeld("lock timeout"), EventsHeld(None)]

    in_virtual_time(story())


def test_a_commit_elsewhere_does_not_open_it() -> None:
    """Fails before: the gate committed to a table of its own and opened."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        async with FlowStage(outside) as worker:
            outside.tables.refusal = StoreRefuses("permission denied for table events", "42501")
            opening = asyncio.create_task(worker.gate.open())
            await pass_time(60)
            assert not opening.done()
            opening.cancel()

    in_virtual_time(story())


def test_it_stays_shut_without_a_platform_and_opens_with_one() -> None:
    """Nobody to tell is no fault of the database: nothing is said of it."""

    async def story() -> None:
        outside = Outside()
        async with FlowStage(outside) as worker:
            opening = asyncio.create_task(worker.gate.open())
            await pass_time(10)
            assert not opening.done()
            outside.register("luma")
            await pass_time(2)
            assert opening.done()
            assert not [one for one in worker.facts if isinstance(one, EventsHeld)]

    in_virtual_time(story())
