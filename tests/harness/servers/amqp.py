"""What a test does at the broker: publish, count, and look without taking.

Each call opens a connection of its own (some 10 ms), so that nothing of the test is left over when
the broker is crashed or frozen under it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, DeliveryMode

_WITHIN = 20.0  # seconds for one exchange with the broker; enough under a test suite's load


@asynccontextmanager
async def channel(url: str) -> AsyncIterator[AbstractChannel]:
    """Open a connection that does not reconnect, with one confirming channel.

    An unroutable publish raises on it instead of returning normally.
    """
    connection = await aio_pika.connect(url, timeout=_WITHIN)
    async with connection:
        yield await connection.channel(publisher_confirms=True, on_return_raises=True)


async def publish(
    url: str, exchange: str, routing_key: str, *bodies: bytes, **properties: Any
) -> None:
    """Publish raw bodies, persistent JSON unless ``properties`` say otherwise; wait for confirms.

    Args:
        url: The broker's, with the vhost.
        exchange: Declared already; ``""`` is the default exchange, whose keys are queue names.
        routing_key: The event type.
        bodies: One message each, published side by side.
        properties: As for ``aio_pika.Message``, such as ``headers`` or ``content_type``.
    """
    how = {
        "content_type": "application/json",
        "delivery_mode": DeliveryMode.PERSISTENT,
        **properties,
    }
    async with channel(url) as open_channel:
        target = (
            await open_channel.get_exchange(exchange, ensure=False)
            if exchange
            else open_channel.default_exchange
        )
        messages = [aio_pika.Message(body, **how) for body in bodies]
        await asyncio.gather(
            *(target.publish(message, routing_key, timeout=_WITHIN) for message in messages)
        )


async def depth(url: str, queue: str) -> int:
    """Return how many messages are ready; those held by a consumer are not counted."""
    async with channel(url) as open_channel:
        declared = await open_channel.declare_queue(queue, passive=True, timeout=_WITHIN)
        return declared.declaration_result.message_count or 0


async def depth_becomes(url: str, queue: str, count: int, *, within: float = 10.0) -> None:
    """Wait until ``queue`` has exactly ``count`` ready messages.

    Raises:
        AssertionError: It had another number all the time.
    """
    found = -1
    try:
        async with asyncio.timeout(within):
            # A broker tells nobody about a depth, so there is nothing to await but time.
            while (found := await depth(url, queue)) != count:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(
            f"{queue} has {found} messages, and not {count}, after {within:g} s"
        ) from None


async def browse(url: str, queue: str) -> list[AbstractIncomingMessage]:
    """Look at all ready messages of a queue; they go back when the channel closes.

    On a quorum queue each look counts as a delivery, and so towards its delivery limit.
    """
    async with channel(url) as open_channel:
        declared = await open_channel.get_queue(queue, ensure=False)
        seen: list[AbstractIncomingMessage] = []
        while (message := await declared.get(fail=False, timeout=_WITHIN)) is not None:
            seen.append(message)
        return seen


async def declare_quorum_queue(
    url: str, queue: str, arguments: Mapping[str, Any] | None = None
) -> None:
    """Declare a durable quorum queue, for tests that need no topology of ours."""
    async with channel(url) as open_channel:
        quorum = {"x-queue-type": "quorum", **(arguments or {})}
        await open_channel.declare_queue(queue, durable=True, arguments=quorum, timeout=_WITHIN)
