"""Servers whose clients take their time: they end, they are few, and whoever asks is answered."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager

import aiohttp
import pytest
import uvloop
from aiohttp import web
from tests.harness.servers.slow_clients import (
    HALF_A_BODY,
    HALF_A_HEAD,
    SlowClients,
    becomes,
    ended,
    trickles,
)
from tests.harness.worker.shortage import no_descriptors

from disconnect_fanout.adapters.http.bounded_server import BoundedServer, Limits
from disconnect_fanout.adapters.http.listening import AddressTaken, listen
from disconnect_fanout.domain.outcome import Shortage

SHORT = Limits(receive_s=0.4, idle_s=0.4, handle_s=5.0, answer_s=0.4)
LONG = Limits(receive_s=60.0, idle_s=60.0, handle_s=60.0, answer_s=60.0)
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
LARGE = b"x" * (16 * 1024 * 1024)
Story = Coroutine[None, None, None]
Told = Callable[[Story], None]


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"])
def told(request: pytest.FixtureRequest) -> Told:
    """Runs a story under each loop; production has uvloop's."""

    def run(story: Story) -> None:
        async def within() -> None:
            async with asyncio.timeout(30):
                await story

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(within())

    return run


async def _answer(request: web.BaseRequest) -> web.Response:
    if request.path == "/large":
        return web.Response(body=LARGE)
    return web.Response(body=await request.read())


@asynccontextmanager
async def serving(
    limits: Limits = LONG, most: int = 8, on_shortage: Callable[[Shortage], None] = lambda _: None
) -> AsyncIterator[tuple[BoundedServer, SlowClients]]:
    """A server that gives back what it gets, and clients of it."""
    server = BoundedServer(_answer, most=most, limits=limits)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    port = await listen(runner, "127.0.0.1", 0, "THE_PORT", on_shortage)
    try:
        async with SlowClients(port) as clients:
            yield server, clients
    finally:
        await runner.cleanup()


async def _ask(clients: SlowClients) -> None:
    """Ask in one breath, and be answered within a second or two."""
    (wire,) = await clients.send(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(2):
        assert (await ended(wire)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET",
        HALF_A_HEAD,
        HALF_A_BODY,
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HT",
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
    ids=["nothing", "a word", "a head", "a body", "a chunk", "expecting", "pipelined", "idle"],
)
def test_what_does_not_go_on_is_closed(told: Told, said: bytes) -> None:
    """Half a head, half a body, half a second request, or no second one: closed after its time."""

    async def story() -> None:
        async with serving(SHORT) as (server, clients):
            (wire,) = await clients.send(said)
            began = time.monotonic()
            await ended(wire)
            assert time.monotonic() - began < 3
            assert not server.open

    told(story())


@pytest.mark.parametrize("said", [HALF_A_HEAD, HALF_A_BODY[:-1].replace(b" 10", b" 100000")])
def test_a_trickle_gains_no_time(told: Told, said: bytes) -> None:
    """A byte now and then is not a request; the time counts from where the head or body began."""

    async def story() -> None:
        async with serving(SHORT) as (_, clients):
            (wire,) = await clients.send(said)
            trickle = asyncio.create_task(trickles(wire))
            began = time.monotonic()
            await ended(wire)
            assert time.monotonic() - began < 3
            trickle.cancel()

    told(story())


def test_an_answer_that_nobody_reads_is_given_up(told: Told) -> None:
    """A client that asks and does not read holds its connection for so long and no longer."""

    async def story() -> None:
        async with serving(SHORT) as (server, clients):
            await clients.send(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
            await becomes(lambda: bool(server.open))
            await becomes(lambda: not server.open)

    told(story())


@pytest.mark.parametrize("said", [b"", HALF_A_HEAD, HALF_A_BODY])
def test_hundreds_of_half_sent_requests_hold_a_few_connections(told: Told, said: bytes) -> None:
    """Beyond the bound the oldest goes, not the newest: whoever asks in one breath is answered."""

    async def story() -> None:
        async with serving(LONG, most=8) as (server, clients):
            wires = await clients.send(said, times=200)
            for _ in range(3):
                await _ask(clients)
            assert len(server.open) <= 8
            await ended(wires[0])  # although its time is not up

    told(story())


def test_slow_readers_do_not_shut_others_out(told: Told) -> None:
    """All connections taken by clients that don't read: one of them goes after a second."""

    async def story() -> None:
        async with serving(LONG, most=2) as (server, clients):
            await clients.send(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n", times=2)
            await becomes(lambda: len(server.open) == 2)
            (wire,) = await clients.send(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert (await ended(wire)).startswith(b"HTTP/1.1 200")

    told(story())


def test_who_is_being_answered_is_not_dropped(told: Told) -> None:
    """When all connections are at work the next one waits for its turn, and is answered."""

    async def story() -> None:
        release = asyncio.Event()

        async def slow(_request: web.BaseRequest) -> web.Response:
            await release.wait()
            return web.Response()

        server = BoundedServer(slow, most=2, limits=LONG)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        port = await listen(runner, "127.0.0.1", 0, "THE_PORT")
        async with aiohttp.ClientSession() as session:

            async def get() -> int:
                async with session.get(f"http://127.0.0.1:{port}/") as answer:
                    return answer.status

            asking = [asyncio.create_task(get()) for _ in range(6)]
            await becomes(lambda: server.requests_count == 2)
            release.set()
            assert await asyncio.gather(*asking) == [200] * 6
        await runner.cleanup()

    told(story())


def test_out_of_descriptors_it_says_so_and_goes_on(told: Told) -> None:
    """No descriptor to accept with: told, not logged by the loop, and it serves again after."""

    async def story() -> None:
        shortages: list[Shortage] = []
        async with serving(LONG, on_shortage=shortages.append) as (server, clients):
            await _ask(clients)
            await becomes(lambda: not server.open)
            (idle,) = await clients.send(b"")
            await becomes(lambda: len(server.open) == 1)
            with ExitStack() as stack:
                late = [stack.enter_context(socket.socket()) for _ in range(20)]
                stack.enter_context(no_descriptors())
                for one in late:
                    one.connect(clients.address)  # the kernel's part of it needs none
                await becomes(lambda: bool(shortages))
                await ended(idle)  # what waits for its client is given back first
            assert set(shortages) == {Shortage.DESCRIPTORS}
            await _ask(clients)

    told(story())


def test_an_address_that_is_taken_is_named(told: Told) -> None:
    """Somebody else listens there: the settings are named, and why."""

    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            server = BoundedServer(_answer, most=1, limits=LONG)
            host, port = taken.getsockname()
            with pytest.raises(AddressTaken, match=r"THE_PORT.*Address already in use"):
                await listen(web.ServerRunner(server), host, port, "THE_PORT")

    told(story())
