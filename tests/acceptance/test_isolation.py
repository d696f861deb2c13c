"""One broken platform must never delay another."""

import time

from tests.harness.servers.answer import HANG
from tests.harness.servers.receiver import Receiver
from tests.harness.store.outage import lasts
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

EVENTS = 500
REST_S = 5.0


async def test_a_platform_that_never_answers_delays_nobody(any_installation: Installation) -> None:
    """500 events: the queue is empty and the healthy platforms told within seconds."""
    installation = any_installation
    users = [f"user{n}@example.com" for n in range(EVENTS)]
    events = [disconnect(f"evt_{n}", user, google_id=None) for n, user in enumerate(users)]
    async with Receiver(HANG) as hung, Receiver() as boardy, Receiver() as luma:
        for one, at in {"hung": hung, "boardy": boardy, "luma": luma}.items():
            await installation.register(one, at)
        await installation.link(users, "hung", "boardy", "luma")
        worker = installation.worker(FANOUT_DRAIN_TIMEOUT="1s")
        try:
            await worker.start()
            began = time.monotonic()
            await installation.publish(*events)
            await boardy.received(EVENTS, within=30)
            await luma.received(EVENTS, within=30)
            await installation.depth_becomes("events", 0)
            took = time.monotonic() - began
            await installation.settled("delivered", 2 * EVENTS)
        finally:
            await worker.close()
    assert took < 15, f"it took {took:.1f} s"
    assert len(boardy.requests) == len(luma.requests) == EVENTS
    assert len(hung.requests) <= 32, "the hung platform holds no more than its cap"


async def test_what_waits_and_why_is_visible(any_installation: Installation) -> None:
    """A platform that only holds slots: its breaker and its waiting deliveries, in both places.

    A worker that has nothing to do but wait for them does next to nothing, and when the platform
    answers again the breaker closes and all are told.
    """
    installation = any_installation
    users = [f"user{n}@example.com" for n in range(EVENTS)]
    events = [disconnect(f"evt_{n}", user, google_id=None) for n, user in enumerate(users)]
    async with Receiver(HANG) as hung:
        await installation.register("hung", hung, "--timeout", "1s", "--max-in-flight", "8")
        await installation.link(users, "hung")
        async with installation.worker(FANOUT_RETRY_SCHEDULE="1h,2h") as worker:
            await installation.publish(*events)
            await worker.metric_becomes("fanout_breaker_open", 1, platform="hung")
            await installation.depth_becomes("events", 0, within=30)
            await worker.metric_becomes("fanout_deliveries_waiting", EVENTS, platform="hung")
            (listed,) = await installation.ask("platforms", "list")
            assert (listed["open_breakers"], listed["pending"]) == (1, EVENTS)
            before = worker.cpu_s
            await lasts(REST_S)
            share = (worker.cpu_s - before) / REST_S
            assert share < 0.2, f"a waiting worker takes {share:.0%} of a core"
            hung.script = 200
            hung.release()
            await installation.settled("delivered", EVENTS, within=60)
            await worker.metric_becomes("fanout_ready", 1)
            assert (await worker.metrics()).value("fanout_breaker_open", platform="hung") == 0
    assert {one.headers["fanout-attempt"] for one in hung.requests} <= {"1", "2"}
