"""``/livez``, ``/readyz`` and ``/metrics``."""

from collections.abc import Callable

from aiohttp import web

from disconnect_fanout.adapters.http.listening import listen
from disconnect_fanout.app.readiness import Readiness


class HttpServer:
    """Serves health and metrics on the loopback interface unless told otherwise.

    Args:
        metrics: returns the exposition.
    """

    def __init__(
        self, host: str, port: int, readiness: Readiness, metrics: Callable[[], bytes]
    ) -> None:
        self._host = host
        self._port = port
        self._readiness = readiness
        self._metrics = metrics
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._exposition)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen.

        Raises:
            AddressTaken: or it is not an address of this machine.
        """
        names = "FANOUT_HTTP_HOST and FANOUT_HTTP_PORT"
        await listen(self._runner, self._host, self._port, names)

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _livez(self, _request: web.Request) -> web.Response:
        """The event loop turns: that is all that a restart could mend."""
        return web.json_response({"status": "alive"})

    async def _readyz(self, _request: web.Request) -> web.Response:
        problems = self._readiness.problems()
        state = {"status": "not ready" if problems else "ready", "problems": problems}
        return web.json_response(state, status=503 if problems else 200)

    async def _exposition(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics(),
            headers={"content-type": "text/plain; version=0.0.4; charset=utf-8"},
        )
