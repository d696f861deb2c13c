"""Our own want of descriptors, memory, threads or ports: held, said, and booked on nobody."""

from collections.abc import Callable

import pytest
from tests.harness.fakes.operator_store import FakeReplayStore
from tests.harness.flow.stage import FakeMessage, FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.app.readiness import Readiness
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.outcome import Answer, Failure, FailureKind, Shortage, Unable
from disconnect_fanout.flow.fact import AttemptFinished, AttemptGivenBack, BreakerTurned, RanShort
from disconnect_fanout.flow.outage import OutOfMeans

STALE = Failure(FailureKind.DISCONNECTED, "the connection ended", reused=True)


def _outside(*platforms: str) -> Outside:
    outside = Outside()
    outside.register(*platforms)
    outside.link("alice@example.com", *platforms)
    return outside


@pytest.mark.parametrize("shortage", Shortage)
def test_it_is_no_attempt(shortage: Shortage) -> None:
    """The event is acked, the row is as if never claimed, and a while later it is attempt 1."""

    async def story() -> None:
        outside = _outside("luma")
        outside.platforms.script = lambda _: Unable(shortage)
        async with FlowStage(outside) as worker:
            message = await worker.handle(event("evt_1"))
            assert message.acked
            (row,) = outside.tables.rows()
            assert (row.state, row.attempts, row.step, row.lease) == ("pending", 0, 0, None)
            assert (row.last_result, row.first_failed_at) == (None, None)
            assert 1000 <= (row.next_at or 0) - outside.tables.now_ms <= 5000
            await pass_time(60)
            assert len(outside.platforms.requests) > 5
            assert not outside.tables.attempts
            assert not [one for one in worker.facts if isinstance(one, AttemptFinished)]
            outside.platforms.script = lambda _: Answer(200)
            await pass_time(6)
            (row,) = outside.tables.rows()
            assert (row.state, row.attempts) == (DeliveryState.DELIVERED, 1)
            assert outside.platforms.requests[-1].headers["fanout-attempt"] == "1"
            assert not worker.crashes

    in_virtual_time(story())


def test_the_breaker_hears_nothing_of_it() -> None:
    """However often, it opens no breaker, and what is due goes out when there are means again."""

    async def story() -> None:
        outside = _outside("luma")
        outside.platforms.script = lambda _: Unable(Shortage.DESCRIPTORS)
        async with FlowStage(outside) as worker:
            for number in range(20):
                await worker.handle(event(f"evt_{number}"))
            await pass_time(30)
            assert not [one for one in worker.facts if isinstance(one, BreakerTurned)]
            assert worker.bulkheads.in_flight("luma") == 0
            outside.platforms.script = lambda _: Answer(200)
            await pass_time(8)
            assert outside.states() == {"delivered": 20}

    in_virtual_time(story())


def test_it_is_no_hot_loop() -> None:
    """After one that could not be made nothing new starts for a second, whatever is due."""

    async def story() -> None:
        outside = _outside("luma", "boardy")
        outside.platforms.script = lambda _: Unable(Shortage.DESCRIPTORS)
        async with FlowStage(outside, cap=2) as worker:
            for number in range(50):
                await worker.handle(event(f"evt_{number}"))
            before, looks = len(outside.platforms.requests), worker.due.looks
            await pass_time(10)
            assert len(outside.platforms.requests) - before <= 10 * 4
            assert worker.due.looks - looks <= 60

    in_virtual_time(story())


def test_ports_towards_one_platform_delay_no_other() -> None:
    """Local ports run out for one address; the others are told at once."""

    async def story() -> None:
        outside = _outside("luma", "boardy")
        outside.platforms.script = lambda one: (
            Unable(Shortage.PORTS) if one.platform_id == "luma" else Answer(200)
        )
        async with FlowStage(outside) as worker:
            for number in range(10):
                await worker.handle(event(f"evt_{number}"))
            assert len(outside.platforms.heard("boardy")) == 10
            assert outside.states() == {"delivered": 10, "pending": 10}

    in_virtual_time(story())


