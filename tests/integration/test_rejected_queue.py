"""Rejected events: kept as they came, looked at without a change, replayed, discarded."""

from hashlib import sha256

import pytest
from tests.harness.flow.unprocessable import AT, MALFORMED, Message
from tests.harness.servers import amqp
from tests.harness.worker.disconnect import body, disconnect

from disconnect_fanout.adapters.broker.browse import browsed
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.rejected_queue import AmqpRejectBox, RejectedQueue
from disconnect_fanout.adapters.broker.topology import Topology
from disconnect_fanout.domain.event import EVENT_TYPE
from disconnect_fanout.domain.rejection import Rejection, RejectReason
from disconnect_fanout.flow.incoming import DELIVERY_LIMIT


def names(bodies: list[bytes]) -> list[str]:
    """The ids of messages with these bodies."""
    return [f"rej_{sha256(one).hexdigest()[:16]}" for one in bodies]


async def listed(rejected: RejectedQueue, limit: int = 10) -> list[str]:
    """The ids, as listed."""
    return [one.id for one in await rejected.list(limit)]


async def test_a_rejected_event_is_kept_with_its_reason(
    box: AmqpRejectBox, rejected: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """The body as it came, the reason as a code and in words, and nothing of broker or user."""
    headers: dict[str, object] = {"x-death": [{"count": 1}], "user": "alice", "ce-id": "evt_1"}
    await box.put(Message(b"{\xff", "m1", headers), MALFORMED)
    (one,) = await rejected.list(10)
    assert (one.reason, one.detail, one.event_id) == (
        "malformed",
        "data.reason: is missing",
        "evt_1",
    )
    assert (one.received_at, one.size) == (AT, 2)
    assert await rejected.find(one.id) == (one, b"{\xff")
    (raw,) = await amqp.browse(amqp_url, topology.rejected_queue)
    assert (raw.message_id, raw.content_type) == ("m1", "application/json")
    assert (raw.content_encoding, raw.type) == ("gzip", "amqp-1.0")
    assert dict(raw.headers) == {
        "fanout-reason": "malformed",
        "fanout-detail": "data.reason: is missing",
        "fanout-received-at": AT.isoformat(),
        "fanout-event-id": "evt_1",
        "ce-id": "evt_1",
        "x-delivery-count": raw.headers["x-delivery-count"],  # of our looks, by the broker
    }


async def test_listing_changes_nothing(
    box: AmqpRejectBox, rejected: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """As often as one likes: same messages, same order, nothing missing."""
    bodies = [b"%d" % number for number in range(70)]
    for one in bodies:
        await box.put(Message(one), MALFORMED)
    for limit in (10, 1000, 35, 1000):
        assert await listed(rejected, limit) == names(bodies[:limit])
    await amqp.depth_becomes(amqp_url, topology.rejected_queue, 70)


async def test_a_replay_sends_events_through_the_queue_again(
    box: AmqpRejectBox, rejected: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """Those that were asked for; the others stay, in order."""
    for number in range(6):
        await box.put(Message(b"%d" % number, f"m{number}", {"ce-id": "e"}), MALFORMED)
    attributes = repr([("ce-id", "e")]).encode()
    found = names([b"%d" % number + attributes for number in range(6)])
    assert await listed(rejected) == found
    assert await rejected.replay([found[4], found[1], "rej_0000000000000000"]) == 2
    again = await amqp.browse(amqp_url, topology.events_queue)
    assert [(one.body, one.message_id) for one in again] == [(b"1", "m1"), (b"4", "m4")]
    assert {name for name in again[0].headers if not name.startswith("x-")} == {"ce-id"}
    assert {(one.content_encoding, one.type) for one in again} == {("gzip", "amqp-1.0")}
    assert await listed(rejected) == [found[0], found[2], found[3], found[5]]
    assert await rejected.replay(None) == 4
    await amqp.depth_becomes(amqp_url, topology.rejected_queue, 0)
    await amqp.depth_becomes(amqp_url, topology.events_queue, 6)


async def test_a_discard_removes_for_good(
    box: AmqpRejectBox, rejected: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """All copies of one message share an id and go together; the others stay, in order."""
    for content in (b"a", b"b", b"a", b"c"):
        await box.put(Message(content), MALFORMED)
    assert await listed(rejected) == names([b"a", b"b", b"a", b"c"])
    assert await rejected.discard(names([b"a"])) == 2
    assert await listed(rejected) == names([b"b", b"c"])
    await amqp.depth_becomes(amqp_url, topology.rejected_queue, 2)


async def test_a_large_body_is_kept_whole(
    box: AmqpRejectBox, rejected: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """2 MiB go there and back."""
    large = b"x" * (2 * 1024 * 1024)
    await box.put(Message(large), Rejection(RejectReason.TOO_LARGE, "too large"))
    (one,) = await rejected.list(10)
    assert (one.size, one.event_id) == (len(large), None)
    assert await rejected.find(one.id) == (one, large)
    assert await rejected.replay(None) == 1
    await amqp.depth_becomes(amqp_url, topology.events_queue, 1)


async def test_an_event_whose_time_to_live_ended_is_called_expired(
    rejected: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """Its publisher's: no worker held it, so none is blamed; a replay gives it no time to live."""
    event = body(disconnect("evt_late"))
    await amqp.publish(amqp_url, topology.exchange, EVENT_TYPE, event, expiration=0.05)
    await amqp.depth_becomes(amqp_url, topology.rejected_queue, 1)
    (one,) = await rejected.list(10)
    assert (one.reason, one.event_id, one.size) == ("expired", "evt_late", len(event))
    assert "time to live" in one.detail
    assert await rejected.replay(None) == 1
    await amqp.depth_becomes(amqp_url, topology.events_queue, 1)


async def test_what_was_redelivered_too_often_lands_there(
    rejected: RejectedQueue, topology: Topology, amqp_url: str, publisher: Publisher
) -> None:
    """By the broker's own hand, with reason and event id; a replay gives it a new life."""
    event = body(disconnect("evt_poison"))
    await publisher.publish_event(event, "evt_poison")
    for _ in range(DELIVERY_LIMIT + 1):
        assert await amqp.depth(amqp_url, topology.rejected_queue) == 0
        await amqp.browse(amqp_url, topology.events_queue)
    await amqp.depth_becomes(amqp_url, topology.rejected_queue, 1)
    (one,) = await rejected.list(10)
    assert (one.reason, one.event_id) == ("redelivered_too_often", "evt_poison")
    assert await rejected.find(one.id) == (one, event)
    assert f"returned more than {DELIVERY_LIMIT} times" in one.detail
    assert one.received_at is not None
    assert await rejected.replay([one.id]) == 1
    (again,) = await amqp.browse(amqp_url, topology.events_queue)
    assert (again.body, again.message_id) == (event, "evt_poison")
    assert "x-death" not in again.headers


async def test_a_message_of_somebody_else_can_be_listed(
    rejected: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """Whatever headers it has."""
    strange = {"fanout-reason": [5], "fanout-received-at": "yesterday", "fanout-event-id": []}
    await amqp.publish(amqp_url, "", topology.rejected_queue, b"\x00", headers=strange)
    (one,) = await rejected.list(10)
    assert (one.received_at, one.event_id, one.size) == (None, None, 1)
    assert one.reason in set(RejectReason)


async def test_leaving_early_gives_everything_back(
    box: AmqpRejectBox, publisher: Publisher, topology: Topology, amqp_url: str
) -> None:
    """Whoever breaks off a look, by an error or a Ctrl-C, has changed nothing."""
    for number in range(10):
        await box.put(Message(b"%d" % number), MALFORMED)
    with pytest.raises(KeyboardInterrupt):
        async with browsed(await publisher.connection(), topology.rejected_queue, lambda _: None):
            raise KeyboardInterrupt
    await amqp.depth_becomes(amqp_url, topology.rejected_queue, 10)


async def test_an_event_of_upstream_goes_by_the_exchange(
    publisher: Publisher, topology: Topology, amqp_url: str
) -> None:
    """And not into the rejected ones."""
    await amqp.publish(amqp_url, topology.exchange, EVENT_TYPE, b"1")
    await publisher.publish_event(b"2", "evt_2")
    await amqp.depth_becomes(amqp_url, topology.events_queue, 2)
    assert await amqp.depth(amqp_url, topology.rejected_queue) == 0
