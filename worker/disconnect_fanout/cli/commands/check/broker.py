"""``fanout check``, of the broker: what AMQP shows, and what its management API shows besides."""

from aio_pika.abc import AbstractConnection

from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.management import Absent, Exchange, Management, Unanswered
from disconnect_fanout.adapters.broker.permissions import blocked, lacking, may_publish_events
from disconnect_fanout.adapters.broker.same_broker import same_broker
from disconnect_fanout.adapters.broker.topology import Topology, missing
from disconnect_fanout.adapters.broker.topology_conflict import TopologyConflict
from disconnect_fanout.app.management import management_of
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.app.topology import topology_of
from disconnect_fanout.cli.commands.check.finding import Finding
from disconnect_fanout.flow.outage import BrokerRefuses, BrokerUnreachable
from disconnect_fanout.policy.broker_policy import harms

_NAME = "broker"
_ENABLE = (
    "enable the plugin rabbitmq_management and give the user the tag management, "
    "or set FANOUT_MANAGEMENT_URL"
)


async def look_at_broker(settings: Settings) -> list[Finding]:
    """Return what is wrong, or that all is well; nothing is changed."""
    topology, url = topology_of(settings), settings.amqp_url.get_secret_value()
    try:
        connection = await open_connection(url, "fanout check")
        async with connection:
            return await _all(connection, url, topology, management_of(settings))
    except BrokerRefuses as error:
        words = f"{error}; see FANOUT_AMQP_URL, and the permissions in deploy/README.md"
        return [Finding(_NAME, "wrong", words)]
    except BrokerUnreachable as error:
        words = f"{error}; is it running, is FANOUT_AMQP_URL right?"
        return [Finding(_NAME, "unreachable", words)]
    except TopologyConflict as error:
        return [Finding(_NAME, "wrong", str(error))]


async def _all(
    connection: AbstractConnection, url: str, topology: Topology, management: Management | None
) -> list[Finding]:
    if gone := await missing(connection, topology):
        words = f"there is no {', no '.join(gone)}; run: fanout migrate"
        return [Finding(_NAME, "wrong", words)]
    beyond = await _beyond_amqp(connection, topology, management)
    return [*await _as_run_needs_it(connection, url, topology), *beyond]


async def _as_run_needs_it(
    connection: AbstractConnection, url: str, topology: Topology
) -> list[Finding]:
    """Look at what a worker does: two connections at once, and what it may do on them."""
    try:
        async with await open_connection(url, "fanout check, the second"):
            pass
    except BrokerRefuses as error:
        words = f"a worker needs two connections at once, and {error}"
        return [Finding(_NAME, "wrong", words)]
    events = await may_publish_events(connection, topology)
    if refused := await lacking(connection, topology):
        return [Finding(_NAME, "wrong", one) for one in refused]
    found = f"it answers, and has {topology.exchange}, {', '.join(topology.queues)} as declared"
    findings = [Finding(_NAME, "ok", found)]
    if not events:
        words = f"the user may not write {topology.exchange}: events promised over HTTP would wait"
        findings.append(Finding("permissions", "warning", words))
    if await blocked(connection):
        words = "it takes no messages for now: a memory or disk alarm; look at its log"
        findings.append(Finding("alarm", "warning", words))
    return findings


async def _beyond_amqp(
    connection: AbstractConnection, topology: Topology, management: Management | None
) -> list[Finding]:
    if management is None:
        words = "bindings and policies were not looked at: FANOUT_MANAGEMENT_URL is off"
        return [Finding("management", "ok", words)]
    problem = await same_broker(connection, management)
    if problem is not None:
        return [_not_looked("bindings and policies", management, problem)]
    return [
        *await _bindings(management, topology),
        *await _exchange(management, topology),
        *await _policies(management, topology),
    ]


async def _bindings(management: Management, topology: Topology) -> list[Finding]:
    name, queue = topology.exchange, topology.events_queue
    found = await management.bindings(name, queue)
    if isinstance(found, Unanswered):
        return [_not_looked("bindings", management, found.why)]
    keys = frozenset() if isinstance(found, Absent) else found
    gone = [key for key in topology.keys if key not in keys]
    if not gone:
        return [Finding("bindings", "ok", f"{queue} is bound to {name} by {_and(topology.keys)}")]
    words = f"{queue} is not bound to {name} by {_and(gone)}, so that no event comes; "
    way_out = "run: fanout migrate (a running worker puts it back within 5 s)"
    return [Finding("bindings", "wrong", words + way_out)]


async def _exchange(management: Management, topology: Topology) -> list[Finding]:
    """Take an exchange that upstream declared as it is; but say what it will do one day."""
    found, name = await management.exchange(topology.exchange), topology.exchange
    if not isinstance(found, Exchange):
        return []
    odd = []
    if not found.durable:
        odd.append("is not durable: gone after a restart of the broker, with its bindings")
    if found.auto_delete:
        odd.append("deletes itself when its last binding goes")
    if found.kind in {"fanout", "headers"}:
        odd.append(f"is of type {found.kind}: events of every type come, and are rejected")
    return [Finding("exchange", "warning", f"{name} {one}") for one in odd]


async def _policies(management: Management, topology: Topology) -> list[Finding]:
    found = await management.policies()
    if isinstance(found, Unanswered):
        return [_not_looked("policies", management, found.why)]
    all_harms = [
        harm
        for queue, arguments in topology.queues.items()
        for harm in harms(found, queue, arguments)
    ]
    if not all_harms:
        return [Finding("policies", "ok", "none removes events or letters")]
    return [
        Finding("policies", "wrong" if harm.loses else "warning", harm.words) for harm in all_harms
    ]


def _not_looked(what: str, management: Management, why: str) -> Finding:
    words = f"{what} were not looked at: {management.where}: {why}; to have them seen, {_ENABLE}"
    return Finding("management", "warning", words)


def _and(keys: tuple[str, ...] | list[str]) -> str:
    return " and ".join(keys)
