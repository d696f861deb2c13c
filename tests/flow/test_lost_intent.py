"""A database that crashes loses what was on its way to the disk; no event is lost with it."""

from tests.harness.flow.stage import FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.domain.outcome import Answer


def _linked() -> Outside:
    outside = Outside()
    outside.register("luma")
    outside.link("alice@example.com", "luma")
    return outside


def test_an_event_lost_in_a_crash_is_written_again_before_its_ack() -> None:
    """Its request was made, and may be made twice; without a row it would be made up for never."""

    async def story() -> None:
        outside = _linked()

        def crashes_once(_one: object) -> Answer:
            if not outside.tables.outages:
                outside.tables.crash()
            return Answer(200)

        outside.platforms.script = crashes_once
        async with FlowStage(outside) as worker:
            message = await worker.handle(event("evt_1"))
            assert message.acked
            assert outside.states() == {"delivered": 1}
            assert len(outside.platforms.requests) == 2
            assert len({one.headers["webhook-id"] for one in outside.platforms.requests}) == 1

    in_virtual_time(story())


def test_an_event_that_survived_an_outage_is_not_told_again() -> None:
    """It is looked up, found, and acked; the look is no copy of the event."""

    async def story() -> None:
        outside = _linked()

        def fails_somebody(_one: object) -> Answer:
            outside.tables.outages += 1
            return Answer(200)

        outside.platforms.script = fails_somebody
        async with FlowStage(outside) as worker:
            message = await worker.handle(event("evt_1"))
            await pass_time(60)
            assert message.acked
            assert len(outside.platforms.requests) == 1
            assert outside.tables.events["evt_1"].copies == 0

    in_virtual_time(story())


def test_an_event_for_nobody_that_was_lost_is_written_again() -> None:
    """There is no request that could show it; the event would simply not be there."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        async with FlowStage(outside) as worker:
            message, task = worker.take(event("evt_1"))
            while "evt_1" not in outside.tables.events:
                await pass_time(0)
            outside.tables.crash()
            await task
            assert message.acked
            assert "evt_1" in outside.tables.events

    in_virtual_time(story())
