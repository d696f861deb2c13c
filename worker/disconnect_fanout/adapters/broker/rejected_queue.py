"""``fanout.rejected``: events that never became deliveries, kept as they came."""

from bisect import insort
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from aio_pika.abc import AbstractIncomingMessage
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from disconnect_fanout.adapters.broker.browse import browse
from disconnect_fanout.adapters.broker.cloud_attributes import attributes_of
from disconnect_fanout.adapters.broker.codec import event_id_of
from disconnect_fanout.adapters.broker.connection import named_errors
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.topology import DELIVERY_LIMIT, Topology
from disconnect_fanout.domain.rejection import Rejection, RejectReason
from disconnect_fanout.flow.incoming import Incoming
from disconnect_fanout.flow.outage import BrokerUnreachable

_REASON, _DETAIL = "fanout-reason", "fanout-detail"
_EVENT_ID, _RECEIVED_AT = "fanout-event-id", "fanout-received-at"
_GIVE_UP_AFTER_S = 60.0
_WINDOW = 20  # messages in memory at once: each may be as large as the broker takes
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_OUR_REASONS = {one.value for one in RejectReason}
_WORDS_OF_THE_BROKER = (
    f"returned more than {DELIVERY_LIMIT} times: a worker ended while it held this event, or "
    "events next to it; replay it once that is understood"
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """One rejected event.

    Attributes:
        id: a digest of the body: copies of one message share it.
        detail: plain words.
        size: bytes of the body.
    """

    id: str
    reason: str
    detail: str
    event_id: str | None
    received_at: datetime | None
    size: int
    body: bytes = field(repr=False)


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
            _REASON: rejection.reason.value,
            _DETAIL: rejection.detail,
            _RECEIVED_AT: self._clock().isoformat(),
            **attributes_of(message.headers),
        }
        if rejection.event_id is not None:
            headers[_EVENT_ID] = rejection.event_id
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
    """What an operator does with rejected events. Listing changes nothing."""

    def __init__(self, publisher: Publisher, topology: Topology) -> None:
        self._publisher = publisher
        self._topology = topology

    async def list(self, limit: int) -> list[Rejected]:
        """Return the oldest ``limit`` messages; all are looked at, so that all keep their order."""
        oldest: list[Rejected] = []
        async with aclosing(self._messages()) as messages:
            async for message in messages:
                insort(oldest, _rejected(message), key=_age)
                del oldest[limit:]
        return oldest

    async def replay(self, ids: Collection[str] | None) -> int:
        """Publish messages into the events queue again, confirmed, then remove them.

        Args:
            ids: which; None for all.
        """
        done = 0
        async with aclosing(self._messages()) as messages:
            async for message in messages:
                if ids is None or _id(message) in ids:
                    await self._publisher.publish_to(
                        self._topology.events_queue,
                        message.body,
                        message.message_id,
                        attributes_of(message.headers),
                        message.content_type,
                        content_encoding=message.content_encoding,
                        kind=message.type,
                    )
                    await _ack(message)
                    done += 1
        return done

    async def discard(self, ids: Collection[str]) -> int:
        """Remove messages for good; return how many there were."""
        done = 0
        async with aclosing(self._messages()) as messages:
            async for message in messages:
                if _id(message) in ids:
                    await _ack(message)
                    done += 1
        return done

    async def _messages(self) -> AsyncGenerator[AbstractIncomingMessage, None]:
        connection = await self._publisher.connection()
        source = browse(connection, self._topology.rejected_queue, _WINDOW)
        async with aclosing(source) as batches:
            async for batch in batches:
                for message in batch:
                    yield message


async def _ack(message: AbstractIncomingMessage) -> None:
    async with named_errors():
        await message.ack()


def _id(message: AbstractIncomingMessage) -> str:
    """Two CloudEvents may have one body; what tells them apart are their attributes."""
    attributes = sorted(attributes_of(message.headers).items())
    told_apart = repr(attributes).encode(errors="backslashreplace") if attributes else b""
    return f"rej_{sha256(message.body + told_apart).hexdigest()[:16]}"


def _rejected(message: AbstractIncomingMessage) -> Rejected:
    headers = message.headers
    reason, detail = headers.get(_REASON), headers.get(_DETAIL)
    event_id = headers.get(_EVENT_ID)
    if (
        str(reason) not in _OUR_REASONS or "x-death" in headers
    ):  # the broker moved it here by itself
        reason, detail = _reason_of_the_broker(headers).value, _words_of_the_broker(headers)
        event_id = event_id_of(message.body, headers, message.content_encoding)
    return Rejected(
        id=_id(message),
        reason=str(reason),
        detail=str(detail),
        event_id=None if event_id is None else str(event_id),
        received_at=_received_at(headers),
        size=len(message.body),
        body=message.body,
    )


def _reason_of_the_broker(headers: Mapping[str, object]) -> RejectReason:
    """No worker is at fault where a time to live ended; what else the broker moves was returned."""
    if headers.get("x-first-death-reason") == "expired":
        return RejectReason.EXPIRED
    return RejectReason.REDELIVERED_TOO_OFTEN


def _words_of_the_broker(headers: Mapping[str, object]) -> str:
    match headers.get("x-first-death-reason"):
        case "expired":
            return (
                "its time to live, its publisher's or a policy's, ended before a worker took it; "
                "replay it"
            )
        case "maxlen":
            return "a policy of the broker bounds the queue, and it was full; replay it"
        case _:
            return _WORDS_OF_THE_BROKER


def _age(one: Rejected) -> datetime:
    return one.received_at or _BEFORE_ALL


def _received_at(headers: Mapping[str, object]) -> datetime | None:
    """When we or the broker put it here; None if somebody else did, in words of his own."""
    stated = headers.get(_RECEIVED_AT)
    if isinstance(stated, str) and "x-death" not in headers:
        with suppress(ValueError, OverflowError):
            return datetime.fromisoformat(stated).astimezone(UTC)
    deaths = headers.get("x-death")
    if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict):
        at = deaths[0].get("time")
        return at.astimezone(UTC) if isinstance(at, datetime) else None
    return None
