"""Upstream: publishes as a careful one does, under the same id again until it is confirmed."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

import aio_pika
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import PublishError
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.disconnect import body, disconnect
from tests.harness.worker.installation import EVENT_TYPE

_BATCH = 10
_PATIENCE_S = 5.0
_BREATH_S = 0.2


class Upstream:
    """Publishes events, persistent and mandatory.

    Attributes:
        attempted: ids that were handed to a broker.
        published_at: when each was handed to a broker first, by the monotonic clock.
        confirmed: ids that it has confirmed.
        returned: publishes that no queue took.
        unconfirmed: publishes that ended in any other way but with a confirm.
    """

    def __init__(self, vhost: Vhost) -> None:
        self.vhost = vhost
        self.attempted: set[str] = set()
        self.published_at: dict[str, float] = {}
        self.confirmed: set[str] = set()
        self.returned = self.unconfirmed = 0
        self._may = asyncio.Event()
        self._may.set()
        self._idle = asyncio.Event()

    async def hold(self) -> None:
        """Publish nothing for the time being; return when nothing is under way."""
        self._may.clear()
        await self._idle.wait()

    def go_on(self) -> None:
        """Publish again."""
        self._may.set()

    async def publish(self, ids: Sequence[str], per_s: float) -> None:
        """Publish these, at most so many a second, each until it is confirmed."""
        began = time.monotonic()
        for first in range(0, len(ids), _BATCH):
            if per_s:
                await asyncio.sleep(max(0.0, began + first / per_s - time.monotonic()))
            waiting = list(ids[first : first + _BATCH])
            while waiting:
                await self._let()
                await self._try(waiting)
                self._idle.set()
                waiting = [one for one in waiting if one not in self.confirmed]
                if waiting:
                    await asyncio.sleep(_BREATH_S)

    async def _let(self) -> None:
        self._idle.set()
        await self._may.wait()
        self._idle.clear()

    async def _try(self, ids: Sequence[str]) -> None:
        """Publish once, on a connection of its own: whatever becomes of it, the next is fresh."""
        with suppress(TimeoutError, OSError, aio_pika.exceptions.AMQPError, RuntimeError):
            async with asyncio.timeout(2 * _PATIENCE_S):
                connection = await aio_pika.connect(self.vhost.url, timeout=_PATIENCE_S)
                async with connection:
                    channel = await connection.channel(on_return_raises=True)
                    await asyncio.gather(*(self._publish(channel, one) for one in ids))

    async def _publish(self, channel: AbstractChannel, event_id: str) -> None:
        message = aio_pika.Message(
            body(event_of(event_id)),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        exchange = await channel.get_exchange(self.vhost.exchange, ensure=False)
        self.attempted.add(event_id)
        self.published_at.setdefault(event_id, time.monotonic())
        try:
            await exchange.publish(message, EVENT_TYPE, timeout=_PATIENCE_S)
        except PublishError:
            self.returned += 1
        except (TimeoutError, OSError, aio_pika.exceptions.AMQPError, asyncio.CancelledError):
            self.unconfirmed += 1
        else:
            self.confirmed.add(event_id)


def event_of(event_id: str) -> dict[str, object]:
    """Return the event of that id: each has a user of its own."""
    return disconnect(event_id, user_of(event_id), google_id=None)


def user_of(event_id: str) -> str:
    """Return the address of the user whom an event is about."""
    return f"user-{event_id}@example.com"
