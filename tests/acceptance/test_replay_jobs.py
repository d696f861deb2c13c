"""Replays as jobs: their rate, their survival, their brakes."""

import signal
import time
from collections import Counter

import pytest
from tests.harness.servers.answer import Answer
from tests.harness.servers.receiver import Receiver
from tests.harness.store.outage import lasts
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation
from tests.harness.worker.replay_scene import (
    command,
    dead_letters,
    job_becomes,
    job_named,
    rate_seen,
    replay_killed_everywhere,
    told,
)

LUMA = "plat_luma"
ACTS_WITHIN_S = 5.0


async def test_a_rate_is_a_rate_with_two_workers(postgres_installation: Installation) -> None:
    """20/s is what the receiver counts, within a tenth, although two workers send."""
    installation = postgres_installation
    async with Receiver() as luma:
        await installation.register(LUMA, luma)
        await dead_letters(installation, 500)
        async with installation.worker("first"), installation.worker("second"):
            seen = await rate_seen(installation, luma, 20, window_s=15)
    assert seen == pytest.approx(20, rel=0.1)
    assert max(Counter(one.webhook_id for one in luma.requests).values()) == 1


async def test_a_replay_survives_the_death_of_everybody(any_installation: Installation) -> None:
    """Command and worker killed in the middle, the worker twice: each delivery is received.

    Twice only what was in flight at a kill.
    """
    installation = any_installation
    async with Receiver(Answer(delay=0.01)) as luma:
        await installation.register(LUMA, luma, "--timeout", "1s")
        await dead_letters(installation, 2000)
        async with installation.worker() as worker:
            await installation.depth_becomes("dead", 2000, within=30)
            await replay_killed_everywhere(installation, luma, worker, 2000)


async def test_a_paused_job_holds_a_resumed_one_continues_a_cancelled_one_ends(
    any_installation: Installation,
) -> None:
    """Each acts on a running worker within 5 s; what was not sent is a dead letter afterwards."""
    installation = any_installation
    async with Receiver() as luma:
        await installation.register(LUMA, luma)
        await dead_letters(installation, 400)
        async with installation.worker():
            how = ("--all", "--yes", "--detach", "--rate", "40/s")
            job = (await installation.ask("dlq", "replay", *how))["job"]
            await luma.received(20)
            assert (await installation.ask("replays", "pause", job))["state"] == "paused"
            at = time.monotonic()
            await lasts(ACTS_WITHIN_S + 1)
            assert max(one.at for one in luma.requests) - at < ACTS_WITHIN_S
            held = len(luma.requests)
            await luma.stays_at(held, during=1)
            assert (await installation.ask("replays", "resume", job))["state"] == "running"
            resumed_at = time.monotonic()
            after = await luma.received(held + 80)
            burst = [one for one in after[held:] if one.at - resumed_at < 1]
            assert len(burst) <= 60, "the pause was made up for"
            assert (await installation.ask("replays", "cancel", job))["state"] == "cancelled"
            at = time.monotonic()
            await lasts(ACTS_WITHIN_S + 1)
            sent = len(luma.requests)
            assert max(one.at for one in luma.requests) - at < ACTS_WITHIN_S
            report = await installation.ask("replays", "show", job)
            assert (report["state"], report["delivered"]) == ("cancelled", sent)
            assert report["pending"] == 400 - sent
            await installation.depth_becomes("dead", 400 - sent)
            letters = await installation.ask("dlq", "list", "--limit", "1000")
            assert len(letters) == 400 - sent
            assert {one["reason"] for one in letters} == {"exhausted"}
            await installation.ask("dlq", "replay", "--all", "--yes")
    assert len(luma.requests) == 400
    assert len({one.webhook_id for one in luma.requests}) == 400


async def test_ctrl_c_leaves_the_job_to_the_workers(installation: Installation) -> None:
    """Exit code 130, how to look and how to hold it, and the job is done without the command."""
    async with Receiver() as luma:
        await installation.register(LUMA, luma)
        await dead_letters(installation, 40)
        async with installation.worker():
            how = ("--all", "--yes", "--rate", "10/s")
            async with command(installation, "dlq", "replay", *how) as replay:
                job = await job_named(replay)
                await luma.received(3)
                replay.send_signal(signal.SIGINT)
                out, said = await replay.communicate()
            assert (replay.returncode, out) == (130, b"")
            assert f"fanout replays show {job}" in said.decode()
            assert f"fanout replays pause {job}" in said.decode()
            assert (await job_becomes(installation, job, "done"))["delivered"] == 40
    assert len(luma.requests) == 40


async def test_what_fails_again_is_a_dead_letter_with_its_count_of_replays(
    any_installation: Installation,
) -> None:
    """Exit code 1; the depth of the queue follows down and up and down again."""
    installation = any_installation
    async with Receiver(500) as luma:
        await installation.register(LUMA, luma)
        names = await dead_letters(installation, 5)
        async with installation.worker(FANOUT_RETRY_SCHEDULE="3s"):
            await installation.depth_becomes("dead", 5)
            async with command(
                installation, "dlq", "replay", *names[:3], "--yes", "-o", "json"
            ) as replay:
                await luma.received(3)
                job = await job_named(replay)
                out, _ = await replay.communicate()
            assert replay.returncode == 1
            assert b'"failed": 3' in out
            await installation.depth_becomes("dead", 5, within=10)
            letters = await installation.ask("dlq", "list")
            replays = {one["delivery_id"]: one["replays"] for one in letters}
            assert replays == dict.fromkeys(names, 0) | dict.fromkeys(names[:3], 1)
            assert Counter(one["attempts"] for one in letters) == {0: 2, 2: 3}
            luma.script = 200
            done = await installation.ask("dlq", "replay", "--all", "--yes")
            assert (done["delivered"], done["failed"]) == (5, 0)
            await installation.depth_becomes("dead", 0, within=10)
            jobs = [one["job"] for one in await installation.ask("replays", "list")]
            assert jobs == [done["job"], job]


