"""The API's HTTP server: two operations, health, and the document that describes them.

Paths are taken apart here, raw: a router would decode them before it is known whether they are well
encoded, and an address may hold anything.
"""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from disconnect_events.openapi import document
from disconnect_fanout.adapters.http.bounded_server import STANDARD, BoundedServer, Limits
from disconnect_fanout.adapters.http.listening import listen, silent
from disconnect_fanout.api.answer import json_answer
from disconnect_fanout.api.delete_calendar import DeleteCalendar
from disconnect_fanout.api.disconnect_calendar import DisconnectCalendar
from disconnect_fanout.domain.outcome import Shortage

MOST_CONNECTIONS = 256
_LONGEST_LINE = 16 * 1024
_V1 = re.compile(r"/v1/calendars/([^/?#]+)")
_V2 = re.compile(r"/v2/calendars/([^/?#]+)/disconnect")
SHUTDOWN_S = 20.0


class ApiServer:
    """Serves until closed.

    Args:
        ready: tells whether the database answers.
        duties: tells which of the process has failed.
        changed: called after each request that may have changed something.
        on_shortage: called when nothing is left to take a connection with.
        limits: how long a client may take.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        delete: DeleteCalendar,
        disconnect: DisconnectCalendar,
        ready: Callable[[], Awaitable[bool]],
        duties: Callable[[], list[str]],
        changed: Callable[[], None],
        on_shortage: Callable[[Shortage], None] = silent,
        limits: Limits = STANDARD,
    ) -> None:
        self._host = host
        self._port = port
        self._delete = delete
        self._disconnect = disconnect
        self._ready = ready
        self._duties = duties
        self._changed = changed
        self._on_shortage = on_shortage
        server = BoundedServer(
            self._dispatch, most=MOST_CONNECTIONS, limits=limits, max_line_size=_LONGEST_LINE
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

    async def _dispatch(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        if (v1 := _V1.fullmatch(path)) is not None:
            if request.method != "DELETE":
                return _wrong_method("DELETE")
            return await self._promised(self._delete.handle(request, v1[1]))
        if (v2 := _V2.fullmatch(path)) is not None:
            if request.method != "POST":
                return _wrong_method("POST")
            return await self._promised(self._disconnect.handle(request, v2[1]))
        return await self._about_us(request.method, path)

    async def _promised(self, answer: Awaitable[web.Response]) -> web.Response:
        response = await answer
        if response.status == 200:  # noqa: PLR2004 - the one status that promises something
            self._changed()
        return response

    async def _about_us(self, method: str, path: str) -> web.Response:
        if path not in {"/livez", "/readyz", "/openapi.json"}:
            return json_answer(404, {"error": "Not found"})
        if method not in {"GET", "HEAD"}:
            return _wrong_method("GET, HEAD")
        match path:
            case "/livez":
                return json_answer(200, {"status": "alive"})
            case "/openapi.json":
                return json_answer(200, document())
            case _:
                problems = [] if await self._ready() else ["the database does not answer"]
                problems += self._duties()
                ready = not problems
                state = {"status": "ready" if ready else "not ready", "problems": problems}
                return json_answer(200 if ready else 503, state)


def _wrong_method(allowed: str) -> web.Response:
    return json_answer(405, {"error": "Method not allowed"}, {"allow": allowed})
