"""``fanout.rejected``: events that never became deliveries, kept as they came."""

from bisect import insort
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

from aiormq.abc import DeliveredMessage
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from disconnect_fanout.adapters.broker.browse import Held, browsed
from disconnect_fanout.adapters.broker.cloud_attributes import attributes_of
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.rejected_record import (
    DETAIL,
    EVENT_ID,
    REASON,
    RECEIVED_AT,
    Rejected,
    age,
    headers_of,
    rejected_id,
    rejected_of,
    same_rejection,
)
from disconnect_fanout.adapters.broker.sole_reader import WAIT_S, sole_reader
from disconnect_fanout.adapters.broker.topology import Topology
from disconnect_fanout.domain.rejection import Rejection
from disconnect_fanout.flow.incoming import Incoming
from disconnect_fanout.flow.outage import BrokerUnreachable

_GIVE_UP_AFTER_S = 60.0
_MOST_BYTES = 16 * 1024 * 1024  # of bodies in memory at once, or one body
_MOST_MESSAGES = 100


class AmqpRejectBox:
    """The flow's ``RejectBox``: puts messages into the queue."""

    def __init__(
        self, publisher: Publisher, topology: Topology, clock: Callable[[], datetime]
    ) -> None:
        self._publisher = publisher
        self._queue = topology.rejected_queue
        self._clock = clock

    async def put(self, message: Incoming, rejection: Rejection) -> None:
        """Publish the body as it came, the reason in headers that name no user.

        Raises:
            BrokerUnreachable: not confirmed within a minute; the message must not be acked.
        """
        headers: dict[str, str | int] = {
            REASON: rejection.reason.value,
            DETAIL: rejection.detail,
            RECEIVED_AT: self._clock().isoformat(),
            **attributes_of(message.headers),
        }
        if rejection.event_id is not None:
            headers[EVENT_ID] = rejection.event_id
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(BrokerUnreachable),
            wait=wait_exponential(0.2, max=5),
            stop=stop_after_delay(_GIVE_UP_AFTER_S),
            reraise=True,
        ):
            with attempt:
                await self._publisher.publish_to(
                    self._queue,
                    message.body,
                    message.message_id,
                    headers,
                    message.content_type,
                    content_encoding=message.content_encoding,
                    kind=message.kind,
                )


class RejectedQueue:
    """What an operator does with rejected events. Listing changes nothing.

    In bounded memory: a queue may hold 100,000 messages, each as large as the broker takes. All
    of it is seen, or none of it: where somebody else holds messages of it, each raises
    ``QueueInUse`` after ``wait_s``.
    """

    def __init__(self, publisher: Publisher, topology: Topology, *, wait_s: float = WAIT_S) -> None:
        self._publisher = publisher
        self._topology = topology
        self._wait_s = wait_s

    async def list(self, limit: int) -> list[Rejected]:
        """Return the oldest ``limit`` messages; all are looked at, so that all keep their order."""
        oldest: list[Rejected] = []

        def look(message: DeliveredMessage) -> None:
            insort(oldest, rejected_of(message), key=age)
            del oldest[limit:]

        async with self._browsed(look):
            return oldest

    async def find(self, name: str) -> tuple[Rejected, bytes] | None:
        """Return the one of that id, with its body."""
        found: list[tuple[Rejected, bytes]] = []

        def look(message: DeliveredMessage) -> None:
            if not found and rejected_id(message) == name:
                found.append((rejected_of(message), message.body))

        async with self._browsed(look):
            return found[0] if found else None

    async def missing(self, ids: Collection[str]) -> set[str]:
        """Return those of the ids that no message has."""
        missing = set(ids)
        async with self._browsed(lambda message: missing.discard(rejected_id(message))):
            return missing

    async def replay(self, ids: Collection[str] | None) -> int:
        """Publish messages into the events queue again, confirmed, then remove them.

        Args:
            ids: which; None for all.
        """
        wanted: list[_Place] = []
        gone: set[str] = set()

        def look(message: DeliveredMessage) -> None:
            if ids is None or rejected_id(message) in ids:
                wanted.append(_Place(_tag(message), rejected_id(message), len(message.body)))
                gone.add(same_rejection(message))

        done = 0
        async with self._browsed(look) as held:
            for batch in _batches(wanted):
                done += await self._replay(held, batch)
        await self._remove_rest(gone)
        return done

    async def discard(self, ids: Collection[str]) -> int:
        """Remove messages for good; return how many there were."""
        gone = await self._remove(lambda message: rejected_id(message) in ids)
        await self._remove_rest(set(gone))
        return len(gone)

    async def _remove(self, wanted: Callable[[DeliveredMessage], bool]) -> Sequence[str]:
        """Remove messages; return which rejections they were."""
        found: dict[int, str] = {}

        def look(message: DeliveredMessage) -> None:
            if wanted(message):
                found[_tag(message)] = same_rejection(message)

        async with self._browsed(look) as held:
            for tag in found:
                await held.ack(tag)
        return list(found.values())

    async def _remove_rest(self, gone: Collection[str]) -> None:
        """Remove what came back although it was acked, and nothing that came since.

        A channel hands a quorum queue 32 acks at a time, keeps those behind until the queue has
        answered, and forgets them when it closes (3.10; 40 of 200 came back, measured).
        """
        while gone and await self._remove(lambda message: same_rejection(message) in gone):
            pass

    @asynccontextmanager
    async def _browsed(self, look: Callable[[DeliveredMessage], None]) -> AsyncIterator[Held]:
        connection, queue = await self._publisher.connection(), self._topology.rejected_queue
        async with (
            sole_reader(connection, queue, wait_s=self._wait_s),
            browsed(connection, queue, look) as held,
        ):
            yield held

    async def _replay(self, held: Held, batch: "Sequence[_Place]") -> int:
        """Take a few anew, for their bodies, and send them in the order that they had."""
        order = {place.id: number for number, place in reversed(list(enumerate(batch)))}
        found = [one for one in await held.again([place.tag for place in batch])
                 if rejected_id(one) in order]  # fmt: skip
        for message in sorted(found, key=lambda one: order[rejected_id(one)]):
            properties = message.header.properties
            await self._publisher.publish_to(
                self._topology.events_queue,
                message.body,
                properties.message_id,
                attributes_of(headers_of(message)),
                properties.content_type,
                content_encoding=properties.content_encoding,
                kind=properties.message_type,
            )
            await held.ack(_tag(message))
        return len(found)


class _Place(NamedTuple):
    tag: int
    id: str
    size: int


def _batches(places: Sequence[_Place]) -> "Iterator[list[_Place]]":
    """Cut them so that each batch's bodies fit into memory; one alone always does."""
    batch: list[_Place] = []
    size = 0
    for place in places:
        if batch and (size + place.size > _MOST_BYTES or len(batch) == _MOST_MESSAGES):
            yield batch
            batch, size = [], 0
        batch.append(place)
        size += place.size
    if batch:
        yield batch


def _tag(message: DeliveredMessage) -> int:
    return message.delivery_tag or 0
