"""A worker dies at each point of the walk; the next one finishes. Nothing is lost, ever.

I2: never zero requests. I3: twice only where a request was under way or not yet recorded.
"""

from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from tests.harness.flow.stage import FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time, until

from disconnect_fanout.domain.outcome import Answer, Exchange
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.policy.decide import RetryPolicy

PLATFORMS = ("boardy", "calcom", "luma")
Point = Callable[[FlowStage, Outside], Awaitable[None]]


async def _claimed(_worker: FlowStage, outside: Outside) -> None:
    """The intent is committed; no request has left."""
    await until(lambda: len(outside.tables.deliveries) == len(PLATFORMS))


async def _sent(_worker: FlowStage, outside: Outside) -> None:
    """The requests have left; no answer is read."""
    await until(lambda: len(outside.platforms.requests) == len(PLATFORMS))


async def _answered(worker: FlowStage, outside: Outside) -> None:
    """The answers are read; the database is away, so nothing is committed."""
    await _sent(worker, outside)
    outside.tables.reachable = False
    await pass_time(5)
    outside.tables.reachable = True


async def _committed(_worker: FlowStage, outside: Outside) -> None:
    """All outcomes are committed; the event may not be acked yet."""
    await until(lambda: outside.states() == {"delivered": len(PLATFORMS)})


@pytest.mark.parametrize(
    ("point", "may_repeat"),
    [(_claimed, True), (_sent, True), (_answered, True), (_committed, False)],
    ids=["after claim", "request sent", "before commit", "before ack"],
)
def test_a_worker_that_dies_loses_nothing(
    point: Point,
    may_repeat: bool,  # noqa: FBT001 - a test's parameter
) -> None:
    """After the redelivery every platform was told, and each delivery is recorded once."""

    async def story() -> None:
        outside = Outside()
        outside.register(*PLATFORMS)
        outside.link("alice@example.com", *PLATFORMS)
        first = FlowStage(outside)
        await first.__aenter__()
        message, _task = first.take(event("evt_1"))
        await point(first, outside)
        await first.die()

        async with FlowStage(outside) as second:
            if not message.acked:
                redelivered = await second.handle(event("evt_1"))
                assert redelivered.acked
            await pass_time(120)
            assert outside.states() == {"delivered": len(PLATFORMS)}
            told = Counter(
                (one.platform_id, one.headers["webhook-id"]) for one in outside.platforms.requests
            )
            assert len(told) == len(PLATFORMS)
            assert max(told.values()) <= (2 if may_repeat else 1)
            assert not second.crashes

    in_virtual_time(story())


def test_a_worker_that_dies_between_decision_and_letter_leaves_one_letter() -> None:
    """Decided dead: no more requests, the sweeper publishes, the row turns dead."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        outside.link("alice@example.com", "luma")
        outside.platforms.script = lambda _one: Answer(500)
        outside.queue.reachable = False
        policy = RetryPolicy((), 3600.0)
        first = FlowStage(outside, policy=policy)
        await first.__aenter__()
        await first.handle(event("evt_1"))
        await first.die()
        outside.queue.reachable = True
        async with FlowStage(outside, policy=policy):
            await pass_time(30)
            assert outside.states() == {"dead": 1}
            assert len(outside.queue.letters) == 1
            assert len(outside.platforms.requests) == 1

    in_virtual_time(story())


def test_a_worker_that_dies_after_the_letter_leaves_one_letter() -> None:
    """The letter is confirmed, the row not yet dead: the sweeper keeps one of two letters."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        outside.link("alice@example.com", "luma")
        outside.platforms.script = lambda _one: Answer(500)
        policy = RetryPolicy((), 3600.0)
        first = FlowStage(outside, policy=policy)
        await first.__aenter__()
        first.take(event("evt_1"))
        await until(lambda: outside.queue.letters)
        await first.die()
        async with FlowStage(outside, policy=policy):
            await pass_time(30)
            assert outside.states() == {"dead": 1}
            assert len(outside.queue.letters) == 1

    in_virtual_time(story())


def test_losing_only_the_broker_repeats_nothing() -> None:
    """The ack fails, the outcome is committed; the redelivery finds it, on whichever worker."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        outside.link("alice@example.com", "luma")

        async def slow() -> Exchange:
            await pass_time(0.5)
            return Answer(200)

        def script(_request: WebhookRequest) -> Awaitable[Exchange]:
            return slow()

        outside.platforms.script = script
        async with FlowStage(outside) as first:
            _message, lost = first.take(event("evt_1"))
            await pass_time(0.1)
            other = FlowStage(outside)
            await other.directory.refresh()
            again = await other.handle(event("evt_1"))
            await lost
            assert again.acked
            assert len(outside.platforms.requests) == 1
            assert outside.states() == {"delivered": 1}

    in_virtual_time(story())
