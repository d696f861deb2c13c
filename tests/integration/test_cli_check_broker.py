"""`fanout check`, of the broker: what its management API shows, and what the user may do there."""

import asyncio
import json
from collections.abc import Iterator
from itertools import count

import pytest
from tests.harness.servers import amqp
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.running_broker import running_broker
from tests.harness.servers.vhost import Vhost, Vhosts
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.crypto.vault import new_key

EVENT_TYPE = "user.calendar.disconnected"
_users = count(1)


@pytest.fixture(scope="module")
def broker() -> Iterator[PrivateRabbitMQ]:
    """A broker that also answers over HTTP."""
    with running_broker(management=True) as one:
        yield one


@pytest.fixture(scope="module")
def vhosts(broker: PrivateRabbitMQ) -> Vhosts:
    """Places at it."""
    return Vhosts(broker)


@pytest.fixture
def place(vhosts: Vhosts) -> Vhost:
    """This test's own place at it."""
    return asyncio.run(vhosts.fresh())


@pytest.fixture
def upstream(
    newcomer: Operator, place: Vhost, broker: PrivateRabbitMQ, sqlite_url: str
) -> Operator:
    """An operator whose installation is migrated, and who may ask over HTTP."""
    newcomer.settings |= {
        **place.settings,
        "FANOUT_DATABASE_URL": sqlite_url,
        "FANOUT_SECRET_KEY": new_key(),
        "FANOUT_MANAGEMENT_URL": f"http://127.0.0.1:{broker.management_port}",
    }
    newcomer.ask("migrate")
    return newcomer


def vhost_of(place: Vhost) -> str:
    return place.url.rsplit("/", 1)[1]


def looked(operator: Operator) -> tuple[int, dict[str, tuple[str, str]]]:
    """Return the exit code, and for each check the worst result and all words."""
    done = operator.fanout("check", "-o", "json")
    found: dict[str, tuple[str, str]] = {}
    for one in json.loads(done.stdout):
        result, words = found.get(one["check"], ("", ""))
        worst = max(result, one["result"], key=["", "ok", "warning", "wrong", "unreachable"].index)
        found[one["check"]] = (worst, f"{words}\n{one['detail']}")
    return done.exit_code, found


def test_all_is_well(upstream: Operator) -> None:
    """Everything ok, bindings and policies among it, exit 0; twice, so nothing was changed."""
    for _ in range(2):
        code, found = looked(upstream)
        assert code == 0
        assert {name: result for name, (result, _) in found.items()} == dict.fromkeys(
            ("configuration", "broker", "bindings", "policies", "database", "clock"), "ok"
        )


def test_a_binding_alone_that_is_gone_is_wrong(upstream: Operator, place: Vhost) -> None:
    """Exit 3, the binding, and the way out, which is the one that helps. Before: ok, exit 0."""

    async def unbind() -> None:
        async with amqp.channel(place.url) as channel:
            queue = await channel.get_queue(place.queue("events"), ensure=False)
            await queue.unbind(place.exchange, EVENT_TYPE)

    asyncio.run(unbind())
    for _ in range(2):
        code, found = looked(upstream)
        result, words = found["bindings"]
        assert (code, result) == (3, "wrong")
        assert "fanout.events is not bound to calendar.events by user.calendar.disc" in words
        assert "run: fanout migrate" in words
    upstream.ask("migrate")
    assert looked(upstream)[0] == 0


LOSING = [
    ("events", '{"message-ttl": 60000}'),
    ("dead", '{"max-length": 10}'),
    ("dead", '{"max-length-bytes": 1000, "overflow": "drop-head"}'),
    ("rejected", '{"expires": 600000}'),
    ("events", '{"delivery-limit": 3}'),
]


@pytest.mark.parametrize(("queue", "definition"), LOSING)
async def test_a_policy_that_removes_is_named(
    upstream: Operator, place: Vhost, broker: PrivateRabbitMQ, definition: str, queue: str
) -> None:
    """By its name, the queue and the key, exit 3, at once. Before: ok, exit 0."""
    key = next(iter(json.loads(definition)))
    pattern = f"^fanout.{queue}$"
    await broker.rabbitmqctl("set_policy", "-p", vhost_of(place), "grim", pattern, definition)
    code, found = await asyncio.to_thread(looked, upstream)
    result, words = found["policies"]
    assert (code, result) == (3, "wrong")
    assert f"policy 'grim' sets {key}=" in words
    assert f"on queue {place.queue(queue)}" in words


