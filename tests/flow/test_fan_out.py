"""One event: decode, resolve, tell, ack."""

import asyncio

import pytest
from tests.harness.flow.stage import FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.domain.outcome import Answer, Exchange
from disconnect_fanout.domain.rejection import Rejection, RejectReason
from disconnect_fanout.flow.fact import EventHandled, EventOutcome
from disconnect_fanout.flow.outage import BrokerUnreachable, StoreUnreachable
from disconnect_fanout.flow.webhook import WebhookRequest


async def _never(_request: WebhookRequest) -> Exchange:
    await asyncio.Event().wait()
    return Answer(200)


def _two_platforms() -> Outside:
    outside = Outside()
    outside.register("boardy", "luma")
    outside.link("alice@example.com", "boardy", "luma")
    return outside


def test_every_linked_platform_is_told_once_and_then_the_event_is_acked() -> None:
    """The healthy walk: two requests, two delivered rows, one ack."""

    async def story() -> None:
        async with FlowStage(_two_platforms()) as worker:
            message = await worker.handle(event("evt_1"))
            assert message.acked
            assert worker.outside.states() == {"delivered": 2}
            assert len(worker.outside.platforms.requests) == 2
            assert not worker.crashes

    in_virtual_time(story())


def test_no_ack_before_the_outcomes_are_on_disk() -> None:
    """I4: while the database is away after the request, the event is not acked; then it is."""

    async def story() -> None:
        outside = _two_platforms()
        async with FlowStage(outside) as worker:

            def then_an_outage(_request: WebhookRequest) -> Exchange:
                outside.tables.reachable = False
                return Answer(200)

            outside.platforms.script = then_an_outage
            message, task = worker.take(event("evt_1"))
            await pass_time(120)
            assert not message.acked
            outside.tables.reachable = True
            await task
            assert message.acked
            assert outside.states() == {"delivered": 2}
            assert len(outside.platforms.requests) == 2

    in_virtual_time(story())


def test_a_hung_platform_holds_the_event_for_about_a_second_only() -> None:
    """The event is acked under the lease of the hung delivery; the healthy one is told."""

    async def story() -> None:
        outside = _two_platforms()
        outside.platforms.script = lambda one: (
            _never(one) if one.platform_id == "luma" else Answer(200)
        )
        async with FlowStage(outside) as worker:
            message = await worker.handle(event("evt_1"))
            assert message.acked
            assert asyncio.get_running_loop().time() == pytest.approx(1.0, abs=0.2)
            assert outside.states() == {"delivered": 1, "pending": 1}
            assert worker.bulkheads.in_flight("luma") == 1

    in_virtual_time(story())


def test_an_event_for_nobody_is_recorded_counted_and_acked() -> None:
    """No recipient is an outcome, not silence."""

    async def story() -> None:
        outside = _two_platforms()
        async with FlowStage(outside) as worker:
            message = await worker.handle(event("evt_1", "nobody@example.com"))
            assert message.acked
            assert outside.tables.events["evt_1"].recipients == 0
            assert EventHandled(EventOutcome.NO_RECIPIENTS, "evt_1") in worker.facts

    in_virtual_time(story())


def test_a_copy_sends_nothing_whatever_state_the_first_is_in() -> None:
    """The same event again is acked after it is counted; no request is made."""

    async def story() -> None:
        outside = _two_platforms()
        outside.platforms.script = lambda one: Answer(500 if one.platform_id == "luma" else 200)
        async with FlowStage(outside) as worker:
            await worker.handle(event("evt_1"))
            copies = [await worker.handle(event("evt_1")) for _ in range(3)]
            assert all(copy.acked for copy in copies)
            assert len(outside.platforms.requests) == 2
            assert outside.tables.events["evt_1"].copies == 3
            assert worker.bulkheads.in_flight("luma") == 0

    in_virtual_time(story())


def test_copies_in_one_batch_are_told_once() -> None:
    """Twenty copies that arrive in the same instant make one fan-out."""

    async def story() -> None:
        async with FlowStage(_two_platforms()) as worker:
            taken = [worker.take(event("evt_1")) for _ in range(20)]
            await asyncio.gather(*(task for _, task in taken))
            assert all(message.acked for message, _ in taken)
            assert len(worker.outside.platforms.requests) == 2

    in_virtual_time(story())


def test_other_content_under_the_same_id_is_rejected() -> None:
    """The first content stands, the second is a conflict by name."""

    async def story() -> None:
        async with FlowStage(_two_platforms()) as worker:
            await worker.handle(event("evt_1"))
            message = await worker.handle(event("evt_1", "bob@example.com"))
            assert message.acked
            (rejection,) = worker.outside.rejects.rejected
            assert rejection.reason is RejectReason.ID_CONFLICT

    in_virtual_time(story())


def test_a_rejection_that_is_not_confirmed_is_not_acked() -> None:
    """Nothing is lost: the broker keeps the message until the rejected queue holds it."""

    async def story() -> None:
        outside = _two_platforms()
        outside.rejects.reachable = False
        async with FlowStage(outside) as worker:
            message, task = worker.take(Rejection(RejectReason.MALFORMED, "body: is not JSON"))
            with pytest.raises(BrokerUnreachable):
                await task
            assert not message.acked

    in_virtual_time(story())


def test_an_outage_before_resolve_acks_nothing_and_keeps_no_slot() -> None:
    """The message goes back to the broker, and the slots are free for what comes next."""

    async def story() -> None:
        outside = _two_platforms()
        async with FlowStage(outside) as worker:
            outside.tables.reachable = False
            message, task = worker.take(event("evt_1"))
            with pytest.raises(StoreUnreachable):
                await task
            assert not message.acked
            outside.tables.reachable = True
            assert (await worker.handle(event("evt_1"))).acked
            assert len(outside.platforms.requests) == 2
            assert worker.bulkheads.in_flight("luma") == 0

    in_virtual_time(story())


def test_a_bug_in_one_event_is_rejected_and_the_next_is_told() -> None:
    """A message that our own code fails on is kept and named; it stops nobody else."""

    async def story() -> None:
        async with FlowStage(_two_platforms()) as worker:
            broken = "this is no event at all"
            message, task = worker.take(broken)  # type: ignore[arg-type]
            await task
            assert message.acked
            (rejection,) = worker.outside.rejects.rejected
            assert "AssertionError" in rejection.detail
            assert len(worker.crashes) == 1
            assert (await worker.handle(event("evt_2"))).acked
            assert len(worker.outside.platforms.requests) == 2

    in_virtual_time(story())


def test_a_platform_registered_this_second_is_known_at_once() -> None:
    """An unknown recipient makes the worker look again before it gives up on anybody."""

    async def story() -> None:
        outside = _two_platforms()
        async with FlowStage(outside) as worker:
            outside.register("brand-new")
            outside.link("alice@example.com", "brand-new")
            await worker.handle(event("evt_1"))
            assert outside.states() == {"delivered": 3}

    in_virtual_time(story())
