"""The same event again: not one request more."""

from tests.harness.servers.receiver import Receiver
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation


async def test_an_event_published_twice_is_told_once_also_while_a_retry_waits(
    any_installation: Installation,
) -> None:
    """Copies before, during and after the deliveries add no request and no delivery."""
    installation = any_installation
    event = disconnect("evt_1")
    async with Receiver() as boardy, Receiver([500, 200]) as luma:
        await installation.register("boardy", boardy)
        await installation.register("luma", luma)
        await installation.link("alice@example.com", "boardy", "luma")
        async with installation.worker(FANOUT_RETRY_SCHEDULE="2s") as worker:
            await installation.publish(event, event)
            await luma.received(1)
            await boardy.received(1)
            await installation.publish(event, event)  # while luma waits for its retry
            await worker.metric_becomes("fanout_events_total", 3, outcome="duplicate")
            await luma.received(2)
            await installation.settled("delivered", 2)
            await installation.publish(event)  # after all is told
            await worker.metric_becomes("fanout_events_total", 4, outcome="duplicate")
            await installation.depth_becomes("events", 0)
    assert len(boardy.requests) == 1
    assert len(luma.requests) == 2


async def test_two_workers_and_every_event_twice_is_each_delivery_once(
    postgres_installation: Installation,
) -> None:
    """500 events published twice to two workers on PostgreSQL: 1,500 deliveries, 1,500 requests."""
    installation = postgres_installation
    events = [disconnect(f"evt_{n}", f"user{n}@example.com", google_id=None) for n in range(500)]
    async with Receiver() as boardy, Receiver() as calcom, Receiver() as luma:
        receivers = {"boardy": boardy, "calcom": calcom, "luma": luma}
        for one, at in receivers.items():
            await installation.register(one, at)
        users = [f"user{n}@example.com" for n in range(500)]
        await installation.link(users, *receivers)
        async with installation.worker("first") as first, installation.worker("other") as other:
            await installation.publish(*events, *events)
            for receiver in receivers.values():
                await receiver.received(500, within=60)
            found = await installation.settled("delivered", 1500, within=60)
            await installation.depth_becomes("events", 0)
            shares = [
                (await each.metrics()).value("fanout_delivery_attempts_total")
                for each in (first, other)
            ]
    assert [len(receiver.requests) for receiver in receivers.values()] == [500, 500, 500]
    assert {one["state"] for one in found} == {"delivered"}
    assert len(found) == sum(shares) == 1500
    assert min(shares) > 0
