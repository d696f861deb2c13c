"""Dead letters in any number, replays by the real command, and what the receiver makes of it."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.harness.servers.receiver import Receiver
from tests.harness.store.examples import event, intent, planned
from tests.harness.store.outage import lasts
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.command import FANOUT, environment
from tests.harness.worker.installation import Installation
from tests.harness.worker.process import WorkerProcess

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.seals.event_seals import load_seals
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.policy.change import LetterConfirmed

_PORTION = 500
_LOOK_EVERY_S = 0.2


@asynccontextmanager
async def world_of(installation: Installation) -> AsyncIterator[SqlWorld]:
    """Open an installation's database behind its back."""
    url = installation.settings["FANOUT_DATABASE_URL"]
    vault = Vault([installation.settings["FANOUT_SECRET_KEY"]])
    database = Database(url)
    try:
        world = SqlWorld(url, vault, await load_seals(database, vault))
    finally:
        await database.close()
    try:
        yield world
    finally:
        await world.close()


async def dead_letters(
    installation: Installation, count: int, platform_id: str = "plat_luma"
) -> list[str]:
    """Write so many dead letters down, as a platform that failed long ago leaves them."""
    names: list[str] = []
    async with world_of(installation) as world:
        for start in range(0, count, _PORTION):
            events = [
                event(email=f"user{n}@example.com", google_id=None)
                for n in range(start, min(start + _PORTION, count))
            ]
            plans = [planned(one, platform_id, dead=DeadReason.EXHAUSTED) for one in events]
            await world.worker.events.register(
                [intent(one, plan) for one, plan in zip(events, plans, strict=True)]
            )
            confirmed = [LetterConfirmed(plan.id, replays=0) for plan in plans]
            await world.worker.ledger.commit(confirmed)
            names += [plan.id for plan in plans]
    return names


@asynccontextmanager
async def command(
    installation: Installation, *args: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command beside the test, without a terminal; kill what is left of it."""
    process = await asyncio.create_subprocess_exec(
        FANOUT,
        *args,
        env=environment(installation.settings),
        cwd=installation.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def job_named(process: asyncio.subprocess.Process) -> str:
    """Wait until a command has said which job it follows."""
    assert process.stderr is not None
    while line := (await process.stderr.readline()).decode():
        if match := re.match(r"job (\w+);", line):
            return match[1]
    raise AssertionError("the command ended without naming a job")


async def job_becomes(
    installation: Installation, job: str, state: str, *, within: float = 60.0
) -> dict[str, Any]:
    """Wait until a job is in that state; return what `replays show` says of it."""
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(within):
            # The command line is how an operator knows; it can't be awaited, only asked.
            while found.get("state") != state:
                await asyncio.sleep(_LOOK_EVERY_S)
                found = await installation.ask("replays", "show", job)
    except TimeoutError:
        raise AssertionError(f"not {state} within {within:g} s: {found}") from None
    return found


async def rate_seen(
    installation: Installation, receiver: Receiver, per_s: int, window_s: float
) -> float:
    """Replay everything at that rate; return how many a second came, by the receiver's count.

    The second before the window is left out: a start is no rate.
    """
    await installation.ask("dlq", "replay", "--all", "--yes", "--detach", "--rate", f"{per_s}/s")
    enough = round(per_s * (window_s + 1) * 1.2)
    with_room = window_s * 1.5 + 20
    requests = await receiver.received(enough, within=with_room)
    begin = requests[0].at + 1
    return sum(begin <= one.at < begin + window_s for one in requests) / window_s


async def replay_killed_everywhere(
    installation: Installation, receiver: Receiver, worker: WorkerProcess, count: int
) -> None:
    """Kill the command once and the worker twice in the middle of a replay of everything.

    Claims that each delivery was received, and twice only what was in flight at a kill.
    """
    unacknowledged = 0
    async with command(installation, "dlq", "replay", "--all", "--yes") as replay:
        job = await job_named(replay)
        await receiver.received(count // 10, within=120)
        replay.kill()
        await replay.wait()
    for share in (0.3, 0.6):
        await receiver.received(round(share * count), within=count / 100 + 60)
        await worker.sigkill()
        await _silence(receiver)  # what a dead worker had sent may still be on its way here
        recorded = await told(installation, job)
        came = {one.webhook_id for one in receiver.requests}
        unacknowledged += len(came) - recorded
        await worker.start(ready_within=60)
    done = await job_becomes(installation, job, "done", within=count / 100 + 120)
    settled_at = time.monotonic()
    assert (done["selected"], done["delivered"], done["failed"]) == (count, count, 0)
    times = Counter(one.webhook_id for one in receiver.requests)
    assert len(times) == count
    again = sum(times.values()) - count
    words = f"{again} came again, and {unacknowledged} were not recorded at the kills"
    assert again <= unacknowledged, words
    assert unacknowledged <= 2 * int(installation.settings.get("FANOUT_MAX_IN_FLIGHT", "256"))
    await installation.depth_becomes("dead", 0, within=10 - (time.monotonic() - settled_at))


async def _silence(receiver: Receiver) -> None:
    """Return when nothing has come for half a second."""
    before = -1
    while before != len(receiver.requests):
        before = len(receiver.requests)
        await lasts(0.5)


async def told(installation: Installation, job: str) -> int:
    """Return how many deliveries of a job are recorded as delivered."""
    return int((await installation.ask("replays", "show", job))["delivered"])


async def told_more_than(count: int, installation: Installation, job: str) -> None:
    """Wait until more of a job than that is recorded as delivered."""
    async with asyncio.timeout(60):
        # As above: nobody tells of it. Each look takes a command's time, so no pause is needed.
        while await told(installation, job) <= count:
            pass
