"""The API's HTTP server: where it listens, how much it takes at once, for how long."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from disconnect_fanout.adapters.http.bounded_server import STANDARD, BoundedServer, Limits
from disconnect_fanout.adapters.http.listening import listen, silent
from disconnect_fanout.domain.outcome import Shortage

Dispatch: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

MOST_CONNECTIONS = 256
_LONGEST_LINE = 16 * 1024
SHUTDOWN_S = 20.0


class ApiServer:
    """Serves until closed.

    Args:
        dispatch: answers a request.
        on_shortage: called when nothing is left to take a connection with.
        limits: how long a client may take.
    """

    def __init__(
        self,
        host: str,
        port: int,
        dispatch: Dispatch,
        *,
        on_shortage: Callable[[Shortage], None] = silent,
        limits: Limits = STANDARD,
    ) -> None:
        self._host = host
        self._port = port
        self._on_shortage = on_shortage
        server = BoundedServer(
            dispatch, most=MOST_CONNECTIONS, limits=limits, max_line_size=_LONGEST_LINE
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_S)

    async def start(self) -> int:
        """Listen; return the port.

        Raises:
            AddressTaken: or it is not an address of this machine.
        """
        names = "FANOUT_API_HOST and FANOUT_API_PORT"
        return await listen(self._runner, self._host, self._port, names, self._on_shortage)

    async def close(self) -> None:
        """Take no more requests, and finish those that are under way."""
        await self._runner.cleanup()
