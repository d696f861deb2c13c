"""What is due is sent, when it is due, to whom can take it."""

import asyncio
from dataclasses import replace

import pytest
from tests.harness.flow.stage import FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.domain.outcome import Answer, Failure, FailureKind
from disconnect_fanout.flow.fact import BreakerTurned, ClaimInterrupted
from disconnect_fanout.policy.decide import RetryPolicy

TIMED_OUT = Failure(FailureKind.TIMED_OUT, "no answer")


def _linked(*platform_ids: str, users: int = 1) -> Outside:
    outside = Outside()
    outside.register(*platform_ids)
    for n in range(users):
        outside.link(f"user{n}@example.com", *platform_ids)
    return outside


async def _all(worker: FlowStage, count: int) -> None:
    taken = [worker.take(event(f"evt_{n}", f"user{n}@example.com")) for n in range(count)]
    await asyncio.gather(*(task for _, task in taken))


def test_a_retry_goes_out_at_its_time_and_not_before() -> None:
    """After a 500 the second request comes five seconds later, within the poll."""

    async def story() -> None:
        outside = _linked("luma")
        outside.platforms.script = lambda one: Answer(
            500 if one.headers["fanout-attempt"] == "1" else 200
        )
        async with FlowStage(outside) as worker:
            await _all(worker, 1)
            await pass_time(10)
            first, second = outside.platforms.at
            assert 5.0 <= second - first <= 5.6
            assert outside.states() == {"delivered": 1}

    in_virtual_time(story())


def test_a_burst_larger_than_the_cap_flows_through_without_waiting_for_polls() -> None:
    """400 deliveries through 4 slots take the time of 100 requests, not of 100 polls."""

    async def story() -> None:
        outside = _linked("luma", users=400)
        async with FlowStage(outside, cap=4) as worker:
            await _all(worker, 400)
            await pass_time(3)
            assert outside.states() == {"delivered": 400}
            assert len(outside.platforms.requests) == 400

    in_virtual_time(story())


def test_never_more_in_flight_than_the_cap() -> None:
    """Events and scheduler together respect the platform's compartment."""

    async def story() -> None:
        outside = _linked("luma", users=100)
        most = 0

        def watching(_one: object) -> Answer:
            nonlocal most
            most = max(most, worker.bulkheads.in_flight("luma"))
            return Answer(200)

        outside.platforms.script = watching
        async with FlowStage(outside, cap=4) as worker:
            await _all(worker, 100)
            await pass_time(5)
            assert outside.states() == {"delivered": 100}
        assert most == 4

    in_virtual_time(story())


def test_many_hung_platforms_leave_room_for_a_healthy_one() -> None:
    """With nine of ten hanging, the tenth is told at once, every time."""

    async def story() -> None:
        names = [f"hung{n}" for n in range(9)]
        outside = _linked(*names, "luma", users=60)

        async def hang() -> Answer:
            await pass_time(30)
            return Answer(500)

        outside.platforms.script = lambda one: Answer(200) if one.platform_id == "luma" else hang()
        async with FlowStage(outside, slots=32, cap=16) as worker:
            await _all(worker, 60)
            await pass_time(3)
            assert len(outside.platforms.heard("luma")) == 60
            assert asyncio.get_running_loop().time() < 6

    in_virtual_time(story())


def test_the_breaker_stops_asking_and_its_recovery_hastens_what_waits() -> None:
    """Five time-outs open it; when a probe is answered, waiting rows go out within seconds."""

    async def story() -> None:
        outside = _linked("luma", users=20)
        outside.platforms.script = lambda _one: TIMED_OUT
        policy = RetryPolicy((3600.0,) * 9, max_age_s=1e6)
        async with FlowStage(outside, policy=policy, cap=5) as worker:
            await _all(worker, 20)
            await pass_time(1)
            assert BreakerTurned("luma", opened=True) in worker.facts
            asked = len(outside.platforms.requests)
            assert asked <= 10
            outside.platforms.script = lambda _one: Answer(200)
            await pass_time(60)
            assert BreakerTurned("luma", opened=False) in worker.facts
            assert outside.states() == {"delivered": 20}

    in_virtual_time(story())


