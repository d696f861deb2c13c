"""Fail points: where a worker kills itself, named after what has just happened or is about to.

Runs inside the worker that ``launch`` starts. Each is a thin layer around a part that the worker
has anyway; nothing of production code knows of it.
"""

import os
import signal
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from disconnect_fanout.adapters.broker.amqp_message import AmqpMessage
from disconnect_fanout.adapters.broker.dead_queue import AmqpLetterQueue
from disconnect_fanout.adapters.http.sender import AiohttpSender
from disconnect_fanout.app.stores import Stores
from disconnect_fanout.domain.dead_letter import DeadLetter
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.outcome import Answer, Exchange, Unable
from disconnect_fanout.flow.intent import Intent, Registration
from disconnect_fanout.flow.recorder import Ledger
from disconnect_fanout.flow.resolver import EventStore
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.policy.change import Attempted, Change


@dataclass(slots=True)
class FailPoint:
    """SIGKILL at the n-th passage of one point, as often as ``times`` says over all starts.

    Args:
        name: of the point.
        after: passages of one start until it bites.
        times: how many starts it bites.
        marker: where each bite is written down; the evidence, and what ends it.
    """

    name: str
    after: int
    times: int
    marker: Path
    _passed: int = field(default=0)

    def passed(self, name: str) -> None:
        """Die here, if this is the point."""
        if name != self.name:
            return
        self._passed += 1
        bites = self.marker.read_text().splitlines() if self.marker.exists() else []
        if self._passed < self.after or len(bites) >= self.times:
            return
        self.marker.write_text("\n".join([*bites, name]) + "\n")
        os.kill(os.getpid(), signal.SIGKILL)


class _Events:
    """*claimed*: events and deliveries are written down under leases, nothing is sent."""

    def __init__(self, store: EventStore, point: FailPoint) -> None:
        self._store, self._point = store, point

    @property
    def outages(self) -> int:
        return self._store.outages

    async def links(self, events: Sequence[DisconnectEvent]) -> Sequence[Sequence[Link]]:
        return await self._store.links(events)

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        done = await self._store.register(intents)
        if Registration.NEW in done:
            self._point.passed("claimed")
        return done

    async def probe(self) -> None:
        await self._store.probe()


class _Ledger:
    """*before commit*: outcomes are known and not written; *committed*: they are on disk."""

    def __init__(self, ledger: Ledger, point: FailPoint) -> None:
        self._ledger, self._point = ledger, point

    async def commit(self, changes: Sequence[Change]) -> Collection[Change]:
        outcomes = any(isinstance(one, Attempted) for one in changes)
        if outcomes:
            self._point.passed("before commit")
        fenced = await self._ledger.commit(changes)
        if outcomes:
            self._point.passed("committed")
        return fenced


def stores_with(stores: Stores, point: FailPoint) -> Stores:
    """Return the stores with their fail points."""
    events, ledger = _Events(stores.events, point), _Ledger(stores.ledger, point)
    return replace(stores, events=events, ledger=ledger)


def sender_with(point: FailPoint) -> type[AiohttpSender]:
    """*answered*: the platform's 2xx was read, and nobody else knows of it."""

    class Sender(AiohttpSender):
        async def send(self, request: WebhookRequest) -> Exchange | Unable:
            exchange = await super().send(request)
            if isinstance(exchange, Answer) and exchange.status // 100 == 2:
                point.passed("answered")
            return exchange

    return Sender


def letter_queue_with(point: FailPoint) -> type[AmqpLetterQueue]:
    """*decided dead*: on disk, without a letter; *letter published*: the row is not dead yet."""

    class Letters(AmqpLetterQueue):
        async def publish(self, letter: DeadLetter) -> None:
            point.passed("decided dead")
            await super().publish(letter)
            point.passed("letter published")

    return Letters


def message_with(point: FailPoint) -> type[AmqpMessage]:
    """*taken*: the message is ours, nothing is done; *before ack*: everything is."""

    class Message(AmqpMessage):
        @property
        def body(self) -> bytes:
            point.passed("taken")
            return super().body

        async def ack(self) -> None:
            point.passed("before ack")
            await super().ack()

    return Message
