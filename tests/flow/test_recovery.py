"""A platform that was down and is back: its waiting deliveries go out, and none is burned."""

import asyncio
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from tests.harness.flow.stage import FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, FailureKind
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.policy.decide import RetryPolicy

HOUR = 3600.0
PATIENT = RetryPolicy((HOUR,) * 9, max_age_s=1e9)
GROWING = RetryPolicy((5.0, 10.0, 20.0, 60.0, 120.0, 300.0), max_age_s=1e9)
REFUSED = Answer(500)
TIMED_OUT = Failure(FailureKind.TIMED_OUT, "no answer")


def linked(users: int) -> Outside:
    outside = Outside()
    outside.register("luma")
    for n in range(users):
        outside.link(f"user{n}@example.com", "luma")
    return outside


async def publish(worker: FlowStage, first: int, last: int) -> None:
    """Let events arrive, one for each user, side by side."""
    taken = [worker.take(event(f"evt_{n}", f"user{n}@example.com")) for n in range(first, last)]
    await asyncio.gather(*(task for _, task in taken))


def attempts(outside: Outside) -> dict[str, list[float]]:
    """Return when each delivery was attempted, in order."""
    found = defaultdict(list)
    for request, at in zip(outside.platforms.requests, outside.platforms.at, strict=True):
        found[request.headers["webhook-id"]].append(at)
    return found


@pytest.mark.parametrize("how", [REFUSED, TIMED_OUT])
def test_what_waits_goes_out_within_seconds_not_at_its_turn(how: Exchange) -> None:
    """Also when the platform answered 500 all the time, and no breaker ever opened."""

    async def story() -> None:
        outside = linked(501)
        outside.platforms.script = lambda _one: how
        async with FlowStage(outside, policy=PATIENT) as worker:
            await publish(worker, 0, 500)
            await pass_time(60)
            outside.platforms.script = lambda _one: Answer(200)
            back = asyncio.get_running_loop().time()
            await publish(worker, 500, 501)
            await pass_time(40)  # a breaker's longest wait is thirty seconds
            assert outside.states() == {"delivered": 501}
            assert max(outside.platforms.at) - back < (5 if how is REFUSED else 40)

    in_virtual_time(story())


def test_it_goes_out_at_the_platforms_rate_and_cap() -> None:
    """A platform that has just come back is not run over."""

    async def story() -> None:
        outside = linked(101)
        outside.platforms.script = lambda _one: REFUSED
        async with FlowStage(outside, policy=PATIENT, cap=4) as worker:
            await publish(worker, 0, 100)
            await pass_time(60)
            tables = outside.tables
            tables.platforms["luma"] = replace(tables.platforms["luma"], rate_per_s=20.0)
            await worker.directory.refresh()
            most = 0

            def watching(_one: WebhookRequest) -> Answer:
                nonlocal most
                most = max(most, worker.bulkheads.in_flight("luma"))
                return Answer(200)

            outside.platforms.script = watching
            asked = len(outside.platforms.at)
            await publish(worker, 100, 101)
            await pass_time(30)
            assert outside.states() == {"delivered": 101}
            at = outside.platforms.at[asked:]
            assert at[-1] - at[0] == pytest.approx(5.0, abs=1.5)
            assert all(later - at[n] >= 0.95 for n, later in enumerate(at[20 + 2 :]))
            assert most <= 4

    in_virtual_time(story())


def test_nothing_goes_out_before_its_retry_after() -> None:
    """It goes out at that instant, then: neither earlier nor at its turn an hour later."""

    async def story() -> None:
        outside = linked(21)
        outside.platforms.script = lambda _one: Answer(503, retry_after="120")
        async with FlowStage(outside, policy=PATIENT) as worker:
            await publish(worker, 0, 20)
            await pass_time(10)
            outside.platforms.script = lambda _one: Answer(200)
            await publish(worker, 20, 21)
            await pass_time(300)
            assert outside.states() == {"delivered": 21}
            waits = [at[1] - at[0] for at in attempts(outside).values() if len(at) == 2]
            assert len(waits) == 20
            assert min(waits) >= 120
            assert max(waits) <= 125

    in_virtual_time(story())