def test_a_paused_platform_waits_without_attempts() -> None:
    """Pausing holds deliveries; resuming sends them with attempt number one."""

    async def story() -> None:
        outside = _linked("luma")
        outside.register("luma", paused=True)
        async with FlowStage(outside) as worker:
            message = None
            await _all(worker, 1)
            await pass_time(1000)
            assert outside.platforms.requests == []
            outside.register("luma")
            await worker.directory.refresh()
            await pass_time(1)
            (request,) = outside.platforms.requests
            assert request.headers["fanout-attempt"] == "1"
            assert message is None

    in_virtual_time(story())


def test_an_overdue_delivery_expires_but_never_before_one_attempt() -> None:
    """A pause beyond the patience is one attempt on resume; only what was tried can expire."""

    async def story() -> None:
        outside = _linked("luma")
        outside.register("luma", paused=True)
        outside.platforms.script = lambda _one: Answer(500)
        async with FlowStage(outside, policy=RetryPolicy((5.0,), 600.0)) as worker:
            await _all(worker, 1)
            await pass_time(700)
            outside.register("luma")
            await worker.directory.refresh()
            await pass_time(60)
            assert len(outside.platforms.requests) == 1
            (row,) = outside.tables.rows()
            assert (row.state, row.reason) == ("dead", "expired")

    in_virtual_time(story())


def test_an_expired_lease_is_taken_over_and_told_as_interrupted() -> None:
    """A dead worker's row is sent again under the next attempt number."""

    async def story() -> None:
        outside = _linked("luma")
        outside.platforms.took_s = 10.0
        first = FlowStage(outside)
        await first.__aenter__()
        first.take(event("evt_0", "user0@example.com"))
        await pass_time(5)
        await first.die()
        async with FlowStage(outside) as second:
            await pass_time(30)
            assert len(outside.platforms.requests) == 1, "the lease still holds"
            await pass_time(30)
            assert [one.headers["fanout-attempt"] for one in outside.platforms.requests] == [
                "1",
                "2",
            ]
            assert any(isinstance(fact, ClaimInterrupted) for fact in second.facts)
            assert outside.states() == {"delivered": 1}

    in_virtual_time(story())


def test_after_an_outage_expired_leases_wait_for_their_holders_report() -> None:
    """A lease that ran out during the outage is not taken over by another worker right away."""

    async def story() -> None:
        outside = _linked("luma")
        release = asyncio.Event()

        async def slow() -> Answer:
            await release.wait()
            return Answer(200)

        outside.platforms.script = lambda _one: slow()
        async with FlowStage(outside) as holder:
            holder.take(event("evt_0", "user0@example.com"))
            await pass_time(2)
            other = FlowStage(outside)
            await other.directory.refresh()
            scheduling = asyncio.create_task(other.scheduler.run())
            outside.tables.reachable = False
            release.set()
            await pass_time(100)
            outside.tables.reachable = True
            await pass_time(20)
            scheduling.cancel()
            assert len(outside.platforms.requests) == 1
            assert outside.states() == {"delivered": 1}

    in_virtual_time(story())


@pytest.mark.parametrize("waiting", [0, 500])
def test_waiting_rows_cost_no_more_than_the_poll(waiting: int) -> None:
    """No hot loop: an hour at rest is two looks a second, however many rows wait."""

    async def story() -> None:
        outside = _linked("luma", users=waiting)
        outside.register("luma", paused=True)
        async with FlowStage(outside) as worker:
            await _all(worker, waiting)
            worker.due.looks = 0
            await pass_time(60)
            assert worker.due.looks <= 125

    in_virtual_time(story())


def test_a_rate_spaces_requests_evenly() -> None:
    """Ten a second is ten a second for a burst of fifty."""

    async def story() -> None:
        outside = _linked("luma", users=50)
        tables = outside.tables
        tables.platforms["luma"] = replace(tables.platforms["luma"], rate_per_s=10.0)
        async with FlowStage(outside) as worker:
            await _all(worker, 50)
            await pass_time(10)
            assert outside.states() == {"delivered": 50}
            at = outside.platforms.at
            assert at[-1] - at[0] == pytest.approx(4.9, abs=0.3)

    in_virtual_time(story())
