"""RabbitMQ in memory: what was not acked comes again, an unconfirmed publish says nothing.

It keeps the contract of ``tests/contract/test_consuming.py`` and ``test_letter_queue.py``.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count

from disconnect_fanout.flow.incoming import DELIVERY_LIMIT
from disconnect_fanout.flow.outage import BrokerUnreachable


class Fate(Enum):
    """What becomes of a publish."""

    CONFIRMED = auto()
    LOST = auto()
    UNCONFIRMED = auto()
    """It arrives, and the publisher does not hear of it."""
    LATE = auto()
    """It arrives when the publisher has long given up."""


class FakeWire:
    """What lies between one client and the broker: nothing; the simulation's is worse."""

    up = True
    late_s = 1.0

    async def travel(self) -> None:
        """Let a frame reach the other side."""
        await asyncio.sleep(0)

    def fate(self) -> Fate:
        """Return what becomes of the next publish."""
        return Fate.CONFIRMED

    def done(self, what: str) -> None:
        """Be told of each effect that the client had."""


@dataclass(slots=True, eq=False)
class Stored:
    """A message in a queue.

    Attributes:
        returns: how often it came back unacked.
    """

    body: bytes
    content_type: str | None = "application/json"
    message_id: str | None = None
    headers: Mapping[str, object] = field(default_factory=dict)
    returns: int = 0
    content_encoding: str | None = None
    kind: str | None = None


class FakeQueue:
    """A quorum queue.

    Args:
        overflow: where a message goes that came back more than ``DELIVERY_LIMIT`` times.
    """

    def __init__(self, overflow: "FakeQueue | None" = None) -> None:
        self.ready: deque[Stored] = deque()
        self.sessions: deque[FakeSession] = deque()
        self._overflow = overflow

    @property
    def held(self) -> int:
        """How many messages are with consumers."""
        return sum(len(one.held) for one in self.sessions)

    def put(self, message: Stored) -> None:
        """Append."""
        self.ready.append(message)
        self.pump()

    def give_back(self, messages: list[Stored]) -> None:
        """Take unacked messages back, to where they were: before all that came later."""
        for one in reversed(messages):
            one.returns += 1
            if self._overflow is not None and one.returns > DELIVERY_LIMIT:
                self._overflow.put(one)
            else:
                self.ready.appendleft(one)
        self.pump()

    def pump(self) -> None:
        """Push to the consumers in turn what their prefetch allows."""
        idle = 0
        while self.ready and idle < len(self.sessions):
            self.sessions.rotate(-1)
            session = self.sessions[-1]
            if len(session.held) < session.prefetch:
                session.offer(self.ready.popleft())
                idle = 0
            else:
                idle += 1


class FakeDelivered:
    """``flow.incoming.Incoming``."""

    def __init__(self, session: "FakeSession", tag: int, message: Stored) -> None:
        self._session = session
        self._tag = tag
        self._message = message
        self.body = message.body
        self.content_type = message.content_type
        self.content_encoding = message.content_encoding
        self.kind = message.kind
        self.message_id = message.message_id
        self.headers = dict(message.headers)
        if message.returns:
            self.headers["x-delivery-count"] = message.returns
        self.arrived_at = asyncio.get_running_loop().time()

    async def ack(self) -> None:
        """Ack; on a channel that is gone there is nothing to ack."""
        await self._session.wire.travel()
        self._session.ack(self._tag)
        self._session.wire.done("ack")


class FakeSession:
    """One consumer of one queue, with what it holds."""

    def __init__(
        self,
        broker: "FakeBroker",
        queue: FakeQueue,
        wire: FakeWire,
        prefetch: int,
        take: Callable[[FakeDelivered], None],
    ) -> None:
        self.wire = wire
        self.prefetch = prefetch
        self.held: dict[int, Stored] = {}
        self.ended = asyncio.Event()
        self._broker = broker
        self._queue = queue
        self._take = take
        self._tags = count(1)
        queue.sessions.append(self)

    def offer(self, message: Stored) -> None:
        """Push one message."""
        tag = next(self._tags)
        self.held[tag] = message
        self._take(FakeDelivered(self, tag, message))

    def ack(self, tag: int) -> None:
        """Forget a message, if this session still stands."""
        if tag in self.held:
            self._broker.on_ack(self._queue, self.held.pop(tag))
            self._queue.pump()

    def end(self) -> None:
        """Give everything back that was not acked."""
        if not self.ended.is_set():
            self.ended.set()
            self._queue.sessions.remove(self)
            back = list(self.held.values())
            self.held.clear()
            self._queue.give_back(back)


class FakeBroker:
    """The three queues, and everybody who is connected."""

    def __init__(self) -> None:
        self.rejected = FakeQueue()
        self.dead = FakeQueue()
        self.events = FakeQueue(overflow=self.rejected)
        self.reachable = True
        self.on_ack: Callable[[FakeQueue, Stored], None] = lambda _queue, _message: None
        self.on_put: Callable[[FakeQueue, Stored], None] = lambda _queue, _message: None

    def attach(
        self,
        queue: FakeQueue,
        wire: FakeWire,
        prefetch: int,
        take: Callable[[FakeDelivered], None],
    ) -> FakeSession:
        """Begin to consume.

        Raises:
            BrokerUnreachable: no answer.
        """
        self.reach(wire)
        session = FakeSession(self, queue, wire, prefetch, take)
        queue.pump()
        return session

    def lose(self, wire: FakeWire | None = None) -> None:
        """End the connections of one client, or of all."""
        for session in self.sessions(wire):
            session.end()

    def sessions(self, wire: FakeWire | None = None) -> list[FakeSession]:
        """Return the consumers of one client, or of all."""
        queues = (self.events, self.dead, self.rejected)
        found = [one for queue in queues for one in queue.sessions]
        return [one for one in found if wire is None or one.wire is wire]

    def reach(self, wire: FakeWire) -> None:
        """Be there.

        Raises:
            BrokerUnreachable: it is not.
        """
        if not (self.reachable and wire.up):
            raise BrokerUnreachable("the fake broker does not answer")

    async def publish(self, wire: FakeWire, queue: FakeQueue, message: Stored) -> None:
        """Publish with confirm.

        Raises:
            BrokerUnreachable: not confirmed; it may have arrived all the same.
        """
        await wire.travel()
        self.reach(wire)
        fate = wire.fate()
        if fate in {Fate.CONFIRMED, Fate.UNCONFIRMED}:
            self.put(queue, message)
            wire.done("letter")
        elif fate is Fate.LATE:  # whatever becomes of the publisher meanwhile
            loop = asyncio.get_running_loop()
            loop.call_later(wire.late_s, self.put, queue, message, context=Context())
        await wire.travel()
        self.reach(wire)
        if fate is not Fate.CONFIRMED:
            raise BrokerUnreachable("not confirmed")

    def put(self, queue: FakeQueue, message: Stored) -> None:
        """Let a message arrive."""
        self.on_put(queue, message)
        queue.put(message)
