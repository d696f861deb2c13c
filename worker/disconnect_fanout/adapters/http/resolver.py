"""Where names lead: look-ups that can be taken back, and of which none waits for another.

The standard library looks names up in threads that can't be cancelled, so many silent name servers
keep everybody waiting for a free one. Here each host has one question under way at a time, shared
by all who ask, and ended when nobody waits for it. The address guard judges the answers at connect.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import InvalidURL
from aiohttp.abc import AbstractResolver, ResolveResult

from disconnect_fanout.adapters.http.guard import sightings
from disconnect_fanout.adapters.http.name_query import SILENT, NameQuery, NoAddress
from disconnect_fanout.policy.endpoints.url import is_numeric

LONGEST_LOOKUP_S = 10.0
"""As long as the standard library would try: twice five seconds."""
LONGEST_MEMORY_S = 30.0
"""A move is noticed after so long at the latest, whatever the name server allows."""
_SHORTEST_MEMORY_S = 1.0
_MOST_REMEMBERED = 4096

_Key: TypeAlias = tuple[str, socket.AddressFamily]
_Addresses: TypeAlias = tuple[tuple[socket.AddressFamily, str], ...]


@dataclass(frozen=True, slots=True)
class _Known:
    addresses: _Addresses
    until: float


@dataclass(slots=True)
class _UnderWay:
    task: "asyncio.Task[_Addresses | OSError]"
    waiting: int = 0


class NameResolver(AbstractResolver):
    """aiohttp's resolver, on c-ares.

    Args:
        servers: ``host:port`` of the name servers; none given, those of this machine.
        clock: seconds, monotonic.
    """

    def __init__(
        self, servers: Sequence[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._servers = tuple(servers)
        self._clock = clock
        self._known: dict[_Key, _Known] = {}
        self._under_way: dict[_Key, _UnderWay] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host, those first that are nearest (RFC 6724).

        Raises:
            NoAddress: there is none, or nobody says.
            InvalidURL: the host is a number in disguise (``0x7f.1``), which is no name.
            OSError: this process has no file descriptor left.
        """
        if is_numeric(host):
            raise InvalidURL("")
        key = (host.lower(), family)
        addresses = self._remembered(key)
        if addresses is None:
            seen = sightings.get()
            if seen is not None:
                seen.looking_up = True  # and stays so if we are cancelled here
            outcome = await self._asked(key)
            if seen is not None:
                seen.looking_up = False
            if isinstance(outcome, OSError):
                raise outcome
            addresses = outcome
        return [_result(host, port, *one) for one in addresses]

    async def close(self) -> None:
        """Take back what is still asked."""
        for one in list(self._under_way.values()):
            one.task.cancel()
        self._known.clear()

    def _remembered(self, key: _Key) -> _Addresses | None:
        known = self._known.get(key)
        return known.addresses if known is not None and self._clock() < known.until else None

    async def _asked(self, key: _Key) -> _Addresses | OSError:
        """Share the question that is under way, or ask it."""
        mine = self._under_way.get(key)
        if mine is None:
            mine = self._under_way[key] = _UnderWay(asyncio.create_task(self._look_up(key)))
        mine.waiting += 1
        try:
            return await asyncio.shield(mine.task)
        finally:
            mine.waiting -= 1
            if not mine.waiting:
                mine.task.cancel()
            if self._under_way.get(key) is mine and (mine.task.done() or not mine.waiting):
                del self._under_way[key]

    async def _look_up(self, key: _Key) -> _Addresses | OSError:
        try:
            async with asyncio.timeout(LONGEST_LOOKUP_S):
                found = await NameQuery(self._servers).answer(*key)
        except TimeoutError:
            return NoAddress(SILENT)
        except OSError as error:
            return error
        addresses = tuple(
            (socket.AddressFamily(node.family), node.addr[0].decode()) for node in found.nodes
        )
        lifetimes = [node.ttl for node in found.nodes] + [alias.ttl for alias in found.cnames]
        self._remember(key, addresses, min(lifetimes))
        return addresses

    def _remember(self, key: _Key, addresses: _Addresses, lifetime_s: float) -> None:
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        for_s = min(max(lifetime_s, _SHORTEST_MEMORY_S), LONGEST_MEMORY_S)
        self._known[key] = _Known(addresses, self._clock() + for_s)


def _result(host: str, port: int, family: socket.AddressFamily, address: str) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=family,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
