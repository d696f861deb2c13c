"""A worker that delivers what is in its queue, and says what that cost it.

Run as a program by ``store_cost``: all parts of ``fanout run``, without its front door.
Only its own CPU is counted, and only while it works.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress

import uvloop
from tests.bench.null_store import null_stores

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.seals.event_seals import load_seals
from disconnect_fanout.app.parts import Parts, assemble
from disconnect_fanout.app.settings import load_settings
from disconnect_fanout.app.stores import sql_stores
from disconnect_fanout.flow.fact import AttemptFinished, Fact
from disconnect_fanout.telemetry.logs import configure_logs
from disconnect_fanout.telemetry.observer import Observer


class Tally:
    """Counts down to the last request."""

    def __init__(self, deliveries: int) -> None:
        self._left = deliveries
        self.done = asyncio.Event()

    def observe(self, fact: Fact) -> None:
        if isinstance(fact, AttemptFinished):
            self._left -= 1
            if not self._left:
                self.done.set()


async def measure(kind: str, deliveries: int) -> dict[str, float]:
    """Deliver so many, and return what it took."""
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    database = Database(settings.database_url.get_secret_value())
    seals = await load_seals(database, Vault(settings.secret_keys))
    tally = Tally(deliveries)
    observer = Observer(tally.observe)
    stores = sql_stores(settings, database, seals, observer.observe)
    if kind == "null":
        stores = await null_stores(stores.platforms)
    parts = assemble(settings, stores, observer)
    await parts.flow.directory.refresh()
    cpu_s, wall_s = await _deliver(parts, tally)
    await database.close()
    return {"cpu_us": cpu_s / deliveries * 1e6, "wall_us": wall_s / deliveries * 1e6}


async def _deliver(parts: Parts, tally: Tally) -> tuple[float, float]:
    """Return CPU and wall time from the start of consumption to the last record."""
    lasting = (parts.flow.scheduler, parts.flow.sweeper, parts.flow.replayer, *parts.periodic_jobs)
    tasks = [asyncio.create_task(one.run()) for one in lasting]
    cpu, wall = time.process_time(), time.perf_counter()
    tasks.append(asyncio.create_task(parts.flow.consumer.run()))
    await tally.done.wait()
    await parts.flow.recorder.drain()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    await parts.flow.consumer.stop()
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await parts.publisher.close()
    await parts.sender.close()
    return cpu, wall


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        took = runner.run(measure(sys.argv[1], int(sys.argv[2])))
    sys.stdout.write(f"{json.dumps(took)}\n")
