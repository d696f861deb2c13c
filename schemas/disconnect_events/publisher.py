"""Publishing for upstream services: validated, persistent, mandatory, confirmed, tried again.

``disconnect_events.DisconnectPublisher`` needs aio-pika and tenacity, and nothing of the worker::

    async with DisconnectPublisher("amqp://…/production") as publisher:
        await publisher.publish(event)
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Self, TypeAlias

from aio_pika import DeliveryMode, Message
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter
from tenacity.wait import WaitBaseT

from disconnect_events.connect import ConnectEventV1
from disconnect_events.event import LARGEST_EVENT, DisconnectEventV1
from disconnect_events.publish_channel import (
    Forbidden,
    Outage,
    PublishChannel,
    Refused,
    Unroutable,
    named_errors,
)
from disconnect_events.publish_error import (
    BrokerRefused,
    EventTooLarge,
    NobodyListens,
    NotConfirmed,
)

UpstreamEvent: TypeAlias = DisconnectEventV1 | ConnectEventV1

_LONGEST_PROPERTY = 255
_BACKOFF = wait_exponential_jitter(multiplier=0.1, max=5.0, jitter=0.1)


class DisconnectPublisher:
    """Publishes events; one for each event loop, shared by all that publish.

    Args:
        url: ``amqp://user:password@host:port/vhost`` or ``amqps://…``.
        exchange: the one that ``FANOUT_EXCHANGE`` names.
        give_up_after_s: after so long an outage is reported.
        confirm_timeout_s: for one try.
        wait: between two tries, as tenacity has them.
        sleep: waits.

    Raises:
        ValueError: the URL is none of a broker.
    """

    def __init__(
        self,
        url: str,
        *,
        exchange: str = "calendar.events",
        give_up_after_s: float = 30.0,
        confirm_timeout_s: float = 10.0,
        wait: WaitBaseT = _BACKOFF,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not url.startswith(("amqp://", "amqps://")):
            raise ValueError("url: must start with amqp:// or amqps://")
        self._exchange = exchange
        self._give_up_after_s = give_up_after_s
        self._confirm_timeout_s = confirm_timeout_s
        self._retrying = AsyncRetrying(
            retry=retry_if_exception_type(Outage), wait=wait, sleep=sleep
        )
        self._channel = PublishChannel(url, confirm_timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def publish(self, event: UpstreamEvent) -> None:
        """Publish an event; on return a queue has it, on its disk.

        Raises:
            EventTooLarge: it is over 1 MiB.
            NobodyListens: no queue took it.
            BrokerRefused: wrong password, vhost or permission.
            NotConfirmed: no confirm in time. Publish again under the same id.
            ValidationError: the event was made without validation, and is wrong.
        """
        message = _message(event)
        sent = False

        async def attempt() -> None:
            nonlocal sent
            channel = await self._channel.ready()
            sent = True
            exchange = await channel.get_exchange(self._exchange, ensure=False)
            await exchange.publish(
                message, event.event_type, mandatory=True, timeout=self._confirm_timeout_s
            )

        try:
            async with asyncio.timeout(self._give_up_after_s):
                await self._retrying(self._named, event, attempt)
        except TimeoutError:
            raise _not_confirmed(event.id, self._give_up_after_s, sent=sent) from None

    async def close(self) -> None:
        """Close the connection, within seconds, whatever became of the broker."""
        await self._channel.close()

    async def _named(self, event: UpstreamEvent, attempt: Callable[[], Awaitable[None]]) -> None:
        """Try once, and name what can't be mended by trying again."""
        try:
            async with named_errors():
                await attempt()
        except Unroutable:
            raise NobodyListens(
                event.id,
                f"no queue takes {event.event_type!r} from exchange {self._exchange!r}; "
                "run `fanout migrate` there, then publish again",
            ) from None
        except Forbidden:
            raise BrokerRefused(
                event.id,
                f"this user may not write to exchange {self._exchange!r}; nothing was stored",
            ) from None
        except Refused:
            raise BrokerRefused(
                event.id, "the broker refused the user, the password or the vhost; nothing was sent"
            ) from None


def _message(event: UpstreamEvent) -> Message:
    body = event.model_dump_json().encode()
    type(event).model_validate_json(body)
    if len(body) > LARGEST_EVENT:
        raise EventTooLarge(event.id, f"{len(body)} bytes; at most {LARGEST_EVENT} are taken")
    # A property holds 255 bytes, an id may take more; the one that counts is in the body.
    name = event.id if len(event.id.encode()) <= _LONGEST_PROPERTY else None
    return Message(
        body,
        message_id=name or sha256(event.id.encode()).hexdigest(),
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
    )


def _not_confirmed(event_id: str, after_s: float, *, sent: bool) -> NotConfirmed:
    words = "it may have arrived all the same" if sent else "nothing was sent"
    return NotConfirmed(
        event_id,
        f"the broker did not confirm within {after_s:g} s ({words}); "
        "publish again under the same id, which is told once",
        sent=sent,
    )
