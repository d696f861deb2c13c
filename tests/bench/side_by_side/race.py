"""One run of one contestant: a backlog, taken from the queue and notified to the last platform."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from tests.bench.side_by_side.contestant import Contestant, Event
from tests.bench.side_by_side.process_tree import Usage, family
from tests.bench.side_by_side.receiving import Receiving
from tests.harness.servers import amqp

_READY_WITHIN_S = 60.0
_STOPS_WITHIN_S = 40.0


class NotDone(Exception):
    """A contestant did not do what it was compared for."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run took, for each delivery where nothing else is said.

    Attributes:
        cpu_us: of the worker.
        broker_us: of RabbitMQ.
        database_us: of PostgreSQL.
        per_s: deliveries a second.
        rss_mb: of the worker, at the end, in all.
    """

    cpu_us: float
    broker_us: float
    database_us: float
    per_s: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Servers:
    """Whose CPU is counted beside the worker's."""

    broker: int
    database: int


async def race(
    contestant: Contestant,
    events: Sequence[Event],
    receiving: Receiving,
    servers: Servers,
    log: Path,
) -> Figures:
    """Start, let a backlog gather, let it go, and judge.

    Raises:
        NotDone: something was not delivered, not signed, or not acked.
    """
    wanted = len(events) * len(receiving.ports)
    async with started(contestant, log) as process:
        _signal(process.pid, signal.SIGSTOP)
        if contestant.queue is not None:
            await _publish(contestant, events)
        pids = (process.pid, servers.broker, servers.database)
        before, began = [Usage.of(one) for one in pids], time.perf_counter()
        _signal(process.pid, signal.SIGCONT)
        if process.stdin is not None:
            process.stdin.write(b"go\n")
        came = await receiving.until(wanted)
        took = time.perf_counter() - began
        after = [Usage.of(one) for one in pids]
    await _require_done(contestant, events, receiving, came)
    worker, broker, database = (
        (then.cpu_s - first.cpu_s) / wanted * 1e6 for first, then in zip(before, after, strict=True)
    )
    return Figures(worker, broker, database, wanted / took, after[0].rss / 1e6)


@asynccontextmanager
async def started(contestant: Contestant, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a contestant from the moment in which it consumes."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *contestant.argv,
            env=dict(contestant.env),
            cwd=contestant.cwd,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if contestant.ready_url is None else errors,
            stderr=errors,
        )
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                await _ready(contestant, process)
            yield process
            await _stop(process)
        finally:
            _signal(process.pid, signal.SIGKILL)
            await process.wait()


async def _ready(contestant: Contestant, process: asyncio.subprocess.Process) -> None:
    if contestant.ready_url is None:
        assert process.stdout is not None
        while (line := await process.stdout.readline()) != b"ready\n":
            if not line:
                raise NotDone(f"{contestant.argv} ended before it was ready")
        return
    async with aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(contestant.ready_url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, so that what it has not acked goes back to the queue."""
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(TimeoutError):
        async with asyncio.timeout(_STOPS_WITHIN_S):
            await process.wait()


def _signal(pid: int, number: signal.Signals) -> None:
    for one in family(pid):
        with suppress(ProcessLookupError):
            os.kill(one, number)


async def _publish(contestant: Contestant, events: Sequence[Event]) -> None:
    async with amqp.channel(contestant.env["FANOUT_AMQP_URL"]) as channel:
        exchange = (
            await channel.get_exchange(contestant.exchange, ensure=False)
            if contestant.exchange
            else channel.default_exchange
        )
        for start in range(0, len(events), 500):
            messages = map(contestant.message, events[start : start + 500])
            await asyncio.gather(
                *(exchange.publish(one, contestant.routing_key) for one in messages)
            )


async def _require_done(
    contestant: Contestant, events: Sequence[Event], receiving: Receiving, came: int
) -> None:
    wanted = len(events) * len(receiving.ports)
    if came != wanted:
        raise NotDone(f"{came} requests of {wanted}")
    if contestant.secrets:
        heard = await receiving.judge(contestant.secrets)
        if heard.wrong or any(one != len(events) for one in heard.events):
            raise NotDone(f"wrong signatures: {heard.wrong}; events: {heard.events}")
    else:
        await receiving.forget()
    if contestant.queue is not None:
        left = await amqp.depth(contestant.env["FANOUT_AMQP_URL"], contestant.queue)
        if left:
            raise NotDone(f"{left} events were delivered and never acked")
