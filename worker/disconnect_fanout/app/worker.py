"""The worker's life: start, serve until a signal, drain, leave.

SIGTERM or SIGINT: not ready → take no more events → finish what is in hand, up to the deadline →
close. A second signal leaves at once; leases and unacked messages answer for what was in hand.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from disconnect_fanout import __version__
from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.permissions import lacking
from disconnect_fanout.adapters.broker.topology import declare
from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.due import SqlDueStore
from disconnect_fanout.adapters.store.migration.migrate import check_schema
from disconnect_fanout.adapters.store.seals.event_seals import load_seals
from disconnect_fanout.adapters.store.seals.secret_keys import SecretKeys
from disconnect_fanout.app.descriptors import enough_descriptors, of_worker
from disconnect_fanout.app.drain import drain
from disconnect_fanout.app.exit_deadline import ExitDeadline
from disconnect_fanout.app.health_refresher import HealthRefresher
from disconnect_fanout.app.http_server import HttpServer
from disconnect_fanout.app.parts import Parts, assemble
from disconnect_fanout.app.proxy import MEANING, ignored_proxies
from disconnect_fanout.app.readiness import Readiness
from disconnect_fanout.app.run_lock import RunLock
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.app.startup_retry import retrying_at_start
from disconnect_fanout.app.stop_signal import first_of, stop_signal
from disconnect_fanout.app.stores import sql_stores
from disconnect_fanout.app.topology import topology_of
from disconnect_fanout.flow.outage import BrokerRefuses, BrokerUnreachable
from disconnect_fanout.flow.supervision.duties import Duties
from disconnect_fanout.telemetry.logs import configure_logs
from disconnect_fanout.telemetry.observer import Observer

_LAST_WORDS_S = 2.0  # for the last acks to reach the broker
_END_WITHIN_S = 3.0
_CLOSING_S = 10.0
"""After the drain's deadline; whoever hangs then is left, and so is the process."""


class SchemaProblem(Exception):
    """The database is missing, or of another version; says what to run."""


async def run_worker(settings: Settings) -> int:
    """Run until a signal; return the exit code: 0 after a drain, 1 if something was left.

    Raises:
        AlreadyRunning: another worker holds the SQLite file.
        SchemaProblem: the database is missing or of another version.
        TopologyConflict: a queue exists with other arguments.
        StoreUnreachable: no answer while starting.
        BrokerRefuses: a wrong password or vhost, or a permission is missing.
        BrokerUnreachable: no answer while starting.
        AddressTaken: nobody can listen on the HTTP address.
    """
    configure_logs(settings.log_level, settings.log_format)
    if proxies := ignored_proxies(os.environ):
        structlog.get_logger().warning("proxy.ignored", message=MEANING, variables=proxies)
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
    deadline = ExitDeadline()
    with RunLock(settings.database_url.get_secret_value()), stop_signal() as stop:
        await http.start()
        try:
            async with _started(settings, observer, deadline) as parts:
                life = _Life(parts, readiness, observer, deadline)
                return 0 if await life.serve(stop, settings.drain_timeout) else 1
        finally:
            await http.close()
            deadline.lift()


@asynccontextmanager
async def _started(
    settings: Settings, observer: Observer, deadline: ExitDeadline
) -> AsyncIterator[Parts]:
    """Open everything that a worker stands on; close it in the end, in bounded time."""
    database = Database(settings.database_url.get_secret_value())
    try:
        parts = await retrying_at_start(lambda: _start(settings, database, observer))
        try:
            yield parts
        finally:
            deadline.set(_CLOSING_S)
            with suppress(BrokerUnreachable):
                await parts.publisher.close()
            await parts.sender.close()
    finally:
        deadline.set(_CLOSING_S)
        await database.close()


async def _start(settings: Settings, database: Database, observer: Observer) -> Parts:
    if (problem := await check_schema(database)) is not None:
        raise SchemaProblem(problem)
    await _enter_broker(settings)
    seals = await load_seals(database, Vault(settings.secret_keys))
    await SecretKeys(database, Vault(settings.secret_keys)).look()
    if database.sqlite:  # we hold the run lock: every lease that we find is a dead worker's
        await SqlDueStore(database, seals).release_all_leases()
    parts = assemble(settings, sql_stores(settings, database, seals, observer.observe), observer)
    await parts.flow.directory.refresh()
    return parts


async def _enter_broker(settings: Settings) -> None:
    """Declare what is missing, and see that this user may do all that a worker does."""
    topology = topology_of(settings)
    connection = await open_connection(settings.amqp_url.get_secret_value(), "fanout topology")
    async with connection:
        await declare(connection, topology)
        if refused := await lacking(connection, topology):
            raise BrokerRefuses("; ".join(refused))


class _Life:
    """From the first duty to the last word.

    A duty that fails is begun again; one that fails and fails, and a watchdog who sees that events
    wait and nobody takes them, end the worker in order, to be started again.
    """

    def __init__(
        self, parts: Parts, readiness: Readiness, observer: Observer, deadline: ExitDeadline
    ) -> None:
        self._parts = parts
        self._readiness = readiness
        self._observer = observer
        self._deadline = deadline
        self._duties = Duties(observer.observe, observer.crashed, time.monotonic)
        self._watch = HealthRefresher(parts, readiness, observer.metrics, observer.observe)

    async def serve(self, stop: asyncio.Event, drain_s: float) -> bool:
        """Do all duties until the signal, then drain; tell whether nothing was left."""
        parts, readiness, duties = self._parts, self._readiness, self._duties
        readiness.consuming = lambda: parts.flow.consumer.attached
        readiness.unattached = lambda: parts.flow.consumer.problem
        readiness.silence = lambda: parts.flow.watchdog.problem
        readiness.duties = duties.problems
        readiness.held = lambda: parts.held(self._watch.stumbles)
        readiness.database = lambda: parts.health.problem
        await self._watch.look()
        self._start()
        readiness.started = True
        structlog.get_logger().info("worker.started", message="ready", version=__version__)
        await first_of(stop, duties.hopeless)
        readiness.stopping = True
        self._deadline.set(drain_s + _CLOSING_S)
        duties.expect_ends()
        drained = await drain(parts, drain_s, self._observer.observe)
        await duties.settle(("consumer", "scheduler"), _LAST_WORDS_S)
        if hanging := await duties.end(_END_WITHIN_S):
            words = "left behind: these do not end"
            structlog.get_logger().error("exit.left_behind", message=words, duties=hanging)
        return drained and not hanging and not duties.hopeless.is_set()

    def _start(self) -> None:
        parts, start = self._parts, self._duties.start
        start("consumer", parts.flow.consumer.run)
        start("scheduler", parts.flow.scheduler.run)
        start("sweeper", parts.flow.sweeper.run)
        start("replayer", parts.flow.replayer.run)
        start("relay", parts.flow.relay.run)
        start("health", self._watch.run)
        start("watchdog", self._watch_consumer)
        for job in parts.periodic_jobs:
            start(job.name, job.run)

    async def _watch_consumer(self) -> None:
        """Leave when there is no hope for the consumer."""
        await self._parts.flow.watchdog.run()
        self._duties.hopeless.set()
        await asyncio.Event().wait()  # to be ended with the others