async def test_an_operator_policy_is_named_as_one(
    upstream: Operator, place: Vhost, broker: PrivateRabbitMQ
) -> None:
    """Which another person has to mend."""
    await broker.rabbitmqctl(
        "set_operator_policy", "-p", vhost_of(place), "cap", "dead", '{"max-length": 7}'
    )
    code, found = await asyncio.to_thread(looked, upstream)
    assert code == 3
    assert "operator policy 'cap' sets max-length=7 on queue fanout.dead" in found["policies"][1]


async def test_a_policy_that_loses_nothing_is_no_error(
    upstream: Operator, place: Vhost, broker: PrivateRabbitMQ
) -> None:
    """What our own argument goes before is a warning; exit 0, as `run` works."""
    definition = '{"dead-letter-exchange": "elsewhere"}'
    await broker.rabbitmqctl("set_policy", "-p", vhost_of(place), "odd", "events", definition)
    code, found = await asyncio.to_thread(looked, upstream)
    assert (code, found["policies"][0]) == (0, "warning")


NOBODY = "http://127.0.0.1:1"


def test_nobody_answers_over_http(upstream: Operator) -> None:
    """One line says what was not looked at and how to enable it; exit 0."""
    upstream.settings["FANOUT_MANAGEMENT_URL"] = NOBODY
    code, found = looked(upstream)
    result, words = found["management"]
    assert (code, result) == (0, "warning")
    assert "bindings and policies were not looked at" in words
    assert "rabbitmq_management" in words


def test_credentials_are_not_shown(upstream: Operator, broker: PrivateRabbitMQ) -> None:
    """A wrong password for the API alone: what was not looked at, exit 0, and not the password."""
    wrong = f"http://guest:s3cret@127.0.0.1:{broker.management_port}"
    upstream.settings["FANOUT_MANAGEMENT_URL"] = wrong
    done = upstream.fanout("check")
    assert done.exit_code == 0
    assert "refuses the user (401)" in " ".join(done.stdout.split())
    assert "s3cret" not in done.stdout + done.stderr


ALL = {"configure": ".*", "write": ".*", "read": ".*"}
DEFAULT_ONLY = r"^(calendar\.events|fanout\..*)$"  # all but amq.default
DENIED = {
    "configure": ({"configure": "^$"}, "fanout.rejected"),
    "write to the queue": ({"write": "^amq.default$"}, "write fanout.events"),
    "write to amq.default": ({"write": DEFAULT_ONLY}, "write amq.default"),
    "read the exchange": ({"read": r"^fanout\."}, "read calendar.events"),
    "read events": ({"read": r"^(calendar\.events|fanout\.dead)$"}, "read fanout.events"),
    "read dead": ({"read": r"^(calendar\.events|fanout\.events)$"}, "read fanout.dead"),
}


@pytest.mark.parametrize(("denied", "words"), DENIED.values(), ids=DENIED.keys())
def test_a_missing_permission_is_wrong_and_run_says_the_same(
    upstream: Operator,
    place: Vhost,
    broker: PrivateRabbitMQ,
    denied: dict[str, str],
    words: str,
) -> None:
    """Exit 3 of both, with what is missing. Before: 4, ok, or a worker that tries for ever."""
    name = f"user-{next(_users)}"
    given = {**ALL, **denied}
    permissions = (given["configure"], given["write"], given["read"])
    asyncio.run(broker.rabbitmqctl("add_user", name, "s3cret"))
    permit = ("set_permissions", "-p", vhost_of(place), name, *permissions)
    asyncio.run(broker.rabbitmqctl(*permit))
    upstream.settings["FANOUT_AMQP_URL"] = place.url.replace("guest:guest", f"{name}:s3cret")
    code, found = looked(upstream)
    assert (code, found["broker"][0]) == (3, "wrong")
    assert words in found["broker"][1]
    said = run(upstream)
    assert words.rsplit(maxsplit=1)[-1] in said
    assert "s3cret" not in said + found["broker"][1]


