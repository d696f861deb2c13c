"""A worker killed with SIGKILL loses nothing."""

from collections import Counter

from tests.harness.servers.answer import Answer
from tests.harness.servers.receiver import Receiver
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

EVENTS = 1000


async def test_a_worker_killed_with_1000_events_in_flight_loses_none(
    installation: Installation,
) -> None:
    """After the restart all three platforms hear all; twice only what was in flight at the kill."""
    users = [f"user{n}@example.com" for n in range(EVENTS)]
    events = [disconnect(f"evt_{n}", user, google_id=None) for n, user in enumerate(users)]
    slow = Answer(delay=0.02)
    async with Receiver(slow) as boardy, Receiver(slow) as calcom, Receiver(slow) as luma:
        receivers = {"boardy": boardy, "calcom": calcom, "luma": luma}
        for one, at in receivers.items():
            await installation.register(one, at)
        await installation.link(users, *receivers)
        worker = installation.worker()
        try:
            await worker.start()
            await installation.publish(*events)
            await boardy.received(200, within=60)
            await worker.sigkill()
            before = await installation.ask("deliveries", "list", "--limit", "100000")
            recorded = {one["delivery_id"] for one in before if one["state"] == "delivered"}
            assert 0 < len(recorded) < 3 * EVENTS, "the kill came too early or too late to matter"

            await worker.start()
            await installation.settled("delivered", 3 * EVENTS, within=90)
            await installation.depth_becomes("events", 0)
        finally:
            await worker.close()
    for receiver in receivers.values():
        told = Counter(request.webhook_id for request in receiver.requests)
        assert len(told) == EVENTS
        again = {one for one, count in told.items() if count > 1}
        assert not again & recorded, "what was recorded before the kill was sent again"
        assert max(told.values()) <= 2
        assert len(again) <= 32, "more was sent twice than can have been in flight"
