"""What a worker does at the broker besides consuming: letters and rejections, in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from tests.harness.fakes.broker import FakeBroker, FakeSession, FakeWire, Stored

from disconnect_fanout.domain.dead_letter import DeadLetter
from disconnect_fanout.domain.rejection import Rejection
from disconnect_fanout.flow.incoming import Incoming
from disconnect_fanout.flow.letters import LetterKey
from disconnect_fanout.flow.outage import BrokerUnreachable

_REPLAYS = "fanout-replays"
_DELIVERY = "wh_del_"


class BrokeredLetters:
    """``flow.letters.LetterQueue``.

    Args:
        window: how many messages a select_stale is shown at once.
    """

    def __init__(self, broker: FakeBroker, wire: FakeWire, window: int = 500) -> None:
        self._broker = broker
        self._wire = wire
        self._window = window

    async def publish(self, letter: DeadLetter) -> None:
        """Publish with confirm."""
        headers = {_REPLAYS: letter.replays, "fanout-reason": letter.reason.value}
        message = Stored(b"{}", message_id=letter.delivery_id, headers=headers)
        await self._broker.publish(self._wire, self._broker.dead, message)

    async def depth(self) -> int:
        """Return how many messages are ready."""
        await self._wire.travel()
        self._broker.reach(self._wire)
        return len(self._broker.dead.ready)

    async def purge(
        self, select_stale: Callable[[Sequence[LetterKey | None]], Awaitable[Collection[int]]]
    ) -> None:
        """Show every message that is there now to ``select_stale``, and remove what it selects."""
        left = await self.depth()
        session = self._broker.attach(self._broker.dead, self._wire, 0, lambda _one: None)
        try:
            while left > 0 and (shown := self._take(session, min(left, self._window))):
                left -= len(shown)
                stale = await select_stale([letter_key(session.held[tag]) for tag in shown])
                await self._wire.travel()
                if session.ended.is_set():
                    raise BrokerUnreachable("the connection ended")
                for index in sorted(stale):
                    session.ack(shown[index])
        finally:
            session.end()

    def _take(self, session: FakeSession, most: int) -> list[int]:
        ready = self._broker.dead.ready
        first = len(session.held)
        while ready and most:
            session.offer(ready.popleft())
            most -= 1
        return list(session.held)[first:]


class BrokeredDepth:
    """``flow.supervision.consumer_watchdog.EventQueue``."""

    def __init__(self, broker: FakeBroker, wire: FakeWire) -> None:
        self._broker = broker
        self._wire = wire

    async def depth(self) -> int:
        """Return how many events are ready."""
        await self._wire.travel()
        self._broker.reach(self._wire)
        return len(self._broker.events.ready)


class BrokeredRejects:
    """``flow.incoming.RejectBox``.

    Args:
        give_up_after_s: how long an outage is waited for.
    """

    def __init__(
        self, broker: FakeBroker, wire: FakeWire, *, give_up_after_s: float = 60.0
    ) -> None:
        self._broker = broker
        self._wire = wire
        self._give_up_after_s = give_up_after_s

    async def put(self, message: Incoming, rejection: Rejection) -> None:
        """Publish the body as it came, its reason in a header."""
        headers = {"fanout-reason": rejection.reason.value, "fanout-event-id": rejection.event_id}
        copy = Stored(
            message.body,
            message.content_type,
            message.message_id,
            headers,
            content_encoding=message.content_encoding,
            kind=message.kind,
        )
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._give_up_after_s
        while True:
            try:
                return await self._broker.publish(self._wire, self._broker.rejected, copy)
            except BrokerUnreachable:
                if loop.time() >= give_up_at:
                    raise
            await asyncio.sleep(0.2)


def letter_key(message: Stored) -> LetterKey | None:
    """Return which letter a message is; None for what is none of ours."""
    name, replays = message.message_id or "", message.headers.get(_REPLAYS)
    if not name.startswith(_DELIVERY) or not isinstance(replays, int):
        return None
    return LetterKey(name, replays)
