"""Retries, the dead letter, and its replay."""

from collections import Counter

from tests.harness.servers import amqp
from tests.harness.servers.answer import Answer
from tests.harness.servers.receiver import Receiver
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation


async def test_a_platform_that_fails_twice_is_told_on_the_third_attempt(
    installation: Installation,
) -> None:
    """500, 500, 200 is three attempts with one webhook-id; the other platforms hear once."""
    async with Receiver() as boardy, Receiver() as calcom, Receiver([500, 500, 200]) as luma:
        for one, at in {"boardy": boardy, "calcom": calcom, "luma": luma}.items():
            await installation.register(one, at)
        await installation.link("alice@example.com", "boardy", "calcom", "luma")
        async with installation.worker():
            await installation.publish(disconnect("evt_1"))
            attempts = await luma.received(3)
            await installation.settled("delivered", 3)
    assert [one.headers["fanout-attempt"] for one in attempts] == ["1", "2", "3"]
    assert len({one.webhook_id for one in attempts}) == 1
    assert len({one.body for one in attempts}) == 1
    assert len(boardy.requests) == len(calcom.requests) == 1


async def test_a_platform_that_always_fails_ends_as_one_dead_letter_and_is_replayed(
    any_installation: Installation,
) -> None:
    """Exhausted is one row and one message; a replay delivers under the same id."""
    installation = any_installation
    async with Receiver(503) as luma:
        secret = await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        async with installation.worker(FANOUT_RETRY_SCHEDULE="200ms,200ms") as worker:
            await installation.publish(disconnect("evt_1"))
            await luma.received(3)
            await installation.depth_becomes("dead", 1)
            await installation.settled("dead", 1)
            (letter,) = await installation.ask("dlq", "list")
            (message,) = await amqp.browse(installation.vhost.url, installation.vhost.queue("dead"))
            assert letter["reason"] == "exhausted"
            assert letter["attempts"] == 3
            assert letter["last_status"] == 503
            assert letter["delivery_id"] == luma.requests[0].webhook_id == message.message_id
            assert b"alice" not in message.body

            luma.script = 200
            job = await installation.ask("dlq", "replay", letter["delivery_id"], "--yes")
            assert (job["selected"], job["delivered"], job["failed"]) == (1, 1, 0)
            replayed = (await luma.received(4))[3]
            assert replayed.webhook_id == letter["delivery_id"]
            assert replayed.headers["fanout-replay"] == "true"
            assert replayed.headers["fanout-attempt"] == "4"
            replayed.verify(secret)
            await installation.depth_becomes("dead", 0)
            assert await installation.ask("dlq", "list") == []
            metrics = await worker.metrics()
            assert metrics.value("fanout_dead_letters_total", reason="exhausted") == 1


async def test_retry_after_lengthens_the_wait_and_other_answers_do_not(
    installation: Installation,
) -> None:
    """A 503 with Retry-After: 3 is not asked again before three seconds have passed."""
    script: list[int | Answer] = [Answer(status=503, headers={"Retry-After": "3"}), 200]
    async with Receiver(script) as luma:
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        async with installation.worker():
            await installation.publish(disconnect("evt_1"))
            first, second = await luma.received(2)
    assert second.at - first.at >= 2.9


async def test_gone_disables_the_platform_and_what_follows_is_never_silence(
    installation: Installation,
) -> None:
    """A 410 is one dead letter `gone`; the next event is a dead letter `endpoint_disabled`."""
    async with Receiver(410) as luma:
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        async with installation.worker():
            await installation.publish(disconnect("evt_1"))
            await installation.settled("dead", 1)
            await installation.publish(disconnect("evt_2"))
            await installation.settled("dead", 2)
            await installation.depth_becomes("dead", 2)
        letters = await installation.ask("dlq", "list")
        platform = await installation.ask("platforms", "show", "plat_luma")
    assert {one["event_id"]: one["reason"] for one in letters} == {
        "evt_1": "gone",
        "evt_2": "endpoint_disabled",
    }
    assert len(luma.requests) == 1
    assert platform["state"] == "disabled"
    assert platform["disabled_reason"] == "gone"


async def test_a_forbidden_address_is_blocked_without_a_connection(
    installation: Installation,
) -> None:
    """What may not be reached is a dead letter `blocked` at once, and nobody is asked."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        async with installation.worker(FANOUT_ALLOW_NETWORKS=""):
            await installation.publish(disconnect("evt_1"))
            await installation.settled("dead", 1)
        (letter,) = await installation.ask("dlq", "list")
    assert letter["reason"] == "blocked"
    assert luma.requests == []


async def test_an_unknown_explicit_recipient_is_a_dead_letter(installation: Installation) -> None:
    """An explicit list overrides the directory; who is unknown in it is a dead letter."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        async with installation.worker():
            await installation.publish(disconnect("evt_1", platform_ids=["plat_luma", "nobody"]))
            await luma.received(1)
            found = await installation.settled("dead", 1)
            await installation.depth_becomes("dead", 1)
        (letter,) = await installation.ask("dlq", "list")
    assert letter["reason"] == "unknown_platform"
    assert letter["platform_id"] == "nobody"
    assert Counter(one["state"] for one in found) == {"dead": 1, "delivered": 1}
