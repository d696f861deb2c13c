"""A receiving platform: a real HTTP server on loopback that answers from a script."""

import asyncio
import contextlib
import inspect
import socket
import struct
import time
from collections.abc import Sequence
from typing import Self

from aiohttp import web
from tests.harness.servers.answer import Answer, Script, Step
from tests.harness.servers.received import Received

from disconnect_fanout.demo.child_process import free_ports

_PIECE = bytes(64 * 1024)


class Receiver:
    """Records every request and answers from its script.

    ``async with Receiver([500, 500, 200]) as luma:`` and give ``luma.url`` to the platform. It may
    be stopped and started again on the same port, which is how a platform goes away and comes back.

    Args:
        script: A status or an ``Answer`` for ever; a list, worked off, whose last entry goes on for
            ever; or a callable. Assign ``receiver.script`` to change it half-way.
        host: Where it listens; two receivers may share a port on two loopback addresses.
        port: On which; a free one is taken if none is given.
    """

    def __init__(
        self, script: Script = 200, *, host: str = "127.0.0.1", port: int | None = None
    ) -> None:
        self.script = script
        self.host = host
        self.flooded = 0
        """Bytes sent by ``flood``; fewer than were to be sent if the client hung up."""
        self.late = 0
        """Answers that were followed by bytes which nobody had asked for."""
        self.requests: list[Received] = []
        self.port = free_ports(1)[0] if port is None else port
        self._arrival = asyncio.Condition()
        self._released = asyncio.Event()
        self._runner: web.ServerRunner | None = None
        self._server: web.Server | None = None

    @property
    def url(self) -> str:
        """Where the platform wants its webhooks."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def script(self) -> Script:
        """How the next requests are answered."""
        return self._script

    @script.setter
    def script(self, script: Script) -> None:
        self._script = script
        self._steps = list(script) if isinstance(script, Sequence) else []
        if isinstance(script, Sequence) and not script:
            raise ValueError("an empty script answers nothing; use HANG")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        self._server = web.Server(self._handle, access_log=None)
        self._runner = runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, self.host, self.port, reuse_address=True).start()

    async def stop(self) -> None:
        """Stop listening, and break off what hangs."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def release(self) -> None:
        """Answer everything that hangs, and let nothing hang any more."""
        self._released.set()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._server.connections) if self._server else 0

    def speak(self, unasked: bytes) -> int:
        """Say bytes on every open connection, asked or not; return on how many."""
        open_ones = self._server.connections if self._server else []
        transports = [one.transport for one in open_ones if one.transport is not None]
        for transport in transports:
            transport.write(unasked)
        return len(transports)

    async def received(self, count: int, *, within: float = 10.0) -> list[Received]:
        """Wait until at least ``count`` requests have come, and return all that came.

        Raises:
            AssertionError: Fewer came within ``within`` seconds.
        """
        try:
            async with asyncio.timeout(within), self._arrival:
                await self._arrival.wait_for(lambda: len(self.requests) >= count)
        except TimeoutError:
            raise AssertionError(
                f"{len(self.requests)} of {count} requests came within {within:g} s"
            ) from None
        return list(self.requests)

    async def stays_at(self, count: int, *, during: float) -> None:
        """Claim that ``count`` requests have come and that not one more comes.

        Raises:
            AssertionError: Another number came, at once or within ``during`` seconds.
        """
        try:
            async with asyncio.timeout(during), self._arrival:
                await self._arrival.wait_for(lambda: len(self.requests) != count)
        except TimeoutError:
            return
        raise AssertionError(f"{len(self.requests)} requests came, and not {count}")

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        received = await self._record(request)
        answer = await self._next(received)
        await asyncio.sleep(answer.delay)
        if answer.hang:
            await self._released.wait()
        if answer.reset:
            _reset(request)
        if answer.raw is not None and request.transport is not None:
            request.transport.write(answer.raw)
            request.transport.close()
        if answer.late:
            asyncio.get_running_loop().call_soon(self._say_late, request, answer.late)
        if answer.flood:
            return await self._flood(request, answer)
        if answer.drip is not None:
            return await _drip(request, answer, answer.drip)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    def _say_late(self, request: web.BaseRequest, late: bytes) -> None:
        if request.transport is not None and not request.transport.is_closing():
            request.transport.write(late)
            self.late += 1

    async def _flood(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(answer.flood // len(_PIECE)):
                await response.write(_PIECE)
                self.flooded += len(_PIECE)
        return response

    async def _record(self, request: web.BaseRequest) -> Received:
        body = await request.read()
        peer = request.transport.get_extra_info("peername") if request.transport else ("", 0)
        async with self._arrival:
            received = Received(
                number=len(self.requests) + 1,
                method=request.method,
                path=request.path_qs,
                headers=request.headers.copy(),
                body=body,
                peer_port=peer[1],
                at=time.monotonic(),
                wall=time.time(),
            )
            self.requests.append(received)
            self._arrival.notify_all()
        return received

    async def _next(self, received: Received) -> Answer:
        script = self._script
        step: Step
        if callable(script):
            decided = script(received)
            step = await decided if inspect.isawaitable(decided) else decided
        elif isinstance(script, Sequence):
            step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        else:
            step = script
        return Answer(status=step) if isinstance(step, int) else step


async def _drip(request: web.BaseRequest, answer: Answer, seconds: float) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):  # the head was enough for the client
        for byte in answer.body:
            await response.write(bytes([byte]))
            await asyncio.sleep(seconds)
        await response.write_eof()
    return response


def _reset(request: web.BaseRequest) -> None:
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        # Lingering for zero seconds is what turns a close into a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
