"""A private broker for a fixture of more than one test, from start to stop."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.harness.servers.rabbitmq import PrivateRabbitMQ

from disconnect_fanout.demo.rabbitmq_install import ensure_server

if TYPE_CHECKING:
    from disconnect_fanout.adapters.broker.topology import Topology


@contextmanager
def running_broker(
    *, management: bool = False, declared: "Topology | None" = None
) -> Iterator[PrivateRabbitMQ]:
    """Run one, each fixture's in its own event loops.

    Args:
        management: whether it also speaks HTTP.
        declared: what is declared in its default vhost, and there after a crash.
    """
    broker = PrivateRabbitMQ(ensure_server(), management=management)
    try:
        asyncio.run(_start(broker, declared))
        yield broker
    finally:
        asyncio.run(broker.stop())


async def _start(broker: PrivateRabbitMQ, declared: "Topology | None") -> None:
    await broker.start()
    if declared is not None:
        # Imported when asked for, since the policy suite loads this file and stays under a second.
        from disconnect_fanout.adapters.broker.connection import open_connection  # noqa: PLC0415
        from disconnect_fanout.adapters.broker.topology import declare  # noqa: PLC0415

        async with await open_connection(broker.url, "test") as connection:
            await declare(connection, declared)
        await broker.flush_names()
