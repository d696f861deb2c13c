"""One broken platform must never delay another."""

import time

from tests.harness.answer import HANG
from tests.harness.disconnect import disconnect
from tests.harness.installation import Installation
from tests.harness.receiver import Receiver

EVENTS = 500


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
