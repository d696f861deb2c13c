"""What a delivery costs: this worker, floors and peers, side by side in one run.

``make bench``; real RabbitMQ, real PostgreSQL, real HTTP, three platforms, a backlog drained.
Rounds of all contestants take turns, so that whatever else the machine does meets each of them.
Each must deliver every event to every platform, signed, and leave an empty queue. The peers record
nothing and promise nothing; this worker runs as shipped, all features on.

``BENCH_EVENTS`` (2000), ``BENCH_ROUNDS`` (3), ``BENCH_ONLY`` (part of a name), ``BENCH_JSON`` (a
file for the figures) change what is run.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

from tests.bench.side_by_side.entrants import ENTRANTS, Entrant, Ground
from tests.bench.side_by_side.race import Figures, Servers, race
from tests.bench.side_by_side.receiving import receiving
from tests.bench.side_by_side.table import table
from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.servers.postgres_install import ensure_binaries
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.vhost import Vhosts
from tests.harness.worker.disconnect import disconnect

from disconnect_fanout.demo.rabbitmq_install import ensure_server

EVENTS = int(os.environ.get("BENCH_EVENTS", "2000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
ONLY = os.environ.get("BENCH_ONLY", "")
PLATFORMS = 3


async def run(entrants: Mapping[str, Entrant]) -> dict[str, list[Figures]]:
    """Let all race in turns."""
    found: defaultdict[str, list[Figures]] = defaultdict(list)
    users = [f"user{n}@example.com" for n in range(EVENTS)]
    events = [disconnect(f"evt_{n}", user) for n, user in enumerate(users)]
    folder = Path(tempfile.mkdtemp(prefix="fanout-bench-"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        broker = await stack.enter_async_context(PrivateRabbitMQ(ensure_server()))
        postgres = await stack.enter_async_context(PrivatePostgres(ensure_binaries()))
        platforms = await stack.enter_async_context(receiving(PLATFORMS))
        vhosts, servers = Vhosts(broker), Servers(broker.pid, postgres.pid)
        for number in range(ROUNDS):
            for name, entrant in entrants.items():
                here = folder / f"{number} {name}"
                here.mkdir()
                ground = Ground(vhosts, postgres, platforms.ports, users, here)
                log = here / "worker.log"
                figures = await race(await entrant(ground), events, platforms, servers, log)
                found[name].append(figures)
                sys.stderr.write(f"  round {number + 1}: {name:24}{figures.cpu_us:8.0f} µs\n")
    return found


def main() -> None:
    """Run, and print."""
    chosen = {name: one for name, one in ENTRANTS.items() if ONLY in name}
    found = asyncio.run(run(chosen))
    sys.stdout.write(f"{EVENTS} events, {PLATFORMS} platforms, medians of {ROUNDS} rounds\n\n")
    sys.stdout.write(table(found))
    if target := os.environ.get("BENCH_JSON"):
        listed = {name: [asdict(one) for one in runs] for name, runs in found.items()}
        Path(target).write_text(json.dumps(listed, indent=2) + "\n")


if __name__ == "__main__":
    main()
