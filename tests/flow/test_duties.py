"""Duties: one that fails is said and begun again; whatever hangs, the end comes in bounded time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.flow.fact import DutyCrashed, Fact
from disconnect_fanout.flow.supervision.duties import Duties
from disconnect_fanout.flow.supervision.ending import ended


class Stage:
    """Duties, and what they told."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.crashes: list[BaseException] = []
        self.duties = Duties(
            self.facts.append, self.crashes.append, asyncio.get_running_loop().time
        )


async def forever() -> None:
    await asyncio.Event().wait()


def test_a_duty_that_fails_is_begun_again_and_the_others_never_notice() -> None:
    """The failure is told at once with its error, is visible, and is over when it runs again."""

    async def story() -> None:
        stage, begun, other = Stage(), 0, 0

        async def fails_once() -> None:
            nonlocal begun
            begun += 1
            if begun == 1:
                raise LookupError("a bug")
            await forever()

        async def counts() -> None:
            nonlocal other
            while True:
                await pass_time(0.1)
                other += 1

        stage.duties.start("sweeper", fails_once)
        stage.duties.start("scheduler", counts)
        await pass_time(0.5)
        assert stage.facts == [DutyCrashed("sweeper", 1, 1.0)]
        assert [type(one) for one in stage.crashes] == [LookupError]
        assert stage.duties.problems() == ["sweeper failed and is begun again; the log says why"]
        await pass_time(10)
        assert (begun, stage.duties.problems()) == (2, [])
        assert other >= 100
        assert await stage.duties.end(1.0) == []

    in_virtual_time(story())


@pytest.mark.parametrize("error", [ValueError, ExceptionGroup, asyncio.CancelledError, KeyError])
def test_whatever_a_duty_raises_it_is_begun_again(error: type[BaseException]) -> None:
    """Also what looks like a cancellation that nobody asked for, as a frozen broker makes it."""

    async def story() -> None:
        stage, begun = Stage(), 0

        async def fails() -> None:
            nonlocal begun
            begun += 1
            raise ExceptionGroup("", [OSError()]) if error is ExceptionGroup else error()

        stage.duties.start("relay", fails)
        await pass_time(3.5)
        assert begun == 3
        assert await stage.duties.end(1.0) == []

    in_virtual_time(story())


def test_a_duty_that_ends_by_itself_has_failed_unless_the_end_is_expected() -> None:
    """A loop that returns does nothing any more, which nobody would notice."""

    async def story() -> None:
        stage, leave = Stage(), asyncio.Event()

        async def until_told() -> None:
            await leave.wait()

        stage.duties.start("consumer", until_told)
        await pass_time(1)
        stage.duties.expect_ends()
        leave.set()
        await stage.duties.settle(["consumer"], 5.0)
        assert (stage.facts, await stage.duties.end(1.0)) == ([], [])

        stage = Stage()
        stage.duties.start("consumer", until_told)
        await pass_time(0.5)
        assert stage.facts == [DutyCrashed("consumer", 1, 1.0)]
        await stage.duties.end(1.0)

    in_virtual_time(story())


def test_one_that_fails_and_fails_ends_the_process_in_order() -> None:
    """After some two minutes without a sound run; until then it is tried."""

    async def story() -> None:
        stage = Stage()

        async def fails() -> None:
            raise LookupError

        stage.duties.start("health", fails)
        await pass_time(100)
        assert not stage.duties.hopeless.is_set()
        await pass_time(60)
        assert stage.duties.hopeless.is_set()
        await stage.duties.end(1.0)

    in_virtual_time(story())


async def swallows_one() -> None:
    """As ``wait_for`` of Python 3.11 does when the cancellation comes in the wrong moment."""
    try:
        await forever()
    except asyncio.CancelledError:
        await forever()


async def swallows_three() -> None:
    for _ in range(3):
        try:
            await forever()
        except asyncio.CancelledError:
            continue
    await forever()


async def cleans_up_slowly() -> None:
    try:
        await forever()
    finally:
        await pass_time(0.1)


@pytest.mark.parametrize("run", [swallows_one, swallows_three, cleans_up_slowly, forever])
def test_a_cancellation_that_is_swallowed_is_repeated(run: Callable[[], Awaitable[None]]) -> None:
    """Nobody waits for ever for a task whose first cancellation was lost."""

    async def story() -> None:
        stage = Stage()
        stage.duties.start("consumer", run)
        await pass_time(1)
        assert await stage.duties.end(3.0) == []

    in_virtual_time(story())


def test_what_can_not_be_ended_is_named_and_left() -> None:
    """The end has a bound; who still hangs is told by name."""

    async def story() -> None:
        stage, release = Stage(), asyncio.Event()

        async def never() -> None:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue

        stage.duties.start("relay", forever)
        stage.duties.start("consumer", never)
        await pass_time(1)
        began = asyncio.get_running_loop().time()
        assert await stage.duties.end(3.0) == ["consumer"]
        assert asyncio.get_running_loop().time() - began == pytest.approx(3.0, abs=0.1)
        release.set()
        await pass_time(0)

    in_virtual_time(story())


def test_ending_what_has_ended_takes_no_time() -> None:
    """Nothing is waited for."""

    async def story() -> None:
        done = asyncio.create_task(asyncio.sleep(0))
        await done
        began = asyncio.get_running_loop().time()
        assert await ended([done], 5.0) == set()
        assert asyncio.get_running_loop().time() == began

    in_virtual_time(story())
