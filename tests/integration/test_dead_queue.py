"""The dead-letter queue: one letter each, weeded by a select_stale, browsed by everyone."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.harness.servers import amqp
from tests.harness.servers.vhost import Vhost

from disconnect_events import DeadLetterV1
from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.dead_queue import AmqpLetterQueue
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.domain.dead_letter import DeadLetter, DeadReason
from disconnect_fanout.flow.letters import LetterKey
from disconnect_fanout.flow.outage import BrokerUnreachable, StoreUnreachable

AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
LETTER = DeadLetter(
    "wh_del_0", "evt_0", "plat_luma", DeadReason.EXHAUSTED, 10, "refused", 503, AT, AT, 0
)


def letter(number: int, replays: int = 0) -> DeadLetter:
    """One of many."""
    return replace(LETTER, delivery_id=f"wh_del_{number}", replays=replays)


@pytest.fixture
def topology(vhost: Vhost) -> Topology:
    """The names of this test."""
    return Topology(vhost.exchange, vhost.prefix)


@pytest.fixture
async def letters(amqp_url: str, topology: Topology) -> AsyncIterator[AmqpLetterQueue]:
    """The queue, declared and empty."""
    async with await open_connection(amqp_url, "test") as connection:
        await declare(connection, topology)
    publisher = Publisher(amqp_url, topology)
    yield AmqpLetterQueue(publisher, topology.dead_queue)
    await publisher.close()


Keys = list[LetterKey | None]


async def shown(letters: AmqpLetterQueue, *condemned: int) -> Keys:
    """Every message that a select_stale is shown; those at ``condemned`` go."""
    seen: Keys = []

    async def select_stale(keys: Sequence[LetterKey | None]) -> Collection[int]:
        first = len(seen)
        seen.extend(keys)
        return [index - first for index in condemned if 0 <= index - first < len(keys)]

    await letters.purge(select_stale)
    return seen


async def test_a_letter_tells_all_but_the_user(
    letters: AmqpLetterQueue, topology: Topology, amqp_url: str
) -> None:
    """Contract body, the delivery's id as the message's, and headers for whoever watches."""
    await letters.publish(LETTER)
    (message,) = await amqp.browse(amqp_url, topology.dead_queue)
    parsed = DeadLetterV1.model_validate_json(message.body)
    assert (parsed.delivery_id, parsed.reason, parsed.last_status) == ("wh_del_0", "exhausted", 503)
    assert message.message_id == "wh_del_0"
    ours = {name: one for name, one in message.headers.items() if not name.startswith("x-")}
    assert ours == {"fanout-replays": 0, "fanout-reason": "exhausted"}
    assert message.delivery_mode == 2


async def test_the_depth_is_the_number_of_letters(letters: AmqpLetterQueue) -> None:
    """As the broker counts them."""
    assert await letters.depth() == 0
    await asyncio.gather(*(letters.publish(letter(number)) for number in range(7)))
    assert await letters.depth() == 7


async def test_weeding_removes_what_is_condemned_and_keeps_the_order(
    letters: AmqpLetterQueue, topology: Topology, amqp_url: str
) -> None:
    """Also over many windows, and as often as one likes."""
    for number in range(3):
        await letters.publish(letter(number))
    bodies = [b"%d" % number for number in range(3, 1200)]
    for start in range(0, len(bodies), 400):
        await amqp.publish(amqp_url, "", topology.dead_queue, *bodies[start : start + 400])
    seen = await shown(letters, 1, 500, 501, 1199)
    assert seen[:3] == [LetterKey(f"wh_del_{number}", 0) for number in range(3)]
    assert seen[3:] == [None] * 1197
    await shown(letters)
    await shown(letters, 0)
    left = [one.body for one in await amqp.browse(amqp_url, topology.dead_queue)]
    assert left[0].startswith(b'{"delivery_id":"wh_del_2"')
    assert left[1:] == [one for one in bodies if one not in {b"500", b"501", b"1199"}]


async def test_what_is_no_letter_is_shown_as_a_stranger(
    letters: AmqpLetterQueue, topology: Topology, amqp_url: str
) -> None:
    """Whatever others put there is counted, and left where it is."""
    queue = topology.dead_queue
    await letters.publish(letter(1, replays=2))
    await amqp.publish(amqp_url, "", queue, b"no id", headers={"fanout-replays": 0})
    await amqp.publish(amqp_url, "", queue, b"no count", message_id="wh_del_9")
    await amqp.publish(
        amqp_url, "", queue, b"odd", message_id="wh_del_8", headers={"fanout-replays": "two"}
    )
    assert await shown(letters) == [LetterKey("wh_del_1", 2), None, None, None]
    await amqp.depth_becomes(amqp_url, queue, 4)


async def test_a_judge_that_fails_changes_nothing(
    letters: AmqpLetterQueue, topology: Topology, amqp_url: str
) -> None:
    """A database outage in the middle: every letter is back at once."""
    for number in range(3):
        await letters.publish(letter(number))

    async def select_stale(_keys: Sequence[LetterKey | None]) -> Collection[int]:
        raise StoreUnreachable("no answer")

    with pytest.raises(StoreUnreachable):
        await letters.purge(select_stale)
    await amqp.depth_becomes(amqp_url, topology.dead_queue, 3)


async def test_a_missing_queue_is_an_outage_for_who_looks(
    letters: AmqpLetterQueue, topology: Topology, amqp_url: str
) -> None:
    """Looking puts nothing back; the next letter does."""
    async with amqp.channel(amqp_url) as channel:
        await channel.queue_delete(topology.dead_queue)
    with pytest.raises(BrokerUnreachable, match="run: fanout migrate"):
        await letters.depth()
    await letters.publish(LETTER)
    assert await letters.depth() == 1


async def test_two_who_look_at_once_do_each_other_no_harm(
    letters: AmqpLetterQueue, topology: Topology, amqp_url: str
) -> None:
    """Each sees what the other does not hold; both come to an end, and nothing is lost."""
    for number in range(40):
        await letters.publish(letter(number))
    one, other = await asyncio.gather(shown(letters), shown(letters))
    assert {*one, *other} >= {LetterKey(f"wh_del_{number}", 0) for number in range(40)}
    await amqp.depth_becomes(amqp_url, topology.dead_queue, 40)


async def test_five_thousand_letters_are_seen_in_seconds(
    letters: AmqpLetterQueue, topology: Topology, amqp_url: str
) -> None:
    """A sweeper or an operator does not wait for minutes."""
    await amqp.publish(amqp_url, "", topology.dead_queue, *[b"x" * 400] * 5000)
    began = time.monotonic()
    assert len(await shown(letters)) == 5000
    assert time.monotonic() - began < 8
    await amqp.depth_becomes(amqp_url, topology.dead_queue, 5000)
