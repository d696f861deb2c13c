"""Of a name's addresses, those that may be reached.

The guard refuses the others at connect in any case. They are left out before, since aiohttp tells
only how the last address failed: a forbidden one would hide why the platform's own failed.
"""

import socket
from collections.abc import Callable

from aiohttp.abc import AbstractResolver, ResolveResult

from disconnect_fanout.adapters.http.guard import sightings


class PermittedNames(AbstractResolver):
    """A resolver that leaves out what the guard would refuse, unless nothing would be left.

    Args:
        names: asked for the addresses, and closed with this.
        permits: the guard's judgement of an address.
    """

    def __init__(self, names: AbstractResolver, permits: Callable[[str], bool]) -> None:
        self._names = names
        self._permits = permits

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return addresses that may be reached; if there is none, all, for the guard to refuse.

        Raises:
            OSError: as ``names`` says.
        """
        found = await self._names.resolve(host, port, family)
        good = [one for one in found if self._permits(one["host"])]
        if not good:
            return found
        seen = sightings.get()
        if seen is not None:
            seen.blocked += len(found) - len(good)
        return good

    async def close(self) -> None:
        """Close what is asked."""
        await self._names.close()
