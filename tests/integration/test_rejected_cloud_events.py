"""Rejected CloudEvents: their attributes are headers, and kept, so that a replay is that event."""

import pytest
from tests.harness.flow.unprocessable import AT, MALFORMED, Message
from tests.harness.servers import amqp
from tests.harness.worker.disconnect import body, disconnect

from disconnect_fanout.adapters.broker.codec import decode_event
from disconnect_fanout.adapters.broker.rejected_queue import AmqpRejectBox, RejectedQueue
from disconnect_fanout.adapters.broker.topology import Topology
from disconnect_fanout.domain.event import EVENT_TYPE, DisconnectEvent

SMALL: dict[str, object] = {f"ce-x{n}": "y" for n in range(60)}
BULKY: dict[str, object] = {f"ce-x{n}": "y" * 1024 for n in range(200)}


async def test_cloud_events_of_one_body_are_several(
    box: AmqpRejectBox, rejected: RejectedQueue
) -> None:
    """Their attributes tell them apart: a discard takes none that was not named."""
    for name in ("evt_1", "evt_2", "evt_1"):
        await box.put(Message(b"{}", None, {"ce-id": name, "ce-specversion": "2.0"}), MALFORMED)
    ids = [one.id for one in await rejected.list(10)]
    assert len(set(ids)) == 2
    assert await rejected.discard([ids[0]]) == 2
    assert await rejected.replay([ids[1]]) == 1


async def test_a_cloud_event_with_a_time_of_amqp_survives_rejection_and_replay(
    box: AmqpRejectBox, rejected: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """AMQP has a type for instants and one for bytes; what they say is kept, as text."""
    data = disconnect("evt_1")["data"]
    headers: dict[str, object] = {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": b"evt_1",
        "cloudEvents:type": EVENT_TYPE,
        "cloudEvents:time": AT,
    }
    await box.put(Message(body(data), None, headers), MALFORMED)
    assert await rejected.replay(None) == 1
    (again,) = await amqp.browse(amqp_url, topology.events_queue)
    event = decode_event(again.body, again.content_type, again.headers)
    assert isinstance(event, DisconnectEvent)
    assert (event.id, event.timestamp) == ("evt_1", AT)


@pytest.mark.parametrize("attached", [SMALL, BULKY], ids=["60", "bulky"])
async def test_a_cloud_event_with_many_extensions_survives_rejection_and_replay(
    box: AmqpRejectBox,
    rejected: RejectedQueue,
    topology: Topology,
    amqp_url: str,
    attached: dict[str, object],
) -> None:
    """What an event is read from is kept first, wherever it stands; the fifty-first header too."""
    headers = attached | {"ce-specversion": "1.0", "ce-id": "evt_1", "ce-type": EVENT_TYPE}
    headers["ce-time"] = AT.isoformat()
    await box.put(Message(body(disconnect("evt_1")["data"]), None, headers), MALFORMED)
    assert await rejected.replay(None) == 1
    (again,) = await amqp.browse(amqp_url, topology.events_queue)
    event = decode_event(again.body, again.content_type, again.headers)
    assert isinstance(event, DisconnectEvent)
    kept = {one for one in again.headers if one.startswith("ce-")}
    assert len(kept) == (64 if len(attached) == 60 else 4 + 62)


async def test_many_large_headers_do_not_end_the_connection(
    box: AmqpRejectBox, rejected: RejectedQueue
) -> None:
    """128 KiB of them would; what is too much of what upstream attached is left out."""
    attached: dict[str, object] = {f"ce-{n}": "é" * 500 for n in range(200)}
    attached["ce-huge"] = "x" * 100_000
    await box.put(Message(b"1", None, attached), MALFORMED)
    assert [one.size for one in await rejected.list(10)] == [1]
