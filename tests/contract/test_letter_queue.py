"""What the flow may expect of the queues that it publishes to: on RabbitMQ, and in memory."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
from tests.harness.fakes.broker import FakeBroker, FakeWire, Stored
from tests.harness.fakes.queues import BrokeredLetters, BrokeredRejects
from tests.harness.servers import amqp

from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.dead_queue import AmqpLetterQueue
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.rejected_queue import AmqpRejectBox
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.domain.dead_letter import DeadLetter, DeadReason
from disconnect_fanout.domain.rejection import Rejection, RejectReason
from disconnect_fanout.flow.incoming import RejectBox
from disconnect_fanout.flow.letters import LetterKey, LetterQueue
from disconnect_fanout.flow.outage import BrokerUnreachable, StoreUnreachable

AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
LETTER = DeadLetter(
    "wh_del_0", "evt_0", "plat_luma", DeadReason.EXHAUSTED, 10, "refused", 503, AT, AT, 0
)
NAMES = Topology()
NOWHERE = "amqp://guest:guest@127.0.0.1:1/"
Shown = list[LetterKey | None]


@dataclass
class Message:
    """An event as it came."""

    body: bytes = b'{"id": "evt_1"}'
    content_type: str | None = "application/json; charset=utf-8"
    content_encoding: str | None = "gzip"
    kind: str | None = "amqp-1.0"
    message_id: str | None = "evt_1"
    headers: Mapping[str, object] = field(default_factory=dict)
    arrived_at: float = 0.0

    async def ack(self) -> None:
        """Nobody does."""


def _as_it_came(one: Any) -> tuple[object, ...]:
    return one.body, one.content_type, one.content_encoding, one.message_id


class Stage(Protocol):
    """Both queues, and a broker that is not there."""

    letters: LetterQueue
    nowhere: LetterQueue
    rejects: RejectBox

    @abstractmethod
    async def put_stranger(self) -> None:
        """Let somebody else put a message into the dead-letter queue."""

    @abstractmethod
    async def rejected(self) -> list[tuple[object, ...]]:
        """Return body, content type and encoding, id, type and reason of what was rejected."""


class FakeStage(Stage):
    """In memory; windows of two, so that a judge is asked more than once."""

    def __init__(self) -> None:
        self._broker, gone = FakeBroker(), FakeWire()
        gone.up = False
        self.letters = BrokeredLetters(self._broker, FakeWire(), window=2)
        self.nowhere = BrokeredLetters(self._broker, gone)
        self.rejects = BrokeredRejects(self._broker, FakeWire())

    async def put_stranger(self) -> None:
        self._broker.put(self._broker.dead, Stored(b"odd"))

    async def rejected(self) -> list[tuple[object, ...]]:
        return [
            (*_as_it_came(one), one.kind, one.headers["fanout-reason"])
            for one in self._broker.rejected.ready
        ]


class RealStage(Stage):
    """RabbitMQ."""

    def __init__(self, url: str, publisher: Publisher) -> None:
        self._url = url
        self.letters = AmqpLetterQueue(publisher, NAMES.dead_queue)
        self.nowhere = AmqpLetterQueue(Publisher(NOWHERE, NAMES), NAMES.dead_queue)
        self.rejects = AmqpRejectBox(publisher, NAMES, lambda: AT)

    async def put_stranger(self) -> None:
        await amqp.publish(self._url, "", NAMES.dead_queue, b"odd")

    async def rejected(self) -> list[tuple[object, ...]]:
        return [
            (*_as_it_came(one), one.type, one.headers["fanout-reason"])
            for one in await amqp.browse(self._url, NAMES.rejected_queue)
        ]


@pytest.fixture(params=["fake", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str | None:
    """An empty broker, or None for the one in memory."""
    if request.param == "fake":
        return None
    url: str = request.getfixturevalue("amqp_url")
    return url


@pytest.fixture
async def stage(broker_url: str | None) -> AsyncIterator[Stage]:
    """The queues, once of each kind."""
    if broker_url is None:
        yield FakeStage()
        return
    async with await open_connection(broker_url, "test") as connection:
        await declare(connection, NAMES)
    publisher = Publisher(broker_url, NAMES)
    yield RealStage(broker_url, publisher)
    await publisher.close()


def letter(number: int, replays: int = 0) -> DeadLetter:
    """One of many."""
    return replace(LETTER, delivery_id=f"wh_del_{number}", replays=replays)


def key(number: int, replays: int = 0) -> LetterKey:
    """Its key."""
    return LetterKey(f"wh_del_{number}", replays)


async def weeded(stage: Stage, *condemned: LetterKey) -> Shown:
    """Show everything to a judge that condemns some; return what it was shown."""
    shown: Shown = []

    async def judge(keys: Sequence[LetterKey | None]) -> Collection[int]:
        shown.extend(keys)
        return [index for index, one in enumerate(keys) if one in condemned]

    await stage.letters.purge(judge)
    return shown


async def test_the_depth_is_the_number_of_letters(stage: Stage) -> None:
    """Also of those that are there twice: a letter is not looked at when it is published."""
    assert await stage.letters.depth() == 0
    await asyncio.gather(*(stage.letters.publish(letter(number)) for number in range(4)))
    await stage.letters.publish(letter(0))
    assert await stage.letters.depth() == 5


async def test_weeding_removes_what_is_condemned_and_keeps_the_order(stage: Stage) -> None:
    """A judge sees every letter with its count of replays, in the order of their arrival."""
    for number in range(5):
        await stage.letters.publish(letter(number, replays=number % 2))
    everything = [key(number, number % 2) for number in range(5)]
    assert await weeded(stage, key(1, 1), key(4), key(0, 7)) == everything
    assert await weeded(stage) == [key(0), key(2), key(3, 1)]
    assert await stage.letters.depth() == 3


async def test_what_is_no_letter_is_shown_as_a_stranger(stage: Stage) -> None:
    """And stays where it is."""
    await stage.letters.publish(letter(1))
    await stage.put_stranger()
    assert await weeded(stage, key(1)) == [key(1), None]
    assert await weeded(stage) == [None]


async def test_a_judge_that_fails_changes_nothing(stage: Stage) -> None:
    """A database outage in the middle: every letter is still there."""
    for number in range(3):
        await stage.letters.publish(letter(number))

    async def judge(_keys: Sequence[LetterKey | None]) -> Collection[int]:
        raise StoreUnreachable("no answer")

    with pytest.raises(StoreUnreachable):
        await stage.letters.purge(judge)
    assert await weeded(stage) == [key(0), key(1), key(2)]


async def test_what_comes_while_a_judge_thinks_stays(stage: Stage) -> None:
    """It was not shown, so it can't be condemned."""
    await stage.letters.publish(letter(1))

    async def judge(keys: Sequence[LetterKey | None]) -> Collection[int]:
        await stage.letters.publish(letter(2))
        return range(len(keys))

    await stage.letters.purge(judge)
    assert await weeded(stage) == [key(2)]


async def test_without_a_broker_everything_says_so(stage: Stage) -> None:
    """As the one failure that the flow survives."""
    with pytest.raises(BrokerUnreachable):
        await stage.nowhere.publish(LETTER)
    with pytest.raises(BrokerUnreachable):
        await stage.nowhere.depth()
    with pytest.raises(BrokerUnreachable):
        await stage.nowhere.purge(lambda _keys: asyncio.sleep(0, ()))


async def test_a_rejected_event_stays_as_it_came(stage: Stage) -> None:
    """Byte for byte, with its content type, encoding, type and id, and the reason beside it."""
    one = Message()
    await stage.rejects.put(one, Rejection(RejectReason.ID_CONFLICT, "words", "evt_1"))
    reason = RejectReason.ID_CONFLICT.value
    assert await stage.rejected() == [(*_as_it_came(one), one.kind, reason)]
