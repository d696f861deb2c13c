"""The worker's and the API's ports against clients that never finish: who asks is answered."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from tests.harness.servers.slow_clients import HALF_A_BODY, HALF_A_HEAD, SlowClients, ended

from disconnect_fanout.adapters.http.bounded_server import STANDARD, Limits
from disconnect_fanout.api.routes import Routes
from disconnect_fanout.app.http_server import MOST_CONNECTIONS, HttpServer
from disconnect_fanout.app.listening_server import api_server
from disconnect_fanout.app.readiness import Readiness

SHORT = Limits(receive_s=0.5, idle_s=0.5, handle_s=5.0, answer_s=0.5)
PATHS = ["/livez", "/readyz", "/metrics"]


@asynccontextmanager
async def metrics_port(limits: Limits = STANDARD) -> AsyncIterator[int]:
    """The worker's."""
    server = HttpServer(
        "127.0.0.1",
        0,
        Readiness(),
        metrics=lambda: b"fanout_ready 0\n",
        observe=lambda _fact: None,
        limits=limits,
    )
    try:
        yield await server.start()
    finally:
        await server.close()


class Deleting:
    """Answers as the operations do, without a database."""

    async def handle(self, request: web.BaseRequest, _segment: str) -> web.Response:
        await request.read()
        return web.Response(status=404)


@asynccontextmanager
async def api_port(limits: Limits = STANDARD) -> AsyncIterator[int]:
    """The API's."""

    async def problem() -> None:
        return None

    routes = Routes(
        delete=Deleting(),  # type: ignore[arg-type]
        disconnect=Deleting(),  # type: ignore[arg-type]
        problem=problem,
        duties=list,
        changed=lambda: None,
    )
    server = api_server("127.0.0.1", 0, routes.dispatch, limits=limits)
    try:
        yield await server.start()
    finally:
        await server.close()


PortOf = Callable[[Limits], AbstractAsyncContextManager[int]]
PORTS = pytest.mark.parametrize("port_of", [metrics_port, api_port], ids=["metrics", "api"])


@PORTS
@pytest.mark.parametrize("said", [HALF_A_HEAD, HALF_A_BODY, b""], ids=["head", "body", "nothing"])
async def test_half_sent_requests_end_after_their_time(port_of: PortOf, said: bytes) -> None:
    """All of them are closed, by the server, soon after their time is up."""
    async with port_of(SHORT) as port, SlowClients(port) as clients:
        wires = await clients.send(said, times=20)
        async with asyncio.timeout(5):
            await asyncio.gather(*map(ended, wires))


@pytest.mark.parametrize("said", [HALF_A_HEAD, HALF_A_BODY, b""], ids=["head", "body", "nothing"])
async def test_a_scrape_gets_through_hundreds_of_half_sent_requests(said: bytes) -> None:
    """300 connections that say no more: metrics and health answer within two seconds each."""
    async with metrics_port() as port, SlowClients(port) as clients:
        await clients.send(said, times=300)
        for path in PATHS:
            began = time.monotonic()
            assert await _status("GET", f"http://127.0.0.1:{port}{path}") in {200, 503}
            assert time.monotonic() - began < 2
        assert clients.open <= MOST_CONNECTIONS


@pytest.mark.parametrize("said", [HALF_A_HEAD, HALF_A_BODY], ids=["head", "body"])
async def test_a_disconnect_gets_through_hundreds_of_half_sent_requests(said: bytes) -> None:
    """The API, too, drops the oldest of those that say no more, and answers who asks."""
    async with api_port() as port, SlowClients(port) as clients:
        await clients.send(said.replace(b"/hook", b"/v1/calendars/a@example.com"), times=400)
        url = f"http://127.0.0.1:{port}/v1/calendars/alice@example.com"
        for _ in range(3):
            began = time.monotonic()
            assert await _status("DELETE", url) == 404
            assert time.monotonic() - began < 2


async def test_what_the_port_answers_is_what_it_always_did() -> None:
    """Three paths for GET and HEAD; 405 for another method, 404 for another path."""
    async with metrics_port() as port:
        url = f"http://127.0.0.1:{port}"
        asked = [
            *(("GET", one) for one in ("/livez", "/metrics?x=1", "/readyz", "/", "/metrics/")),
            ("HEAD", "/metrics"),
            ("POST", "/metrics"),
        ]
        found = [await _status(method, url + path) for method, path in asked]
        assert found == [200, 200, 503, 404, 404, 200, 405]


async def _status(method: str, url: str) -> int:
    limit = aiohttp.ClientTimeout(total=5)
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.request(method, url) as response,
    ):
        return response.status
