"""How long a connection is kept, for whom, and what a platform that moves must wait for."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_network

import pytest
import uvloop
from tests.harness.fakes.resolver import TableResolver
from tests.harness.servers.raw_server import Exchange as OnWire
from tests.harness.servers.raw_server import RawServer, ok
from tests.harness.servers.shaped_platform import request

from disconnect_fanout.adapters.http import pool
from disconnect_fanout.adapters.http.sender import AiohttpSender
from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, Unable

LOOPBACK = [ip_network("127.0.0.0/8")]


class Clock:
    """Seconds that the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The age of connections is read from it."""
    return Clock()


@pytest.fixture
def names() -> TableResolver:
    """Who lives where."""
    return TableResolver(luma_test="127.0.0.1")


@pytest.fixture
async def sender(clock: Clock, names: TableResolver) -> AsyncIterator[AiohttpSender]:
    """A sender whose time and names are the test's."""
    sender = AiohttpSender("disconnect-fanout/test", LOOPBACK, names, clock)
    yield sender
    await sender.close()


def named(name: str) -> Callable[[OnWire], Awaitable[None]]:
    """A platform that says which one it is."""

    async def answer(wire: OnWire) -> None:
        await wire.say(ok(name.encode()))

    return answer


async def test_a_busy_platform_that_moved_is_found_within_two_minutes(
    sender: AiohttpSender, clock: Clock, names: TableResolver
) -> None:
    """Though its old address goes on answering, and its connection is never idle."""
    async with (
        RawServer(named("old")) as old,
        RawServer(named("new"), host="127.0.0.2", port=old.port) as new,
    ):
        url = old.url("luma.test")
        assert await sender.send(request(url)) == Answer(200, None, "old")
        names.names["luma.test"] = "127.0.0.2"
        moved_at = clock.now
        answer: Exchange | Unable = Answer(200, None, "old")
        while answer == Answer(200, None, "old"):
            clock.now += 1
            answer = await sender.send(request(url))
        assert answer == Answer(200, None, "new")
        assert clock.now - moved_at <= 120
        assert (old.connections, new.connections) == (1, 1), "until then it was kept"


async def test_a_retry_finds_a_platform_that_moved_at_once(
    sender: AiohttpSender, names: TableResolver
) -> None:
    """It takes a fresh connection, and a fresh look-up."""
    async with (
        RawServer(named("old")) as old,
        RawServer(named("new"), host="127.0.0.2", port=old.port),
    ):
        url = old.url("luma.test")
        await sender.send(request(url))
        names.names["luma.test"] = "127.0.0.2"
        retry = replace(request(url), fresh=True)
        assert await sender.send(retry) == Answer(200, None, "new")


async def test_no_exchange_outlives_its_connections_two_minutes(
    sender: AiohttpSender, clock: Clock
) -> None:
    """A request takes a kept connection only if all of its time-out fits into the rest."""
    async with RawServer() as server:
        await sender.send(request(server.url()))
        clock.now += 89
        await sender.send(request(server.url(), timeout_s=30))
        assert server.connections == 1
        clock.now += 2
        await sender.send(request(server.url(), timeout_s=30))
        assert server.connections == 2


async def test_a_platform_that_is_gone_leaves_no_pool(sender: AiohttpSender, clock: Clock) -> None:
    """Its connections end when they were idle for half a minute, and then it is forgotten."""
    async with RawServer() as server:
        await sender.send(request(server.url(), platform_id="gone"))
        for _ in range(3):
            clock.now += 20
            await sender.send(request(server.url(), platform_id="stays"))
            sender._pools._sweep()
        await asyncio.wait_for(server.ended.wait(), 5)
        assert [platform for platform, _, _ in sender._pools._pools] == ["stays"]
        assert server.connections == 2


async def test_a_changed_url_or_authority_takes_no_old_connection(sender: AiohttpSender) -> None:
    """The connections belong to a platform as it is registered."""
    async with RawServer() as server:
        await sender.send(request(server.url()))
        await sender.send(request(server.url(path="/other")))
    assert server.connections == 2


async def test_an_answer_that_comes_while_a_long_request_leaves_is_heard(
    sender: AiohttpSender,
) -> None:
    """The platform has stopped reading: it is not waited for, and the connection is not kept."""

    async def answer(wire: OnWire) -> None:
        await wire.say(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n")
        await stop.wait()

    stop = asyncio.Event()
    async with RawServer(answer, early=True) as server:
        long = replace(request(server.url()), body=b"x" * 8 * 2**20)
        assert await sender.send(long) == Answer(410)
        stop.set()
        await asyncio.wait_for(server.ended.wait(), 5)


async def test_closing_ends_what_is_under_way(sender: AiohttpSender) -> None:
    """Idle or not, nothing is left open, and nothing can be sent any more."""

    async def answer(wire: OnWire) -> None:
        asked.set()
        if wire.request.endswith(b"hang"):
            await asyncio.Event().wait()
        await wire.say(ok())

    asked = asyncio.Event()
    async with RawServer(answer) as server:
        await sender.send(request(server.url()))
        asked.clear()
        hanging = replace(request(server.url(), platform_id="b"), body=b"hang")
        under_way = asyncio.create_task(sender.send(hanging))
        await asked.wait()
        await sender.close()
        assert isinstance(await under_way, Failure)
        assert not sender._dialer._open
        with pytest.raises(RuntimeError, match="closed"):
            await sender.send(request(server.url()))


def test_a_thousand_platforms_are_cheap() -> None:
    """Each has its own connection on the loop of production, and a look at all costs little.

    Its own time is what is measured: on a busy machine another process takes the clock's.
    """

    async def main() -> None:
        sender = AiohttpSender("disconnect-fanout/test", LOOPBACK)
        async with RawServer() as server:
            for _ in range(2):
                for number in range(1000):
                    one = request(server.url(), platform_id=f"plat_{number}")
                    assert await sender.send(one) == Answer(200)
            assert server.connections == 1000
            began = time.thread_time()
            sender._pools._sweep()
            assert time.thread_time() - began < pool.SWEEP_S / 20
            await sender.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


# ── the URL ──────────────────────────────────────────────────────────────────────────────────

TARGETS = [
    "/t?",
    "/",
    "/?",
    "//",
    "//a//b/",
    "/a;b=c?d;e",
    "/%2F%2f%41%7e~",
    "/a/../b/./c",
    "/?a=b?c=d&&=",
    "/a+b%20c",
    "/[x]{y}|^`'\"<>",
    "/a:b@c$,!*()",
    "?x=y",
    "",
]


@pytest.mark.parametrize("target", TARGETS)
async def test_the_target_is_requested_as_registered(sender: AiohttpSender, target: str) -> None:
    """Byte for byte: a signature of the platform's own may be in it."""
    async with RawServer() as server:
        assert await sender.send(request(server.url(path=target))) == Answer(200)
    wanted = target if target.startswith("/") else f"/{target}"
    assert server.requests[0].split(b"\r\n")[0] == f"POST {wanted} HTTP/1.1".encode()


async def test_no_header_ends_early(sender: AiohttpSender) -> None:
    """A line break in a header's value is a failure, and nothing is sent."""
    async with RawServer() as server:
        bad = replace(request(server.url()), headers={"webhook-id": "a\r\nx: y"})
        assert isinstance(await sender.send(bad), Failure)
    assert server.requests == []
