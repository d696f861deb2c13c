"""Leaving: a drain gives nothing up, and a second signal does not wait."""

from tests.harness.servers.answer import HANG, Answer
from tests.harness.servers.receiver import Receiver
from tests.harness.store.outage import lasts
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation


async def test_sigterm_finishes_what_is_in_hand_and_burns_no_attempt(
    installation: Installation,
) -> None:
    """Every event is told exactly once although the worker is replaced in the middle."""
    users = [f"user{n}@example.com" for n in range(300)]
    events = [disconnect(f"evt_{n}", user, google_id=None) for n, user in enumerate(users)]
    async with Receiver(Answer(delay=0.02)) as luma:
        await installation.register("plat_luma", luma)
        await installation.link(users, "plat_luma")
        worker = installation.worker()
        try:
            await worker.start()
            await installation.publish(*events)
            await luma.received(50)
            worker.sigterm()
            assert await worker.wait() == 0
            told_by_the_first = len(luma.requests)
            await worker.start()
            await installation.settled("delivered", 300)
        finally:
            await worker.close()
    assert told_by_the_first < 300, "the signal came too late to matter"
    assert len(luma.requests) == 300
    assert {one.headers["fanout-attempt"] for one in luma.requests} == {"1"}


async def test_a_second_signal_leaves_at_once(installation: Installation) -> None:
    """While a drain waits for a hung platform, a second SIGTERM ends the worker: exit code 130."""
    async with Receiver(HANG) as luma:
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        worker = installation.worker()
        try:
            await worker.start()
            await installation.publish(disconnect("evt_1"))
            await luma.received(1)
            worker.sigterm()
            while "drain.began" not in worker.stderr:
                await worker.readyz()
            worker.sigterm()
            assert await worker.wait(within=5) == 130
        finally:
            await worker.close()


async def test_a_second_worker_on_sqlite_is_refused_until_the_first_has_crashed(
    installation: Installation,
) -> None:
    """One `fanout run` at a time, by a lock that a crash releases."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        first, second = installation.worker("first"), installation.worker("second")
        try:
            await first.start()
            await second.start(ready_within=None)
            assert await second.wait(within=20) == 3
            assert "SQLite serves one worker" in second.stderr
            await first.sigkill()
            await second.start()
        finally:
            await first.close()
            await second.close()


async def test_sigterm_while_it_attaches_ends_it_too(installation: Installation) -> None:
    """Whenever it comes between the first answer to a probe and the first event: exit code 0.

    A cancellation that meets our broker's client while it connects may be swallowed there (measured
    on Python 3.11); a worker that waited for it was alive, ready and deaf to every signal.
    """
    await installation.register("plat_luma", "https://luma.example/hook")
    worker = installation.worker()
    try:
        for number in range(12):
            await worker.start(ready_within=None)
            while (await worker.readyz())[0] == 0:
                await lasts(0.005)
            await lasts(number * 0.03)
            worker.sigterm()
            assert await worker.wait(within=20) == 0
    finally:
        await worker.close()
