"""A server on a port that the settings name: how much it takes at once, and for how long."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import web

from disconnect_fanout.adapters.http.bounded_server import STANDARD, BoundedServer, Limits
from disconnect_fanout.adapters.http.listening import listen, silent
from disconnect_fanout.domain.outcome import Shortage

Dispatch: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_LONGEST_LINE = 8190

API_MOST_CONNECTIONS = 256
_API_LONGEST_LINE = 16 * 1024
API_SHUTDOWN_S = 20.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen.

    Attributes:
        names: of the settings that say so, for the error.
    """

    host: str
    port: int
    names: str


class ListeningServer:
    """Serves until closed.

    Args:
        dispatch: answers a request.
        most: connections at once.
        on_shortage: called when nothing is left to take a connection with.
        limits: how long a client may take.
        longest_line: of a request, in bytes.
        shutdown_s: how long requests under way may take when it is closed.
    """

    def __init__(
        self,
        place: Place,
        dispatch: Dispatch,
        *,
        most: int,
        on_shortage: Callable[[Shortage], None] = silent,
        limits: Limits = STANDARD,
        longest_line: int = _LONGEST_LINE,
        shutdown_s: float = 60.0,
    ) -> None:
        self._place = place
        self._on_shortage = on_shortage
        server = BoundedServer(dispatch, most=most, limits=limits, max_line_size=longest_line)
        self._runner = web.ServerRunner(server, shutdown_timeout=shutdown_s)

    async def start(self) -> int:
        """Listen; return the port.

        Raises:
            AddressTaken: or it is not an address of this machine.
        """
        place = self._place
        return await listen(self._runner, place.host, place.port, place.names, self._on_shortage)

    async def close(self) -> None:
        """Take no more requests, and finish those that are under way."""
        await self._runner.cleanup()


def api_server(
    host: str,
    port: int,
    dispatch: Dispatch,
    *,
    on_shortage: Callable[[Shortage], None] = silent,
    limits: Limits = STANDARD,
) -> ListeningServer:
    """Return the server of the two upstream operations."""
    return ListeningServer(
        Place(host, port, "FANOUT_API_HOST and FANOUT_API_PORT"),
        dispatch,
        most=API_MOST_CONNECTIONS,
        on_shortage=on_shortage,
        limits=limits,
        longest_line=_API_LONGEST_LINE,
        shutdown_s=API_SHUTDOWN_S,
    )