def test_of_a_second_try_only_the_first_is_an_attempt() -> None:
    """A stale connection, then no descriptor for a fresh one: one attempt is booked, not two."""

    async def story() -> None:
        outside = _outside("luma")
        outside.platforms.script = lambda one: Unable(Shortage.DESCRIPTORS) if one.fresh else STALE
        async with FlowStage(outside) as worker:
            await worker.handle(event("evt_1"))
            (row,) = outside.tables.rows()
            assert (row.state, row.attempts, row.step, row.lease) == ("pending", 1, 0, None)
            assert len(outside.tables.attempts) == 1
            outside.platforms.script = lambda _: Answer(200)
            await pass_time(6)
            assert outside.states() == {"delivered": 1}
            assert outside.platforms.requests[-1].headers["fanout-attempt"] == "2"

    in_virtual_time(story())


def test_a_replay_that_could_not_be_sent_is_still_that_replay() -> None:
    """A replayed delivery that is given back ends its job when it is sent at last."""

    async def story() -> None:
        outside = _outside("luma")
        outside.platforms.script = lambda _: Answer(410)
        async with FlowStage(outside) as worker:
            await worker.handle(event("evt_1"))
            await pass_time(5)
            assert outside.states() == {"dead": 1}
            (row,) = outside.tables.rows()
            outside.register("luma")
            await worker.directory.refresh()
            await FakeReplayStore(outside.tables).create([row.id])
            outside.platforms.script = lambda _: Unable(Shortage.MEMORY)
            await pass_time(20)
            assert outside.states() == {"pending": 1}
            outside.platforms.script = lambda _: Answer(200)
            await pass_time(20)
            (row,) = outside.tables.rows()
            assert (row.state, row.attempts, row.replays) == ("delivered", 2, 1)

    in_virtual_time(story())


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread")], ids=repr)
def test_no_memory_to_sign_with_is_no_attempt(error: Exception) -> None:
    """What fails before a request for our own want leaves no lease to expire, no interruption."""

    async def story() -> None:
        outside = _outside("luma")
        worker = FlowStage(outside)
        encode, failing = worker.deliverer._encode, [True]

        def sometimes(*args: object) -> bytes:
            if failing:
                raise error
            return encode(*args)  # type: ignore[arg-type]

        worker.deliverer._encode = sometimes
        async with worker:
            assert (await worker.handle(event("evt_1"))).acked
            await pass_time(120)
            failing.clear()
            await pass_time(6)
            (row,) = outside.tables.rows()
            assert (row.state, row.attempts) == ("delivered", 1)
            assert [one.result for one in outside.tables.attempts.values()] == ["delivered"]
            assert not worker.crashes

    in_virtual_time(story())


def _no_memory(_message: object) -> None:
    raise MemoryError


def _no_thread(_message: object) -> None:
    raise ValueError from RuntimeError("can't start new thread")


@pytest.mark.parametrize("fails", [_no_memory, _no_thread])
def test_an_event_is_not_rejected_for_our_own_want(fails: Callable[[object], None]) -> None:
    """No memory to read it with: it goes back to the broker, and is neither acked nor rejected."""

    async def story() -> None:
        outside = _outside("luma")
        async with FlowStage(outside) as worker:
            worker.fan_out._decode = fails  # type: ignore[assignment]
            message, task = worker.take(event("evt_1"))
            with pytest.raises(OutOfMeans):
                await task
            assert not message.acked
            assert not outside.rejects.rejected
            assert not worker.crashes
            assert [one for one in worker.facts if isinstance(one, RanShort)]

    in_virtual_time(story())


def test_a_bug_is_still_a_bug() -> None:
    """Everything else that fails on an event is told, and the event is rejected."""

    async def story() -> None:
        outside = _outside("luma")
        async with FlowStage(outside) as worker:

            def fails(_message: object) -> None:
                raise ZeroDivisionError

            worker.fan_out._decode = fails  # type: ignore[assignment]
            message = await worker.handle(event("evt_1"))
            assert isinstance(message, FakeMessage)
            assert outside.rejects.rejected
            assert worker.crashes

    in_virtual_time(story())


def test_readiness_says_what_is_wanting_while_it_lasts() -> None:
    """Not ready, and why, until nothing was wanting for ten seconds."""
    now = [100.0]
    readiness = Readiness(started=True, platforms=1, consuming=lambda: True, clock=lambda: now[0])
    assert not readiness.problems()
    for fact in (
        AttemptGivenBack("wh_del_1", "luma", Shortage.DESCRIPTORS),
        RanShort(Shortage.DESCRIPTORS),
    ):
        readiness.observe(fact)
        (problem,) = readiness.problems()
        assert "out of file descriptors" in problem
        now[0] += 9.9
        assert readiness.problems()
        now[0] += 0.2
        assert not readiness.problems()