async def test_what_was_delivered_can_be_sent_again(any_installation: Installation) -> None:
    """A platform that lost its data hears all of it; nothing of that makes a dead letter."""
    installation = any_installation
    users = [f"user{n}@example.com" for n in range(20)]
    events = [disconnect(f"evt_{n}", user, google_id=None) for n, user in enumerate(users)]
    async with Receiver() as luma:
        await installation.register(LUMA, luma)
        await installation.link(users, LUMA)
        async with installation.worker(FANOUT_RETRY_SCHEDULE="200ms") as worker:
            await installation.publish(*events)
            await installation.settled("delivered", 20)
            done = await installation.ask("deliveries", "replay", "--platform", LUMA, "--yes")
            assert (done["selected"], done["delivered"], done["failed"]) == (20, 20, 0)
            again = luma.requests[20:]
            assert {one.webhook_id for one in again} == {one.webhook_id for one in luma.requests}
            assert {one.headers["fanout-replay"] for one in again} == {"true"}
            assert {one.headers["fanout-attempt"] for one in again} == {"2"}

            luma.script = 500
            result = await installation.fanout(
                "deliveries", "replay", luma.requests[0].webhook_id, "--yes"
            )
            assert result.exit_code == 1
            assert len(luma.requests) == 42
            found = await installation.settled("delivered", 20)
            assert len(found) == 20
            assert await installation.ask("dlq", "list") == []
            metrics = await worker.metrics()
            assert metrics.value("fanout_deliveries_total", outcome="delivered") == 20
            assert metrics.value("fanout_deliveries_total", outcome="dead") == 0
            await installation.depth_becomes("dead", 0)


async def test_a_platform_that_is_back_is_told_within_seconds(
    any_installation: Installation,
) -> None:
    """It answered 500 for a while, so no breaker knew: what waits does not wait for its turn."""
    installation = any_installation
    users = [f"user{n}@example.com" for n in range(101)]
    events = [disconnect(f"evt_{n}", user, google_id=None) for n, user in enumerate(users)]
    async with Receiver(500) as luma:
        await installation.register(LUMA, luma)
        await installation.link(users, LUMA)
        async with installation.worker(FANOUT_RETRY_SCHEDULE="1h,2h"):
            await installation.publish(*events[:100])
            await luma.received(100)
            luma.script = 200
            await installation.publish(events[100])
            await luma.received(201, within=10)
            await installation.settled("delivered", 101)
    assert max(Counter(one.webhook_id for one in luma.requests).values()) == 2


async def test_a_paused_platform_is_asked_nothing_and_then_everything(
    any_installation: Installation,
) -> None:
    """Held without attempts; resumed it hears at once, first attempts and retries alike."""
    installation = any_installation
    users = [f"user{n}@example.com" for n in range(30)]
    events = [disconnect(f"evt_{n}", user, google_id=None) for n, user in enumerate(users)]
    async with Receiver(500) as luma:
        await installation.register(LUMA, luma)
        await installation.link(users, LUMA)
        async with installation.worker(FANOUT_RETRY_SCHEDULE="1h,2h"):
            await installation.publish(*events[:10])
            await luma.received(10)
            assert (await installation.ask("platforms", "pause", LUMA))["state"] == "paused"
            await lasts(ACTS_WITHIN_S)
            await installation.publish(*events[10:])
            await installation.depth_becomes("events", 0)
            await luma.stays_at(10, during=2)
            luma.script = 200
            await installation.ask("platforms", "resume", LUMA)
            await luma.received(40, within=10)
            await installation.settled("delivered", 30)
    attempts = Counter(one.headers["fanout-attempt"] for one in luma.requests)
    assert attempts == {"1": 30, "2": 10}


async def test_a_job_tells_how_far_it_has_come(installation: Installation) -> None:
    """While it runs as when it is done; an unknown one is named, with exit code 5."""
    async with Receiver() as luma:
        await installation.register(LUMA, luma)
        await dead_letters(installation, 30)
        async with installation.worker():
            how = ("--all", "--yes", "--detach", "--rate", "10/s")
            started = await installation.ask("dlq", "replay", *how)
            assert (started["state"], started["selected"]) == ("running", 30)
            await luma.received(5)
            assert 0 < await told(installation, started["job"]) < 30
            done = await job_becomes(installation, started["job"], "done")
            assert list(done) == [
                "job", "state", "selected", "reconnected", "delivered", "failed", "pending",
            ]  # fmt: skip
            assert (done["delivered"], done["pending"]) == (30, 0)
        for verb in ("show", "pause", "resume", "cancel"):
            unknown = await installation.fanout("replays", verb, "nosuchjob")
            assert unknown.exit_code == 5
            assert "nosuchjob" in unknown.stderr
        too_late = await installation.fanout("replays", "pause", started["job"])
        assert too_late.exit_code == 2
        assert "done" in too_late.stderr
