"""The worker's life: start, serve until a signal, drain, leave.

SIGTERM or SIGINT: not ready → take no more events → finish what is in hand, up to the deadline →
close. A second signal leaves at once; leases and unacked messages answer for what was in hand.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from disconnect_fanout import __version__
from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.topology import declare
from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.due_store import SqlDueStore
from disconnect_fanout.adapters.store.schema import check_schema
from disconnect_fanout.adapters.store.sealed_event import load_seals
from disconnect_fanout.app.descriptors import enough_descriptors, of_worker
from disconnect_fanout.app.drain import drain
from disconnect_fanout.app.http_server import HttpServer
from disconnect_fanout.app.parts import Parts, assemble
from disconnect_fanout.app.patience import patiently
from disconnect_fanout.app.readiness import Readiness
from disconnect_fanout.app.run_lock import RunLock
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.app.stop_signal import stop_signal
from disconnect_fanout.app.stores import sql_stores
from disconnect_fanout.app.topology import topology_of
from disconnect_fanout.app.watch import Watch
from disconnect_fanout.flow.outage import BrokerUnreachable
from disconnect_fanout.flow.vigil import Watchman
from disconnect_fanout.telemetry.logs import configure_logs
from disconnect_fanout.telemetry.observer import Observer

_LAST_WORDS_S = 2.0  # for the last acks to reach the broker


class SchemaProblem(Exception):
    """The database is missing, or of another version; says what to run."""


async def run_worker(settings: Settings) -> int:
    """Run until a signal; return the exit code: 0 after a drain, 1 if something was left.

    Raises:
        AlreadyRunning: another worker holds the SQLite file.
        SchemaProblem: the database is missing or of another version.
        TopologyConflict: a queue exists with other arguments.
        StoreUnreachable: no answer while starting.
        BrokerUnreachable: no answer while starting.
        AddressTaken: nobody can listen on the HTTP address.
    """
    configure_logs(settings.log_level, settings.log_format)
    enough_descriptors(of_worker(settings.max_in_flight))
    readiness = Readiness()
    observer = Observer(readiness.observe)
    http = HttpServer(
        settings.http_host,
        settings.http_port,
        readiness,
        metrics=observer.metrics.exposition,
        observe=observer.observe,
    )
    with RunLock(settings.database_url.get_secret_value()), stop_signal() as stop:
        await http.start()
        try:
            async with _started(settings, observer) as parts:
                drained = await _serve(parts, readiness, observer, stop, settings.drain_timeout)
                return 0 if drained else 1
        finally:
            await http.close()


@asynccontextmanager
async def _started(settings: Settings, observer: Observer) -> AsyncIterator[Parts]:
    """Open everything that a worker stands on; close it in the end."""
    database = Database(settings.database_url.get_secret_value())
    try:
        parts = await patiently(lambda: _start(settings, database, observer))
        try:
            yield parts
        finally:
            with suppress(BrokerUnreachable):
                await parts.publisher.close()
            await parts.sender.close()
    finally:
        await database.close()


async def _start(settings: Settings, database: Database, observer: Observer) -> Parts:
    if (problem := await check_schema(database)) is not None:
        raise SchemaProblem(problem)
    connection = await open_connection(settings.amqp_url.get_secret_value(), "fanout topology")
    async with connection:
        await declare(connection, topology_of(settings))
    seals = await load_seals(database, Vault(settings.secret_keys))
    if database.sqlite:  # we hold the run lock: every lease that we find is a dead worker's
        await SqlDueStore(database, seals).release_all_leases()
    parts = assemble(settings, sql_stores(settings, database, seals, observer.observe), observer)
    await parts.directory.refresh()
    return parts


async def _serve(
    parts: Parts, readiness: Readiness, observer: Observer, stop: asyncio.Event, drain_s: float
) -> bool:
    """Do all duties until the signal, then drain; tell whether nothing was left.

    A duty that fails is a bug: it ends the worker, loudly, to be started again. The watchman's ends
    when events wait and nobody takes them: then this worker leaves in order, for the same reason.
    """
    readiness.consuming = lambda: parts.consumer.attached
    readiness.silence = lambda: parts.watchman.problem
    watch = Watch(parts, readiness, observer.metrics)
    await watch.look()
    async with asyncio.TaskGroup() as duties:
        consuming = duties.create_task(parts.consumer.run())
        lasting = [
            duties.create_task(duty)
            for duty in (
                parts.sweeper.run(),
                parts.replayer.run(),
                parts.relay.run(),
                watch.run(),
                *(chore.run() for chore in parts.chores),
            )
        ]
        scheduling = duties.create_task(parts.scheduler.run())
        readiness.started = True
        structlog.get_logger().info("started", version=__version__)
        deaf = await _given_up(parts.watchman, stop)
        readiness.stopping = True
        drained = await drain(parts, drain_s, observer.observe)
        await asyncio.wait({consuming, scheduling}, timeout=_LAST_WORDS_S)
        for duty in (consuming, scheduling, *lasting):
            duty.cancel()
    return drained and not deaf


async def _given_up(watchman: Watchman, stop: asyncio.Event) -> bool:
    """Wait for the signal or for the watchman; tell whether it was the watchman."""
    tasks = [asyncio.create_task(one) for one in (watchman.run(), stop.wait())]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()
    return not stop.is_set()
