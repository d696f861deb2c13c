"""Listening where the configuration says, or saying why that can't be.

The connections are taken one by one, by us: libuv's own loop closes the listening socket for good
when a descriptor is wanting at the wrong moment, and asyncio's logs each try.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Collection, Iterator
from typing import Any, cast

from aiohttp import web

from disconnect_fanout.adapters.http.bounded_server import BoundedServer
from disconnect_fanout.domain.outcome import Shortage
from disconnect_fanout.policy.faults.own_fault import shortage_of
from disconnect_fanout.policy.wording.error_words import system_words

_BACKLOG = 128
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_REST_S = 0.2


class AddressTaken(Exception):
    """Nobody can listen there."""


def silent(_shortage: Shortage) -> None:
    """Tell nobody."""


async def listen(
    runner: web.BaseRunner,
    host: str,
    port: int,
    names: str,
    on_shortage: Callable[[Shortage], None] = silent,
) -> int:
    """Listen; return the port.

    Args:
        runner: of a ``BoundedServer``.
        host: an address of this machine.
        port: 0 takes a free one.
        names: of the settings that chose them, for the error.
        on_shortage: called each time that this machine has nothing left to take a connection with.

    Raises:
        AddressTaken: by somebody else, or it is not an address of this machine.
    """
    await runner.setup()
    try:
        await _Site(runner, host, port, on_shortage).start()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else system_words(error)
        raise AddressTaken(f"{names}: can't listen on {host}:{port} ({why})") from None
    return int(runner.addresses[0][1])


class _Site(web.BaseSite):
    """Where a runner's server is reached."""

    __slots__ = ("_host", "_on_shortage", "_port")

    def __init__(
        self, runner: web.BaseRunner, host: str, port: int, on_shortage: Callable[[Shortage], None]
    ) -> None:
        super().__init__(runner)
        self._host = host
        self._port = port
        self._on_shortage = on_shortage

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        server = self._runner.server
        assert isinstance(server, BoundedServer)  # noqa: S101 - nothing else has bounds
        sockets = await _sockets(self._host, self._port)
        accepting = _Accepting(sockets, server, self._on_shortage)
        self._server = cast("asyncio.AbstractServer", accepting)  # as much as a runner uses of it


class _Accepting:
    """Takes connections for a server until closed."""

    def __init__(
        self,
        sockets: list[socket.socket],
        server: BoundedServer,
        on_shortage: Callable[[Shortage], None],
    ) -> None:
        self.sockets = sockets
        self._server = server
        self._on_shortage = on_shortage
        works = [server.keep_time(), *map(self._accept, sockets)]
        self._tasks = [asyncio.create_task(work) for work in works]

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for listening in self.sockets:  # a task that never ran closes nothing
            listening.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listening)
            except (OSError, MemoryError) as error:
                await self._rest(error)
                continue
            await self._take(client)

    async def _take(self, client: socket.socket) -> None:
        try:
            await self._server.room()
            await asyncio.get_running_loop().connect_accepted_socket(self._server, client)
        except (OSError, MemoryError) as error:
            client.close()
            await self._rest(error)
        except BaseException:
            client.close()
            raise

    async def _rest(self, error: Exception) -> None:
        """A client that left before it was taken is nobody's want; for ours, give back first."""
        if (shortage := shortage_of(error)) is not None:
            self._on_shortage(shortage)
            self._server.drop_one()
            await asyncio.sleep(_REST_S)


async def _sockets(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address of the host.

    Raises:
        OSError: of the first that can't be had.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = {(family, target): None for family, *_, target in found}  # once each, in order
    made: list[socket.socket] = []
    try:
        made.extend(_listening(addresses))
    except OSError:
        for one in made:
            one.close()
        raise
    return made


def _listening(addresses: Collection[tuple[int, Any]]) -> Iterator[socket.socket]:
    """Make them; "localhost" has two addresses, also on a machine that has no IPv6."""
    wanting: OSError | None = None
    some = False
    for family, target in addresses:
        try:
            one = socket.create_server(target, family=family, backlog=_BACKLOG)
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise
            wanting = error
            continue
        some = True
        one.setblocking(False)  # noqa: FBT003 - the socket's own signature
        yield one
    if wanting is not None and not some:
        raise wanting
