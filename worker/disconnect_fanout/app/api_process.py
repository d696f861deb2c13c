"""The API's life: start, serve until a signal, finish what is under way, leave."""

import asyncio
import time
from contextlib import suppress

import structlog

from disconnect_fanout import __version__
from disconnect_fanout.adapters.broker.event_publisher import publishing_by
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.topology_keeper import TopologyKeeper
from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.http_api.api_keys import SqlApiKeys
from disconnect_fanout.adapters.store.http_api.ended_connections import SqlConnections
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.inspection.privileges import API, lacking_privileges
from disconnect_fanout.adapters.store.inspection.trial import try_out
from disconnect_fanout.adapters.store.migration.migrate import check_schema
from disconnect_fanout.adapters.store.seals.event_seals import Seals, load_seals
from disconnect_fanout.adapters.store.seals.secret_keys import SecretKeys
from disconnect_fanout.api.delete_calendar import DeleteCalendar
from disconnect_fanout.api.disconnect_calendar import DisconnectCalendar
from disconnect_fanout.api.rate_limit import RateLimit
from disconnect_fanout.api.routes import Routes
from disconnect_fanout.app.descriptors import enough_descriptors
from disconnect_fanout.app.exit_deadline import ExitDeadline
from disconnect_fanout.app.listening_server import (
    API_MOST_CONNECTIONS,
    API_SHUTDOWN_S,
    ListeningServer,
    api_server,
)
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.app.startup_retry import retrying_at_start
from disconnect_fanout.app.stop_signal import first_of, stop_signal
from disconnect_fanout.app.topology import topology_of
from disconnect_fanout.app.worker import SchemaProblem
from disconnect_fanout.flow.fact import Observe, RanShort
from disconnect_fanout.flow.outage import BrokerUnreachable, StoreRefuses, StoreUnreachable
from disconnect_fanout.flow.relay import Relay
from disconnect_fanout.flow.supervision.duties import Duties
from disconnect_fanout.telemetry.logs import configure_logs
from disconnect_fanout.telemetry.observer import Observer

_END_WITHIN_S = 3.0
_CLOSING_S = 10.0
_NO_ANSWER = "the database does not answer"
_READY_WITHIN_S = 4.0
"""For a probe's question; most probes wait for less than that."""


async def run_api(settings: Settings) -> int:
    """Serve until a signal; return the exit code: 1 if it gave itself up.

    Raises:
        SchemaProblem: the database is missing or of another version.
        StoreUnreachable: no answer while starting.
        AddressTaken: nobody can listen on the address.
    """
    configure_logs(settings.log_level, settings.log_format)
    enough_descriptors(API_MOST_CONNECTIONS)
    database = Database(settings.database_url.get_secret_value())
    topology = topology_of(settings)
    observer, deadline = Observer(), ExitDeadline()
    restored = TopologyKeeper(topology, None, observer.observe).restored
    publisher = Publisher(
        settings.amqp_url.get_secret_value(), topology, "fanout api", restored=restored
    )
    database.set_aside.observe = observer.observe
    duties = Duties(observer.observe, observer.crashed, time.monotonic)
    try:
        with stop_signal() as stop:
            keys = SecretKeys(database, Vault(settings.secret_keys))
            seals = await retrying_at_start(lambda: _seals(database, settings, keys))
            observe = observer.observe
            relay = Relay(SqlOutbox(database, seals), publishing_by(publisher), observe)
            server = _server(settings, database, seals, relay, duties=duties, observe=observe)
            duties.start("relay", relay.run)
            duties.start("secret keys", keys.run)
            return await _serve(server, duties, stop, deadline)
    finally:
        deadline.set(_CLOSING_S)
        await duties.end(_END_WITHIN_S)
        with suppress(BrokerUnreachable):
            await publisher.close()
        await database.close()
        deadline.lift()


async def _seals(database: Database, settings: Settings, keys: SecretKeys) -> Seals:
    if (problem := await check_schema(database)) is not None:
        raise SchemaProblem(problem)
    seals = await load_seals(database, Vault(settings.secret_keys))
    await keys.look()
    return seals


def _server(
    settings: Settings,
    database: Database,
    seals: Seals,
    relay: Relay,
    *,
    duties: Duties,
    observe: Observe,
) -> ListeningServer:
    keys, connections = SqlApiKeys(database), SqlConnections(database, seals)
    limit = RateLimit(settings.api_rate, time.monotonic)

    def problems() -> list[str]:
        lacking = database.health.lacking_key
        return [*duties.problems(), *([] if lacking is None else [lacking])]

    async def problem() -> str | None:
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                if await check_schema(database) is not None:
                    return _NO_ANSWER
                await try_out(database)
                refused = await lacking_privileges(database, API)
        except (StoreUnreachable, StoreRefuses, TimeoutError):
            return _NO_ANSWER
        return f"the database's role may not {', '.join(refused)}" if refused else None

    routes = Routes(
        delete=DeleteCalendar(keys, connections, limit),
        disconnect=DisconnectCalendar(keys, connections, limit),
        problem=problem,
        duties=problems,
        changed=relay.wake,
    )
    return api_server(
        settings.api_host,
        settings.api_port,
        routes.dispatch,
        on_shortage=lambda shortage: observe(RanShort(shortage)),
    )


async def _serve(
    server: ListeningServer, duties: Duties, stop: asyncio.Event, deadline: ExitDeadline
) -> int:
    """The relay goes on until the last request is answered; what is left others publish."""
    port = await server.start()
    log = structlog.get_logger()
    log.info("api.started", message="ready for requests", version=__version__, port=port)
    try:
        await first_of(stop, duties.hopeless)
    finally:
        deadline.set(API_SHUTDOWN_S + _CLOSING_S)
        await server.close()
    log.info("api.stopped", message="the last request was answered")
    return 1 if duties.hopeless.is_set() else 0
