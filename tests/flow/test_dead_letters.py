"""Dead letters: one message for each dead row, whatever happens in between."""

import asyncio

from tests.harness.fakes.operator_store import FakeReplayStore
from tests.harness.flow.stage import FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.domain.outcome import Answer
from disconnect_fanout.flow.letters import LetterKey
from disconnect_fanout.policy.decide import RetryPolicy

NO_RETRY = RetryPolicy((), max_age_s=3600.0)


def _failing(users: int = 1) -> Outside:
    outside = Outside()
    outside.register("luma")
    for n in range(users):
        outside.link(f"user{n}@example.com", "luma")
    outside.platforms.script = lambda _one: Answer(500)
    return outside


async def _kill_deliveries(worker: FlowStage, count: int = 1) -> list[str]:
    for n in range(count):
        await worker.handle(event(f"evt_{n}", f"user{n}@example.com"))
    return sorted(worker.outside.tables.deliveries)


def test_a_row_turns_dead_only_after_its_letter_is_confirmed() -> None:
    """I4: without a broker the decision stands, nothing more is sent, and the row is not dead."""

    async def story() -> None:
        outside = _failing()
        outside.queue.reachable = False
        async with FlowStage(outside, policy=NO_RETRY) as worker:
            await _kill_deliveries(worker)
            await pass_time(300)
            assert outside.states() == {"pending": 1}
            assert len(outside.platforms.requests) == 1
            outside.queue.reachable = True
            await pass_time(15)
            assert outside.states() == {"dead": 1}
            assert len(outside.queue.letters) == 1
            assert len(outside.platforms.requests) == 1

    in_virtual_time(story())


def test_queue_and_rows_agree_within_ten_seconds_after_anything() -> None:
    """Doubles and stale letters go, missing ones come back, strangers are left alone."""

    async def story() -> None:
        outside = _failing(users=5)
        async with FlowStage(outside, policy=NO_RETRY) as worker:
            ids = await _kill_deliveries(worker, 5)
            await pass_time(10)
            assert len(outside.queue.letters) == 5
            outside.queue.letters.remove(LetterKey(ids[0], 0))  # somebody consumed it
            outside.queue.letters.append(LetterKey(ids[1], 0))  # an ambiguous publish
            outside.queue.letters.append(LetterKey(ids[2], 7))  # of another replay
            outside.queue.letters.append(None)  # a stranger's
            await pass_time(10)
            letters = [one for one in outside.queue.letters if one is not None]
            assert sorted(one.delivery_id for one in letters) == ids
            assert {one.replays for one in letters} == {0}
            assert outside.queue.letters.count(None) == 1

    in_virtual_time(story())


def test_a_slow_look_does_not_put_the_next_one_off() -> None:
    """A broker under an alarm answers late once; what is missing then is not missing for long."""

    async def story() -> None:
        outside = _failing(users=3)
        async with FlowStage(outside, policy=NO_RETRY) as worker:
            ids = await _kill_deliveries(worker, 3)
            await pass_time(10)
            outside.queue.answers_after_s = 9.5
            await pass_time(9.5)
            outside.queue.answers_after_s = 0.0
            outside.queue.letters.remove(LetterKey(ids[0], 0))
            await pass_time(25)
            assert sorted(one.delivery_id for one in outside.queue.letters if one) == ids

    in_virtual_time(story())


def test_a_disabled_platforms_waiting_rows_are_never_silence() -> None:
    """Rows that wait for a platform that is switched off become dead letters by name."""

    async def story() -> None:
        outside = _failing(users=3)
        async with FlowStage(outside, policy=RetryPolicy((3600.0,), 1e6)) as worker:
            await _kill_deliveries(worker, 3)
            assert outside.states() == {"pending": 3}
            outside.register("luma", enabled=False)
            await pass_time(10)
            assert {row.reason for row in outside.tables.rows()} == {"endpoint_disabled"}
            assert outside.states() == {"dead": 3}
            assert len(outside.queue.letters) == 3

    in_virtual_time(story())


def test_a_removed_platforms_waiting_rows_are_never_silence() -> None:
    """Rows of a platform that is no longer registered become dead letters by name."""

    async def story() -> None:
        outside = _failing()
        async with FlowStage(outside, policy=RetryPolicy((3600.0,), 1e6)) as worker:
            await _kill_deliveries(worker)
            outside.tables.platforms.clear()
            await pass_time(10)
            (row,) = outside.tables.rows()
            assert (row.state, row.reason) == ("dead", "unknown_platform")

    in_virtual_time(story())


def test_one_sweeper_at_a_time() -> None:
    """Two workers keep one letter for each dead row: the duty has one holder."""

    async def story() -> None:
        outside = _failing(users=20)
        async with FlowStage(outside, policy=NO_RETRY) as first:
            second = FlowStage(outside, policy=NO_RETRY)
            sweeping = asyncio.create_task(second.sweeper.run())
            ids = await _kill_deliveries(first, 20)
            await pass_time(60)
            assert sorted(one.delivery_id for one in outside.queue.letters if one) == ids
            assert len(outside.tables.duties) == 1
            sweeping.cancel()

    in_virtual_time(story())


def test_the_queue_follows_a_replay_and_is_right_when_it_is_done() -> None:
    """A short queue follows within ten seconds all the time, any queue when all is settled."""

    async def story() -> None:
        outside = _failing(users=300)
        async with FlowStage(outside, policy=NO_RETRY) as worker:
            ids = await _kill_deliveries(worker, 300)
            await pass_time(20)
            assert len(outside.queue.letters) == 300
            outside.platforms.script = lambda _one: Answer(200)
            jobs = FakeReplayStore(outside.tables)
            job = await jobs.create(ids, rate_per_s=10.0)
            lag = 0
            while (found := await jobs.progress(job)) is not None and found.state != "done":
                await pass_time(0.5)
                lag = max(lag, len(outside.queue.letters) - outside.states().get("dead", 0))
            assert lag <= 10 * 10
            await pass_time(10)
            assert outside.queue.letters == []
            assert outside.states() == {"delivered": 300}

    in_virtual_time(story())
