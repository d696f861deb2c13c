"""Makes connections with aiohttp's connector, and hands them over as they are.

Of aiohttp this takes the look-up, the attempts side by side (RFC 8305), TLS, and its errors; what
is said on the connection, and whether it is kept, is ours. This is the only file that touches what
aiohttp does not document (``_factory``, ``_create_direct_connection``):
``tests/integration/test_dialer.py`` fails when that changes.
"""

import asyncio
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import AddrInfoType
from yarl import URL

from disconnect_fanout.adapters.http.connection import PlatformConnection

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)  # the sender's covers everything
_FAREWELL_S = 1.0


class Dialer(aiohttp.TCPConnector):
    """A connector that keeps nothing.

    Args:
        socket_factory: makes the sockets, or refuses to.
        resolver: looks names up; aiohttp's own if None.
    """

    def __init__(
        self,
        socket_factory: Callable[[AddrInfoType], object],
        resolver: AbstractResolver | None = None,
    ) -> None:
        super().__init__(
            limit=0,
            force_close=True,
            socket_factory=socket_factory,  # type: ignore[arg-type]
            resolver=resolver,
            use_dns_cache=False,  # the resolver shares look-ups, and remembers for a while
        )
        self._open: set[PlatformConnection] = set()
        self._factory = cast("Any", partial(PlatformConnection, self._open))

    async def dial(self, url: URL, context: ssl.SSLContext) -> PlatformConnection:
        """Connect to where a URL leads.

        Raises:
            aiohttp.ClientError, OSError, ssl.SSLError: nobody is there, or not whom we trust.
        """
        request = aiohttp.ClientRequest("POST", url, ssl=context, loop=self._loop)
        _, made = await self._create_direct_connection(request, [], _NO_TIMEOUT)
        connection = cast("PlatformConnection", made)
        if self.closed:
            connection.abort()
            raise aiohttp.ClientConnectionError
        return connection

    async def hang_up(self) -> None:
        """End every connection, and wait until they have ended."""
        lost = [connection.lost for connection in self._open]
        for connection in tuple(self._open):
            connection.abort()
        if lost:
            await asyncio.wait(lost, timeout=_FAREWELL_S)
        await self.close()
