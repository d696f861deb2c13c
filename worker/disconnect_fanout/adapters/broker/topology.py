"""What this software declares at the broker, as data (CONTRACT section 2).

Quorum queues with dead-lettering that cannot lose: ``at-least-once`` together with
``reject-publish`` (with only one of them messages vanished when the target was missing; measured).
The delivery limit is explicit everywhere, because its default differs between versions.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed
from aiormq.exceptions import ChannelLockedResource

from disconnect_fanout.adapters.broker.connection import a_channel, named_errors
from disconnect_fanout.adapters.broker.topology_conflict import TopologyConflict
from disconnect_fanout.domain.event import EVENT_TYPE
from disconnect_fanout.flow.incoming import DELIVERY_LIMIT

_NO_LIMIT = 1_000_000_000  # operators browse these; -1 means something else on 3.10

_TIMEOUT_S = 20.0

Arguments: TypeAlias = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Topology:
    """The names, from ``FANOUT_EXCHANGE`` and ``FANOUT_PREFIX``.

    Attributes:
        keys: routing keys of what is taken from the exchange. A binding that is there already is
            left alone: with one taken away, events would be lost unseen.
    """

    exchange: str = "calendar.events"
    prefix: str = "fanout"
    keys: tuple[str, ...] = (EVENT_TYPE,)

    @property
    def events_queue(self) -> str:
        """Events to fan out."""
        return f"{self.prefix}.events"

    @property
    def dead_queue(self) -> str:
        """One message for each open dead letter; browsed, never consumed."""
        return f"{self.prefix}.dead"

    @property
    def rejected_queue(self) -> str:
        """Events that could not be processed."""
        return f"{self.prefix}.rejected"

    @property
    def queues(self) -> Mapping[str, Arguments]:
        """Each queue's arguments, in the order in which they are declared."""
        kept: Arguments = {
            "x-queue-type": "quorum",
            "x-overflow": "reject-publish",
            "x-delivery-limit": _NO_LIMIT,
        }
        events: Arguments = {
            "x-queue-type": "quorum",
            "x-overflow": "reject-publish",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.rejected_queue,
            "x-dead-letter-strategy": "at-least-once",
        }
        return {self.rejected_queue: kept, self.dead_queue: kept, self.events_queue: events}


async def declare(connection: AbstractConnection, topology: Topology) -> tuple[str, ...]:
    """Declare everything; harmless when it is there already. Return what was not, in plain words.

    Raises:
        TopologyConflict: something is there with other arguments.
        BrokerRefuses: the user lacks a permission.
        BrokerUnreachable: the broker did not answer.
    """
    made = await missing(connection, topology, compare=False)
    async with named_errors(), asyncio.timeout(_TIMEOUT_S):
        if f"exchange {topology.exchange}" in made:
            async with a_channel(connection) as channel:
                await channel.declare_exchange(topology.exchange, ExchangeType.TOPIC, durable=True)
        async with a_channel(connection) as channel:
            for name, arguments in topology.queues.items():
                await _declare_queue(channel, name, arguments)
            queue = await channel.get_queue(topology.events_queue, ensure=False)
            for key in topology.keys:
                await queue.bind(topology.exchange, key)
    return tuple(made)


async def missing(
    connection: AbstractConnection, topology: Topology, *, compare: bool = True
) -> list[str]:
    """Return what is not there, in plain words; nothing is made, bound or changed.

    Asked passively first: only what exists is declared, which then compares its arguments alone.
    An exchange that upstream declared is taken as it is.

    Raises:
        TopologyConflict: a queue exists with other arguments, or is another connection's.
        BrokerRefuses: the user lacks a permission.
        BrokerUnreachable: the broker did not answer.
    """
    found = []
    async with named_errors(), asyncio.timeout(_TIMEOUT_S):
        async with a_channel(connection) as channel:
            try:
                await channel.get_exchange(topology.exchange)
            except ChannelNotFoundEntity:
                found.append(f"exchange {topology.exchange}")
        for name, arguments in topology.queues.items():
            async with a_channel(connection) as channel:
                if not await _is_there(channel, name):
                    found.append(f"queue {name}")
                elif compare:
                    await _declare_queue(channel, name, arguments)
    return found


async def _is_there(channel: AbstractChannel, name: str) -> bool:
    try:
        await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity:
        return False
    except ChannelLockedResource as error:
        raise TopologyConflict(
            f"queue {name!r} is exclusive to another connection. Close that one, "
            "or set FANOUT_PREFIX to a name of its own, then run: fanout migrate"
        ) from error
    return True


async def _declare_queue(channel: AbstractChannel, name: str, arguments: Arguments) -> None:
    try:
        await channel.declare_queue(name, durable=True, arguments=dict(arguments))
    except ChannelPreconditionFailed as error:
        detail = str(error).split(" - ", 1)[-1][:200]
        if "limit" in detail:  # how many queues a vhost or a node takes
            raise TopologyConflict(f"queue {name!r} can't be made: {detail}") from error
        raise TopologyConflict(
            f"queue {name!r} exists with other arguments ({detail}). Empty and delete it, "
            "or set FANOUT_PREFIX to a name of its own, then run: fanout migrate"
        ) from error
