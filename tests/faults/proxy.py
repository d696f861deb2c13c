"""A wire that can be harmed: a TCP proxy on loopback between a worker and one server.

Bytes that are held back are not lost: TCP would send them again, so they arrive when the wire is
whole. What is lost is a connection, and whoever cuts one counts it.
"""

import asyncio
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from disconnect_fanout.demo.child_process import free_ports

_PIECE = 64 * 1024
_LINGER_NOT = struct.pack("ii", 1, 0)  # closing then resets


class Way(StrEnum):
    """A direction, as the worker sees it."""

    OUT = "out"
    BACK = "back"


@dataclass(eq=False)
class Wire:
    """One connection.

    Attributes:
        mute: whatever is said on it is lost, also that an end of it has gone.
    """

    mute: bool = False


class Proxy:
    """Forwards to the first of its targets that takes a connection, one after the other in turn.

    Args:
        targets: loopback ports; more than one is what a load balancer does.
    """

    def __init__(self, *targets: int) -> None:
        self.targets = targets
        (self.port,) = free_ports(1)
        self.delay_s = 0.0
        self.accepted = self.cut_off = self.held_bytes = self.delayed_pieces = 0
        """What happened so far: the evidence that a fault has bitten."""
        self.muted = 0
        """Connections that went mute."""
        self._wires: set[Wire] = set()
        self._over = asyncio.Event()
        self._trap: tuple[bytes, bool, int] | None = None
        self._turn = count()
        self._open = {way: asyncio.Event() for way in Way}
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.heal()

    def through(self, url: str) -> str:
        """Return a server's URL that leads through here."""
        parts = urlsplit(url)
        user, _, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{self.port}"))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await self.refuse()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def hold(self, *ways: Way) -> None:
        """Let nothing through in these directions, for the time being."""
        for way in ways:
            self._open[way].clear()

    def heal(self) -> None:
        """Let everything through again, what was held back first."""
        self.delay_s = 0.0
        for way in Way:
            self._open[way].set()

    def mute(self) -> None:
        """Let every connection of now go mute, for ever; new ones are served."""
        for wire in self._wires:
            self._silence(wire)

    def mute_at(self, words: bytes, *, heard: bool, times: int = 1) -> None:
        """Let the next connections on which the client says these words go mute at that point.

        Args:
            words: in what the client says.
            heard: whether the server still hears them.
            times: so many connections.
        """
        self._trap = (words, heard, times)

    def cut(self) -> None:
        """Reset every connection; new ones are served."""
        for writer in tuple(self._writers):
            connection = writer.get_extra_info("socket")
            if connection is not None and connection.fileno() >= 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            writer.transport.abort()
            self.cut_off += 1

    async def refuse(self) -> None:
        """Reset every connection, and take no new one."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    async def accept(self) -> None:
        """Take connections again."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        this = asyncio.current_task()
        if this is not None:
            self._tasks.add(this)
            this.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        wire = Wire()
        self._wires.add(wire)
        try:
            far_reader, far_writer = await self._connect()
            self._writers.add(far_writer)
            try:
                await asyncio.gather(
                    self._forward(wire, reader, far_writer, Way.OUT),
                    self._forward(wire, far_reader, writer, Way.BACK),
                )
            finally:
                self._writers.discard(far_writer)
                far_writer.close()
        except OSError:
            writer.transport.abort()
        finally:
            self._wires.discard(wire)
            self._writers.discard(writer)
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        first = next(self._turn)
        for index in range(len(self.targets)):
            port = self.targets[(first + index) % len(self.targets)]
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
        raise ConnectionRefusedError("no target takes a connection")

    async def _forward(
        self, wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way
    ) -> None:
        try:
            while piece := await self._heard(wire, reader):
                if not self._open[way].is_set():
                    self.held_bytes += len(piece)
                if self.delay_s:
                    self.delayed_pieces += 1
                    await asyncio.sleep(self.delay_s)
                await self._open[way].wait()
                if not wire.mute and not (way is Way.OUT and self._trapped(wire, piece)):
                    writer.write(piece)
                    await writer.drain()
        finally:
            writer.close()

    async def _heard(self, wire: Wire, reader: asyncio.StreamReader) -> bytes:
        """Return what an end says; that it has gone is not heard on a mute wire."""
        try:
            piece = await reader.read(_PIECE)
        except OSError:
            if not wire.mute:
                raise
            piece = b""
        if wire.mute and not piece:
            await self._over.wait()
        return piece

    def _trapped(self, wire: Wire, piece: bytes) -> bool:
        """Tell whether these words are the last of this connection, and are lost themselves."""
        if self._trap is None or self._trap[0] not in piece:
            return False
        words, heard, times = self._trap
        self._trap = (words, heard, times - 1) if times > 1 else None
        self._silence(wire)
        return not heard

    def _silence(self, wire: Wire) -> None:
        self.muted += not wire.mute
        wire.mute = True
