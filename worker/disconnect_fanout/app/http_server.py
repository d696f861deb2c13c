"""``/livez``, ``/readyz`` and ``/metrics``."""

from collections.abc import Callable

from aiohttp import web

from disconnect_fanout.adapters.http.bounded_server import STANDARD, Limits
from disconnect_fanout.app.listening_server import ListeningServer, Place
from disconnect_fanout.app.readiness import Readiness
from disconnect_fanout.domain.outcome import Shortage
from disconnect_fanout.flow.fact import Observe, RanShort

MOST_CONNECTIONS = 64
"""A handful of scrapers and probes; the descriptors are for webhooks."""
_OK, _UNAVAILABLE = 200, 503


class HttpServer:
    """Serves health and metrics on the loopback interface unless set otherwise.

    Args:
        metrics: returns the exposition.
        observe: called when nothing is left to take a connection with.
        limits: how long a client may take.
    """

    def __init__(
        self,
        host: str,
        port: int,
        readiness: Readiness,
        *,
        metrics: Callable[[], bytes],
        observe: Observe,
        limits: Limits = STANDARD,
    ) -> None:
        self._readiness = readiness
        self._metrics = metrics
        self._observe = observe
        self._server = ListeningServer(
            Place(host, port, "FANOUT_HTTP_HOST and FANOUT_HTTP_PORT"),
            self._dispatch,
            most=MOST_CONNECTIONS,
            on_shortage=self._short,
            limits=limits,
        )

    async def start(self) -> int:
        """Listen; return the port.

        Raises:
            AddressTaken: or it is not an address of this machine.
        """
        return await self._server.start()

    async def close(self) -> None:
        """Stop listening."""
        await self._server.close()

    def _short(self, shortage: Shortage) -> None:
        self._observe(RanShort(shortage))

    async def _dispatch(self, request: web.BaseRequest) -> web.Response:
        answers = {"/livez": self._livez, "/readyz": self._readyz, "/metrics": self._exposition}
        answer = answers.get(request.path)
        if answer is None:
            return web.Response(status=404, text="404: Not Found")
        if request.method not in {"GET", "HEAD"}:
            return web.Response(status=405, headers={"allow": "GET, HEAD"})
        return answer()

    def _livez(self) -> web.Response:
        """The event loop turns: that is all that a restart could mend."""
        return web.json_response({"status": "alive"})

    def _readyz(self) -> web.Response:
        problems = self._readiness.problems()
        state = {"status": "not ready" if problems else "ready", "problems": problems}
        return web.json_response(state, status=_UNAVAILABLE if problems else _OK)

    def _exposition(self) -> web.Response:
        return web.Response(
            body=self._metrics(),
            headers={"content-type": "text/plain; version=0.0.4; charset=utf-8"},
        )
