"""What recording costs: a worker's CPU per delivery with a real store and with one that forgets.

``make bench-store``; real RabbitMQ, real HTTP, three platforms. Rounds of all stores take turns, so
that whatever else the machine does meets each of them; the median of each is printed.
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
from pathlib import Path

from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.servers.postgres_install import ensure_binaries
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.vhost import Vhosts
from tests.harness.worker.command import environment
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

from disconnect_fanout.demo.rabbitmq_install import ensure_server

EVENTS = int(os.environ.get("BENCH_EVENTS", "2000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PLATFORMS = ("plat_boardy", "plat_calcom", "plat_luma")
AIM = 1.4
ROOM = {"FANOUT_MAX_IN_FLIGHT": "1024", "FANOUT_MAX_IN_FLIGHT_PER_PLATFORM": "256"}
"""For a whole prefetch: what has to wait would be forgotten by a store that forgets."""


@asynccontextmanager
async def receivers(count: int) -> AsyncIterator[Sequence[int]]:
    """Start the platforms; yield their ports."""
    argv = (sys.executable, "-m", "tests.bench.receivers", str(count))
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield [int(await process.stdout.readline()) for _ in range(count)]
    finally:
        process.kill()
        await process.wait()


async def measured(kind: str, installation: Installation, ports: Sequence[int]) -> dict[str, float]:
    """Let a fresh worker deliver all events of a fresh installation."""
    await installation.migrate()
    users = [f"user{n}@example.com" for n in range(EVENTS)]
    for name, port in zip(PLATFORMS, ports, strict=True):
        await installation.register(name, f"http://127.0.0.1:{port}/hook")
    await installation.link(users, *PLATFORMS)
    await installation.publish(*(disconnect(f"evt_{n}", user) for n, user in enumerate(users)))
    argv = ("-m", "tests.bench.measured_worker", kind, str(EVENTS * len(PLATFORMS)))
    with (installation.folder / "worker.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *argv,
            env=environment(installation.settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        out, _ = await process.communicate()
    if process.returncode:
        raise SystemExit((installation.folder / "worker.log").read_text()[-3000:])
    took: dict[str, float] = json.loads(out)
    return took


async def main() -> None:
    """Measure and print."""
    found: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    folder = Path(tempfile.mkdtemp(prefix="fanout-bench-"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        broker = await stack.enter_async_context(PrivateRabbitMQ(ensure_server()))
        postgres = await stack.enter_async_context(PrivatePostgres(ensure_binaries()))
        ports = await stack.enter_async_context(receivers(len(PLATFORMS)))
        vhosts = Vhosts(broker)
        for number in range(ROUNDS):
            for kind in ("null", "sqlite", "postgresql"):
                here = folder / f"{kind}-{number}"
                here.mkdir()
                url = f"sqlite+aiosqlite:///{here / 'fanout.db'}"
                if kind == "postgresql":
                    url = await postgres.create_database()
                installation = Installation(await vhosts.fresh(), url, here, **ROOM)
                found[kind].append(await measured(kind, installation, ports))
                _say(f"  round {number + 1} {kind:10} {_words(found[kind][-1])}")
    _report(found)


def _report(found: dict[str, list[dict[str, float]]]) -> None:
    middle = {
        kind: {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        for kind, rounds in found.items()
    }
    _say(f"{EVENTS} events, {len(PLATFORMS)} platforms, median of {ROUNDS} rounds")
    for kind, took in middle.items():
        ratio = took["cpu_us"] / middle["null"]["cpu_us"]
        aim = "" if kind == "null" else f"   aim: under {AIM:g}"
        _say(f"{kind:10} {_words(took)}   {ratio:.2f} times the null store{aim}")


def _words(took: dict[str, float]) -> str:
    return f"{took['cpu_us']:7.0f} µs CPU {took['wall_us']:7.0f} µs wall per delivery"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
