"""A receiving platform, as small as one can be: verifies, remembers, answers as its script says."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Self

import orjson
from aiohttp import web

from disconnect_fanout.demo.webhook_verifier import WebhookVerifier


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request that came in."""

    webhook_id: str
    attempt: int
    verified: bool
    body: dict[str, Any]
    status: int


class SamplePlatform:
    """Listens on a free loopback port.

    Args:
        id: the platform's id.
        name: what people call it.
    """

    def __init__(self, id: str, name: str) -> None:  # noqa: A002 - the field's own word
        self.id = id
        self.name = name
        self.secret = ""
        self.answers: list[int] = []
        """Statuses of the coming answers; when they are used up it answers ``otherwise``."""
        self.otherwise = 204
        self.webhooks: list[Webhook] = []
        self._news = asyncio.Condition()
        self._runner = web.ServerRunner(web.Server(self._receive))

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/webhooks"

    async def __aenter__(self) -> Self:
        """Listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def hears(self, count: int, within_s: float = 15.0) -> list[Webhook]:
        """Return its webhooks once there are ``count``.

        Raises:
            TimeoutError: there are fewer after ``within_s``.
        """
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(lambda: len(self.webhooks) >= count)
        return self.webhooks

    async def _receive(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        verifier = WebhookVerifier(self.secret)
        status = self.answers.pop(0) if self.answers else self.otherwise
        async with self._news:
            self.webhooks.append(
                Webhook(
                    webhook_id=request.headers["webhook-id"],
                    attempt=int(request.headers["fanout-attempt"]),
                    verified=verifier.problem(request.headers, body, time.time()) is None,
                    body=orjson.loads(body),
                    status=status,
                )
            )
            self._news.notify_all()
        return web.Response(status=status)