def test_resuming_a_platform_lets_one_row_find_out() -> None:
    """Its operator says that it is back: one attempt at first, and the rest if that is true."""

    async def story() -> None:
        outside = linked(50)
        outside.platforms.script = lambda _one: REFUSED
        async with FlowStage(outside, policy=PATIENT) as worker:
            await publish(worker, 0, 50)
            await pass_time(10)
            for healthy, requests in ((False, 51), (True, 51 + 49)):
                outside.register("luma", paused=True)
                await worker.directory.refresh()
                await pass_time(60)
                if healthy:
                    outside.platforms.script = lambda _one: Answer(200)
                outside.register("luma")
                await worker.directory.refresh()
                await pass_time(10)
                assert len(outside.platforms.requests) == requests
            assert outside.states() == {"delivered": 49, "pending": 1}

    in_virtual_time(story())


def test_a_recovery_that_breaks_off_costs_few_attempts() -> None:
    """Ten deliveries in, the platform fails again: of 300 that wait, most have lost nothing."""

    async def story() -> None:
        outside = linked(301)
        outside.platforms.script = lambda _one: REFUSED
        async with FlowStage(outside, policy=PATIENT) as worker:
            await publish(worker, 0, 300)
            left = 10

            def ten(_one: WebhookRequest) -> Answer:
                nonlocal left
                left -= 1
                return Answer(200) if left >= 0 else REFUSED

            outside.platforms.script = ten
            await pass_time(60)
            before = len(outside.platforms.requests)
            await publish(worker, 300, 301)
            await pass_time(600)
            assert outside.states() == {"delivered": 10, "pending": 291}
            assert len(outside.platforms.requests) - before <= 10 + 11

    in_virtual_time(story())


def test_failures_among_successes_keep_their_turn() -> None:
    """Every tenth delivery is refused once: it is retried after five seconds, as scheduled."""

    async def story() -> None:
        outside = linked(400)
        refused: set[str] = set()

        def every_tenth(one: WebhookRequest) -> Answer:
            name = one.headers["webhook-id"]
            if one.headers["fanout-attempt"] == "1" and len(outside.platforms.requests) % 10 == 0:
                refused.add(name)
                return REFUSED
            return Answer(200)

        outside.platforms.script = every_tenth
        async with FlowStage(outside, policy=GROWING) as worker:
            for n in range(400):
                await publish(worker, n, n + 1)
                await pass_time(0.05)
            await pass_time(60)
            waits = [attempts(outside)[name] for name in refused]
            assert len(waits) >= 30
            assert all(second - first >= 4.99 for first, second in waits)

    in_virtual_time(story())


@pytest.mark.parametrize("seed", range(12))
def test_a_platform_in_trouble_burns_no_schedule(seed: int) -> None:
    """Flapping or half broken: of two waits in a row one at most is shorter than scheduled.

    And nobody is asked more often than the schedule says.
    """
    chance = Random(seed)  # noqa: S311 - a story, not a secret
    half_broken, longest_s = seed % 3 == 0, chance.choice([1.0, 10.0, 60.0, 200.0])
    up, until = True, 0.0

    def trouble(one: WebhookRequest) -> Exchange:
        nonlocal up, until
        now = asyncio.get_running_loop().time()
        if half_broken:  # for one user in three it never works
            return REFUSED if one.headers["webhook-id"][-1] in "01234" else Answer(200)
        while until <= now:
            up, until = not up, until + chance.uniform(0.2, longest_s)
        return Answer(200) if up and chance.random() < 0.8 else REFUSED

    async def story() -> None:
        outside = linked(60)
        outside.platforms.script = trouble
        async with FlowStage(outside, policy=GROWING) as worker:
            for n in range(60):
                await publish(worker, n, n + 1)
                await pass_time(chance.expovariate(1 / 10.0))
            await pass_time(sum(GROWING.schedule) + 10.0)
            assert not worker.crashes
            assert "pending" not in outside.states()
        for at in attempts(outside).values():
            waits = [later - earlier for earlier, later in pairwise(at)]
            assert len(waits) <= len(GROWING.schedule)
            short = [
                wait < scheduled - 0.01
                for wait, scheduled in zip(waits, GROWING.schedule, strict=False)
            ]
            assert not any(first and second for first, second in pairwise(short)), waits

    in_virtual_time(story())
