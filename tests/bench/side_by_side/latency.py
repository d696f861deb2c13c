"""How long from publish to received, at a steady rate: this worker beside FastStream and Node.

``make bench-latency``; real RabbitMQ, real PostgreSQL, real HTTP, three platforms, as shipped. An
event that left late carries the instant at which it should have left. Rates and contestants take
turns; each must notify every platform of every event.

``BENCH_RATES`` (10,100,300 events/s), ``BENCH_SECONDS`` (10 for each), ``BENCH_ROUNDS`` (3),
``BENCH_ONLY`` (part of a name) change what is run.
"""

import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from tests.bench.offered_load import offer_to
from tests.bench.side_by_side.contestant import Contestant, Event
from tests.bench.side_by_side.entrants import ENTRANTS, Ground
from tests.bench.side_by_side.process_tree import Usage
from tests.bench.side_by_side.race import NotDone, started
from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.servers.postgres_install import ensure_binaries
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.vhost import Vhosts
from tests.harness.worker.disconnect import disconnect

from disconnect_fanout.demo.rabbitmq_install import ensure_server

RATES = [float(one) for one in os.environ.get("BENCH_RATES", "10,100,300").split(",")]
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
ONLY = os.environ.get("BENCH_ONLY", "")
RIVALS = ("fanout, SQLite", "fanout, PostgreSQL", "FastStream + aiohttp", "Node amqplib + undici")
PLATFORMS = 3
_USERS = [f"user{n}@example.com" for n in range(1000)]
_CATCH_UP_S = 5.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one run; milliseconds, and µs of the worker's CPU for each event."""

    p50_ms: float
    p99_ms: float
    longest_ms: float
    cpu_us: float


@asynccontextmanager
async def timed(count: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Platforms that note when each webhook came."""
    argv = (sys.executable, "-m", "tests.bench.timed_receivers", str(count), "0")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, limit=1 << 24)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def event(number: int, due: int) -> Event:
    """Return one that carries its instant where every contestant passes it on."""
    return disconnect(f"evt_{number}", _USERS[number % len(_USERS)], google_id=str(due))


async def measure(
    name: str, rate: float, vhosts: Vhosts, postgres: PrivatePostgres, folder: Path
) -> Latency:
    """Offer events for a while.

    Raises:
        NotDone: a platform missed one.
    """
    count = int(rate * SECONDS)
    async with timed(PLATFORMS) as platforms:
        assert platforms.stdout is not None
        ports = [int(await platforms.stdout.readline()) for _ in range(PLATFORMS)]
        contestant = await ENTRANTS[name](Ground(vhosts, postgres, ports, _USERS, folder))
        async with started(contestant, folder / "worker.log") as worker:
            before = Usage.of(worker.pid)
            await _offer(contestant, count, rate)
            await asyncio.sleep(_CATCH_UP_S)
            after = Usage.of(worker.pid)
        took = await _noted(platforms)
    if len(took) != count * PLATFORMS:
        raise NotDone(f"{name}: {len(took)} deliveries of {count * PLATFORMS}")
    percentiles = statistics.quantiles(took, n=100)
    cpu = (after.cpu_s - before.cpu_s) / count * 1e6
    return Latency(percentiles[49] * 1e3, percentiles[98] * 1e3, max(took) * 1e3, cpu)


async def _offer(contestant: Contestant, count: int, rate: float) -> None:
    where = contestant.env["FANOUT_AMQP_URL"], contestant.exchange, contestant.routing_key
    await offer_to(*where, count=count, rate=rate, event=event)


async def _noted(platforms: asyncio.subprocess.Process) -> list[float]:
    assert platforms.stdin is not None
    assert platforms.stdout is not None
    platforms.stdin.close()
    lines = [await platforms.stdout.readline() for _ in range(PLATFORMS)]
    return [seconds for line in lines for seconds in json.loads(line)]


async def run() -> dict[tuple[float, str], list[Latency]]:
    """Let all be measured in turns."""
    found: defaultdict[tuple[float, str], list[Latency]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="fanout-bench-"))
        stack.callback(shutil.rmtree, folder)
        broker = await stack.enter_async_context(PrivateRabbitMQ(ensure_server()))
        postgres = await stack.enter_async_context(PrivatePostgres(ensure_binaries()))
        vhosts = Vhosts(broker)
        for number in range(ROUNDS):
            for rate in RATES:
                for name in (one for one in RIVALS if ONLY in one):
                    here = folder / f"{number} {rate} {name}"
                    here.mkdir()
                    found[rate, name].append(await measure(name, rate, vhosts, postgres, here))
                    sys.stderr.write(f"  {rate:g}/s {name}: {found[rate, name][-1]}\n")
    return found


def table(found: dict[tuple[float, str], list[Latency]]) -> str:
    """Return a line for each rate and contestant."""
    lines = [
        "| events/s | | p50, ms | p99, ms | longest, ms | CPU, µs an event |",
        "|---" * 6 + "|",
    ]
    for (rate, name), runs in found.items():
        cells = [f"{_median(runs, one.name):.1f}" for one in fields(Latency)]
        lines.append(f"| {rate:g} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _median(runs: Sequence[Latency], figure: str) -> float:
    return float(statistics.median(getattr(run, figure) for run in runs))


if __name__ == "__main__":
    sys.stdout.write(table(asyncio.run(run())))
