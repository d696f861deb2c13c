"""A delivery whose worker ends each time that it is sent comes to an end as well."""

import asyncio

import pytest
from tests.harness.fakes.operator_store import FakeReplayStore
from tests.harness.flow.stage import FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.domain.outcome import Answer
from disconnect_fanout.policy.decide import RetryPolicy

LEASE_S = 45.0


async def _never() -> Answer:
    await asyncio.Event().wait()
    return Answer(200)


async def _ended_once(outside: Outside, answer: Answer, policy: RetryPolicy) -> None:
    """Let an event come to its end."""
    outside.platforms.script = lambda _one: answer
    async with FlowStage(outside, policy=policy) as worker:
        _, task = worker.take(event("evt_0", "user0@example.com"))
        await task
        await pass_time(30)


async def _die_until_it_ends(outside: Outside, policy: RetryPolicy, most: int) -> int:
    """Start worker after worker; each ends in the middle of a request. Return how many did."""
    outside.platforms.script = lambda _one: _never()
    for count in range(most):
        worker = FlowStage(outside, policy=policy)
        await worker.__aenter__()
        replaying = asyncio.create_task(worker.replayer.run())
        sent = len(outside.platforms.requests)
        await pass_time(20)
        replaying.cancel()
        if len(outside.platforms.requests) == sent:
            await worker.__aexit__(None, None, None)
            return count
        await worker.die()
        await pass_time(LEASE_S)
    raise AssertionError(f"after {most} interruptions it is still being sent")


@pytest.mark.parametrize("told", [False, True])
def test_a_replay_that_is_always_interrupted_expires(*, told: bool) -> None:
    """Its age counts from its birth, as that of any delivery; what was told stays delivered."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        outside.link("user0@example.com", "luma")
        policy = RetryPolicy((5.0,), max_age_s=600.0)
        await _ended_once(outside, Answer(200 if told else 500), policy)
        (row,) = outside.tables.rows()
        jobs = FakeReplayStore(outside.tables)
        job = await jobs.create([row.id], again=told)
        count = await _die_until_it_ends(outside, policy, most=30)
        assert 600 / 70 <= count <= 600 / LEASE_S + 1
        (row,) = outside.tables.rows()
        assert row.reason == (None if told else "expired")
        assert row.state == ("delivered" if told else "dead")
        progress = await jobs.progress(job)
        assert progress is not None
        assert (progress.failed, progress.pending) == (1, 0)

    in_virtual_time(story())


def test_a_young_delivery_that_is_always_interrupted_is_exhausted() -> None:
    """However much time there is left, there are only so many attempts."""

    async def story() -> None:
        outside = Outside()
        outside.register("luma")
        outside.link("user0@example.com", "luma")
        policy = RetryPolicy((5.0,), max_age_s=1e9, most_interruptions=5)
        await _ended_once(outside, Answer(500), policy)
        (row,) = outside.tables.rows()
        assert row.interruptions == 0
        await FakeReplayStore(outside.tables).create([row.id])
        assert await _die_until_it_ends(outside, policy, most=10) == 5
        (row,) = outside.tables.rows()
        assert (row.state, row.reason, row.attempts) == ("dead", "exhausted", 2 + 5)

    in_virtual_time(story())
