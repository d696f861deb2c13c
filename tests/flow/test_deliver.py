"""One delivery: sign, send, classify, decide, record."""

import asyncio
from dataclasses import replace

import pytest
from tests.harness.flow.stage import FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, FailureKind
from disconnect_fanout.flow.fact import AttemptFinished, DeadLetterDecided, DeliveryDelivered
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.policy.decide import RetryPolicy
from disconnect_fanout.policy.delivery_row import doomed

ONCE = RetryPolicy(())
ENDS = (DeliveryDelivered, DeadLetterDecided)
STALE = Failure(FailureKind.DISCONNECTED, "the connection ended", reused=True)


def _one_platform() -> Outside:
    outside = Outside()
    outside.register("luma")
    outside.link("alice@example.com", "luma")
    return outside


def test_a_stale_connection_is_tried_again_at_once_on_a_fresh_one() -> None:
    """Two attempts are recorded, the second is fresh, and the schedule has not advanced."""

    async def story() -> None:
        outside = _one_platform()
        outside.platforms.script = lambda one: Answer(200) if one.fresh else STALE
        async with FlowStage(outside) as worker:
            await worker.handle(event("evt_1"))
            first, second = outside.platforms.requests
            assert [one.headers["fanout-attempt"] for one in (first, second)] == ["1", "2"]
            assert second.fresh
            (row,) = outside.tables.rows()
            assert (row.state, row.attempts, row.step) == ("delivered", 2, 0)
            assert len(outside.tables.attempts) == 2

    in_virtual_time(story())


def test_a_retry_takes_a_fresh_connection() -> None:
    """A kept one leads to where the platform was before; the first attempt may use it."""

    async def story() -> None:
        outside = _one_platform()
        outside.platforms.script = lambda one: Answer(
            200 if one.headers["fanout-attempt"] == "3" else 500
        )
        async with FlowStage(outside) as worker:
            await worker.handle(event("evt_1"))
            await pass_time(1000)
            assert [one.fresh for one in outside.platforms.requests] == [False, True, True]

    in_virtual_time(story())


def test_what_was_wrong_behind_the_head_is_in_the_history() -> None:
    """Delivered, and the operator reads that the rest did not come."""

    async def story() -> None:
        outside = _one_platform()
        remark = "the rest of its answer was cut short"
        outside.platforms.script = lambda _one: Answer(200, None, "half", remark)
        async with FlowStage(outside) as worker:
            await worker.handle(event("evt_1"))
            (row,) = outside.tables.rows()
            assert row.state == "delivered"
            (attempt,) = outside.tables.attempts.values()
            assert attempt.answer == f"answered 200; {remark}: half"

    in_virtual_time(story())


def test_both_tries_share_one_time_out_and_so_one_lease() -> None:
    """A slow death of the first try leaves the second only the rest of the time."""

    async def story() -> None:
        outside = _one_platform()
        outside.platforms.took_s = 20.0
        outside.platforms.script = lambda one: Answer(500) if one.fresh else STALE
        async with FlowStage(outside) as worker:
            await worker.handle(event("evt_1"))
            await pass_time(45)
            assert outside.platforms.requests[1].timeout_s == 10.0

    in_virtual_time(story())


def test_a_second_stale_connection_waits_for_the_schedule() -> None:
    """The quick second try happens once, then the schedule decides."""

    async def story() -> None:
        outside = _one_platform()
        outside.platforms.script = lambda _one: STALE
        async with FlowStage(outside) as worker:
            await worker.handle(event("evt_1"))
            assert len(outside.platforms.requests) == 2
            (row,) = outside.tables.rows()
            assert (row.state, row.step) == ("pending", 1)

    in_virtual_time(story())


def test_no_more_is_unrecorded_than_there_are_slots() -> None:
    """In a long outage of the database the slots bound what waits in memory."""

    async def story() -> None:
        outside = _one_platform()

        def then_an_outage(_request: WebhookRequest) -> Exchange:
            outside.tables.reachable = False
            return Answer(200)

        outside.platforms.script = then_an_outage
        async with FlowStage(outside, cap=4) as worker:
            taken = [worker.take(event(f"evt_{n}")) for n in range(50)]
            await pass_time(600)
            assert len(outside.platforms.requests) == 4
            outside.platforms.script = lambda _one: Answer(200)
            outside.tables.reachable = True
            await asyncio.gather(*(task for _, task in taken))
            await pass_time(60)
            assert outside.states() == {"delivered": 50}
            assert len(outside.platforms.requests) == 50

    in_virtual_time(story())


@pytest.mark.parametrize("status", [200, 410, 500])
def test_what_another_worker_has_decided_is_not_counted_here(status: int) -> None:
    """A worker that froze past its lease made a request; the row says what it came to."""

    async def story() -> None:
        outside = _one_platform()
        outside.platforms.took_s = 10.0
        outside.platforms.script = lambda _one: Answer(status)
        async with FlowStage(outside, policy=ONCE) as worker:
            worker.take(event("evt_1"))
            await pass_time(5)
            (row,) = outside.tables.rows()
            outside.tables.save([doomed(replace(row, state="delivered"), DeadReason.GONE)])
            await pass_time(20)
            ended = [one for one in worker.facts if isinstance(one, ENDS)]
            assert ended == []
            assert len([one for one in worker.facts if isinstance(one, AttemptFinished)]) == 1
            assert outside.queue.letters == []

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("status", "fact"),
    [(200, ENDS[0]), (410, ENDS[1]), (500, ENDS[1])],
)
def test_what_is_on_disk_is_counted_once(status: int, fact: type) -> None:
    """Not before: in an outage of the database the platform knows, and nobody has written it."""

    async def story() -> None:
        outside = _one_platform()

        def then_an_outage(_request: WebhookRequest) -> Exchange:
            outside.tables.reachable = False
            return Answer(status)

        outside.platforms.script = then_an_outage
        async with FlowStage(outside, policy=ONCE) as worker:
            _, taken = worker.take(event("evt_1"))
            await pass_time(5)
            assert [one for one in worker.facts if isinstance(one, fact)] == []
            outside.tables.reachable = True
            await taken
            await pass_time(5)
            assert len([one for one in worker.facts if isinstance(one, fact)]) == 1

    in_virtual_time(story())
