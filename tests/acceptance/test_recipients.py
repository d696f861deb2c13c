"""Who is told: the platforms linked at the instant of the disconnect."""

from tests.harness.servers.receiver import Receiver
from tests.harness.worker.disconnect import EXAMPLE_AT, disconnect
from tests.harness.worker.installation import Installation


async def test_a_link_ended_in_the_same_second_is_told_and_one_made_later_is_not(
    any_installation: Installation,
) -> None:
    """Both ends count in whole seconds; what begins after the disconnect does not."""
    installation = any_installation
    async with Receiver() as ended, Receiver() as later, Receiver() as same:
        for one, at in {"ended": ended, "later": later, "same": same}.items():
            await installation.register(one, at)
        link = ("links", "add", "--email", "alice@example.com", "--platform")
        await installation.ask(*link, "ended", "--at", "2025-11-01T00:00:00Z")
        end = ("links", "end", "--email", "alice@example.com", "--platform", "ended")
        await installation.ask(*end, "--at", EXAMPLE_AT)
        await installation.ask(*link, "later", "--at", "2025-11-21T15:45:01Z")
        await installation.ask(*link, "same", "--at", EXAMPLE_AT)
        async with installation.worker():
            await installation.publish(disconnect("evt_1"))
            await installation.settled("delivered", 2)
    assert [len(one.requests) for one in (ended, later, same)] == [1, 0, 1]


async def test_an_event_for_nobody_is_visible_and_can_be_resolved_later(
    any_installation: Installation,
) -> None:
    """No recipient is no silence: it is listed, and told once its link has been recorded."""
    installation = any_installation
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        async with installation.worker() as worker:
            await installation.publish(disconnect("evt_1"))
            await worker.metric_becomes("fanout_events_total", 1, outcome="no_recipients")
            await installation.depth_becomes("events", 0)
            (event,) = await installation.ask("events", "list", "--outcome", "no_recipients")
            assert "alice@example.com" not in worker.stderr
            await installation.link("alice@example.com", "plat_luma")
            await installation.ask("events", "resolve", "evt_1")
            await luma.received(1)
            await installation.settled("delivered", 1)
        assert await installation.ask("events", "list", "--outcome", "no_recipients") == []
    assert luma.requests[0].json()["data"]["user_email"] == "alice@example.com"
    assert str(event).find("evt_1") >= 0


async def test_a_link_with_a_provider_matches_only_events_of_that_provider(
    installation: Installation,
) -> None:
    """An apple link is not told of a google disconnect; a link without one always is."""
    async with Receiver() as apple, Receiver() as every:
        await installation.register("apple", apple)
        await installation.register("every", every)
        add = ("links", "add", "--email", "alice@example.com", "--at", "2025-01-01T00:00:00Z")
        await installation.ask(*add, "--platform", "apple", "--provider", "apple")
        await installation.ask(*add, "--platform", "every")
        async with installation.worker():
            await installation.publish(disconnect("evt_1"))
            await installation.settled("delivered", 1)
            await installation.publish(disconnect("evt_2", provider="apple", google_id=None))
            await installation.settled("delivered", 3)
    assert [one.json()["data"].get("provider") for one in apple.requests] == ["apple"]
    assert len(every.requests) == 2


async def test_nothing_is_consumed_while_no_platform_is_registered(
    installation: Installation,
) -> None:
    """An event waits in the queue, readiness says why, and the first platform is told."""
    worker = installation.worker()
    try:
        await worker.start(ready_within=None)
        await installation.publish(disconnect("evt_1", platform_ids=["plat_luma"]))
        while (answer := await worker.readyz())[0] == 0 or "starting" in answer[1]:
            pass
        assert answer[0] == 503
        assert "no platform is registered" in answer[1]
        assert await installation.depth("events") == 1
        async with Receiver() as luma:
            await installation.register("plat_luma", luma)
            await luma.received(1)
            await worker.ready()
    finally:
        await worker.close()