def run(operator: Operator) -> str:
    """Start a worker that must not come up; return what it said."""
    operator.settings["FANOUT_HTTP_PORT"] = "0"
    done = operator.fanout("run")
    assert done.exit_code == 3, done
    return done.stderr


@pytest.mark.parametrize(
    "change", [(":guest@", ":s3cret@"), ("/test-", "/nobodys-")], ids=["password", "vhost"]
)
def test_a_wrong_password_or_vhost_is_configuration(
    upstream: Operator, place: Vhost, change: tuple[str, str]
) -> None:
    """Exit 3 of `check`, `run` and `migrate`, naming the setting. Before: 4, `run` after 20 s."""
    upstream.settings["FANOUT_AMQP_URL"] = place.url.replace(*change)
    code, found = looked(upstream)
    assert (code, found["broker"][0]) == (3, "wrong")
    assert "FANOUT_AMQP_URL" in found["broker"][1]
    assert "FANOUT_AMQP_URL" in run(upstream)
    assert "FANOUT_AMQP_URL" in upstream.refused("migrate", code=3)


async def test_one_connection_is_too_few(
    upstream: Operator, place: Vhost, broker: PrivateRabbitMQ
) -> None:
    """A vhost that takes one connection, where a worker needs two: exit 3. Before: ok."""
    limits = '{"max-connections": 1}'
    await broker.rabbitmqctl("set_vhost_limits", "-p", vhost_of(place), limits)
    code, found = await asyncio.to_thread(looked, upstream)
    assert (code, found["broker"][0]) == (3, "wrong")
    assert "two connections" in found["broker"][1]


async def test_no_room_for_another_queue(
    upstream: Operator, place: Vhost, broker: PrivateRabbitMQ
) -> None:
    """`migrate` names the limit. Before: a queue "with other arguments", to be deleted."""
    await broker.rabbitmqctl("set_vhost_limits", "-p", vhost_of(place), '{"max-queues": 3}')
    upstream.settings["FANOUT_PREFIX"] = "other"
    said = await asyncio.to_thread(lambda: upstream.refused("migrate", code=3))
    assert "queue limit" in said
    assert "other arguments" not in said


async def test_a_queue_of_another_connection_is_wrong(upstream: Operator, place: Vhost) -> None:
    """An exclusive queue under our name: exit 3 and the way out. Before: "unreachable", 4."""
    upstream.settings["FANOUT_PREFIX"] = "theirs"
    async with amqp.channel(place.url) as channel:
        await channel.declare_queue("theirs.events", exclusive=True)
        code, found = await asyncio.to_thread(looked, upstream)
        assert (code, found["broker"][0]) == (3, "wrong")
        assert "exclusive to another connection" in found["broker"][1]


def test_an_exchange_that_goes_with_a_restart_is_said(upstream: Operator, place: Vhost) -> None:
    """Taken as it is, for `run` takes it too; a warning, exit 0."""

    async def again() -> None:
        async with amqp.channel(place.url) as channel:
            await channel.exchange_delete(place.exchange)
            exchange = await channel.declare_exchange(place.exchange, "headers", durable=False)
            queue = await channel.get_queue(place.queue("events"), ensure=False)
            await queue.bind(exchange, EVENT_TYPE)

    asyncio.run(again())
    code, found = looked(upstream)
    assert (code, found["exchange"][0]) == (0, "warning")
    lines = upstream.fanout("check", "-o", "json").stdout
    assert "not durable" in lines
    assert "of type headers" in lines


async def test_an_alarm_is_said(upstream: Operator, broker: PrivateRabbitMQ) -> None:
    """A broker that takes no messages for now: a warning, exit 0, within seconds."""
    await broker.rabbitmqctl("set_vm_memory_high_watermark", "0.00001")
    try:
        code, found = await asyncio.to_thread(looked, upstream)
    finally:
        await broker.rabbitmqctl("set_vm_memory_high_watermark", "0.4")
    assert (code, found["alarm"][0]) == (0, "warning")
