"""A load that is offered: events leave at their instants, however slowly anybody takes them."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aio_pika
from aio_pika.abc import AbstractExchange, DeliveryMode
from tests.harness.servers import amqp
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.disconnect import body
from tests.harness.worker.installation import EVENT_TYPE

_WITHIN_S = 30.0


async def offer(
    vhost: Vhost, count: int, rate: float, event: Callable[[int, int], dict[str, Any]]
) -> float:
    """Publish events at a steady rate as upstream does; see ``offer_to``."""
    return await offer_to(
        vhost.url, vhost.exchange, EVENT_TYPE, count=count, rate=rate, event=event
    )


async def offer_to(
    url: str,
    exchange: str,
    routing_key: str,
    *,
    count: int,
    rate: float,
    event: Callable[[int, int], dict[str, Any]],
) -> float:
    """Publish events at a steady rate, each confirmed.

    Args:
        url: The broker's, with the vhost.
        exchange: The default one if empty.
        routing_key: With which they are published.
        count: How many.
        rate: Events a second.
        event: Makes one from its number and its instant, nanoseconds of the monotonic clock.

    Returns:
        The rate that was reached. An event that left late still carries the instant at which it
        should have left, so that lateness counts as latency and is not hidden.
    """
    async with amqp.channel(url) as channel, asyncio.TaskGroup() as tasks:
        target = (
            await channel.get_exchange(exchange, ensure=False)
            if exchange
            else channel.default_exchange
        )
        began = time.monotonic_ns()
        for number in range(count):
            due = began + int(number / rate * 1e9)
            if (early := due - time.monotonic_ns()) > 0:
                await asyncio.sleep(early / 1e9)
            tasks.create_task(_publish(target, routing_key, body(event(number, due))))
        return count / (time.monotonic_ns() - began) * 1e9


async def _publish(exchange: AbstractExchange, routing_key: str, payload: bytes) -> None:
    message = aio_pika.Message(
        payload, content_type="application/json", delivery_mode=DeliveryMode.PERSISTENT
    )
    await exchange.publish(message, routing_key, timeout=_WITHIN_S)
