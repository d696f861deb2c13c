"""What a worker may do at the broker, tried without changing anything.

No AMQP client can ask for its permissions; it is refused when it does something. So each is tried
by a request that the broker judges by them first and that does nothing then: a binding is taken
away that nobody has, a consumer is asked for with a priority that is no number, and a message for
nobody comes back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aio_pika import Message
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed, PublishError
from aiormq.abc import AbstractChannel as WireChannel
from aiormq.abc import ArgumentsType
from aiormq.exceptions import ChannelAccessRefused

from disconnect_fanout.adapters.broker.connection import a_channel, named_errors, open_channel
from disconnect_fanout.adapters.broker.topology import Topology
from disconnect_fanout.flow.outage import BrokerUnreachable

_TIMEOUT_S = 10.0
_BLOCKED_AFTER_S = 2.0
_OF_NOBODY = {"fanout-check": "no binding has this argument"}

Try = Callable[[WireChannel], Awaitable[object]]


async def lacking(connection: AbstractConnection, topology: Topology) -> list[str]:
    """Return the permissions without which a worker can't work, in plain words.

    To be asked when the topology is there. Under an alarm the connection is blocked afterwards.

    Raises:
        BrokerUnreachable: the broker did not answer.
    """
    events, dead = topology.events_queue, topology.dead_queue
    tries: dict[str, Try] = {
        f"write {events} or read {topology.exchange}, to bind it": _unbinding(topology),
        f"read {events}, to take events": _consuming(events),
        f"read {dead}, to keep one letter for each dead delivery": _consuming(dead),
    }
    found = [what for what, one in tries.items() if await _refused(connection, one)]
    if await _may_not_publish(connection):
        found.append("write amq.default, to publish dead letters and rejected events")
    return [f"the user may not {what}; see the permissions in deploy/README.md" for what in found]


async def may_publish_events(connection: AbstractConnection, topology: Topology) -> bool:
    """Tell whether it may publish to the exchange; a worker does so for the API's outbox alone."""
    name, keys = topology.exchange, topology.keys

    async def unbind(wire: WireChannel) -> None:
        await wire.exchange_unbind(name, name, routing_key=keys[0], arguments=dict(_OF_NOBODY))

    return not await _refused(connection, unbind)


async def blocked(connection: AbstractConnection) -> bool:
    """Tell whether the broker reads nothing more from whoever has published: an alarm."""
    try:
        async with asyncio.timeout(_BLOCKED_AFTER_S):
            await open_channel(connection)
    except (TimeoutError, BrokerUnreachable):
        return True
    return False


def _unbinding(topology: Topology) -> Try:
    """Return what is judged as the binding is, for each key."""

    async def unbind(wire: WireChannel) -> None:
        for key in topology.keys:
            await wire.queue_unbind(
                topology.events_queue, topology.exchange, key, arguments=dict(_OF_NOBODY)
            )

    return unbind


def _consuming(queue: str) -> Try:
    """Return what is judged as a consumer is, and never becomes one."""

    async def consume(wire: WireChannel) -> None:
        arguments: ArgumentsType = {"x-priority": "no number"}
        with suppress(ChannelPreconditionFailed):
            await wire.basic_consume(queue, _nothing, arguments=arguments)

    return consume


async def _nothing(_: object) -> None:
    """Take a message that never comes."""


async def _refused(connection: AbstractConnection, one: Try) -> bool:
    async with a_channel(connection) as channel, named_errors(), asyncio.timeout(_TIMEOUT_S):
        wire = await channel.get_underlay_channel()
        try:
            await one(wire)
        except ChannelAccessRefused:
            return True
        except ChannelNotFoundEntity:  # deleted a moment ago; not a matter of permissions
            return False
    return False


async def _may_not_publish(connection: AbstractConnection) -> bool:
    """Publish a message to nobody: it comes back, or is refused.

    Its channel is left to the connection's end, because closing one that an alarm blocks takes
    long. Nothing is known where no answer comes.
    """
    channel = await open_channel(connection, confirms=True)
    async with named_errors():
        try:
            async with asyncio.timeout(_BLOCKED_AFTER_S):
                nobody = "fanout.check.nobody"
                await channel.default_exchange.publish(Message(b""), nobody, mandatory=True)
        except (PublishError, TimeoutError):
            return False
        except ChannelAccessRefused:
            return True
    return False
