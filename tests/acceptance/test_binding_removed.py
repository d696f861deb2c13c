"""What somebody removes at the broker while a worker runs: said, not ready, counted, put back."""

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aio_pika.abc import AbstractChannel
from tests.harness.servers import amqp
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.raw_server import Exchange, RawServer
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.running_broker import running_broker
from tests.harness.servers.vhost import Vhost, Vhosts
from tests.harness.store.outage import lasts
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import EVENT_TYPE, Installation
from tests.harness.worker.process import WorkerProcess

SAID_WITHIN_S = 5.0
SHOWN_S = 5.0
RESTORED = "fanout_bindings_restored_total"

Remove = Callable[[AbstractChannel, Vhost], Awaitable[object]]


async def _binding(channel: AbstractChannel, vhost: Vhost) -> None:
    queue = await channel.get_queue(vhost.queue("events"), ensure=False)
    await queue.unbind(vhost.exchange, EVENT_TYPE)


async def _exchange(channel: AbstractChannel, vhost: Vhost) -> None:
    await channel.exchange_delete(vhost.exchange)


async def _exchange_declared_again(channel: AbstractChannel, vhost: Vhost) -> None:
    await channel.exchange_delete(vhost.exchange)
    await channel.declare_exchange(vhost.exchange, "topic", durable=True)


async def _events(channel: AbstractChannel, vhost: Vhost) -> None:
    await channel.queue_delete(vhost.queue("events"))


async def _dead(channel: AbstractChannel, vhost: Vhost) -> None:
    await channel.queue_delete(vhost.queue("dead"))


BY_AMQP: dict[str, tuple[Remove, str, int]] = {
    "exchange": (_exchange, "exchange calendar.events", 1),
    "events queue": (_events, "queue fanout.events", 1),
    "dead queue": (_dead, "queue fanout.dead", 0),
}
BY_MANAGEMENT: dict[str, tuple[Remove, str, int]] = {
    "binding": (_binding, f"binding {EVENT_TYPE} of queue fanout.events", 1),
    "exchange declared again": (_exchange_declared_again, f"binding {EVENT_TYPE}", 1),
}


@pytest.fixture(scope="module")
def managed() -> Iterator[PrivateRabbitMQ]:
    """A broker that also answers over HTTP."""
    with running_broker(management=True) as broker:
        yield broker


@pytest.fixture
async def seen(managed: PrivateRabbitMQ, sqlite_url: str, tmp_path: Path) -> Installation:
    """An installation whose bindings can be seen."""
    where = f"http://127.0.0.1:{managed.management_port}"
    vhost = await Vhosts(managed).fresh()
    installation = Installation(vhost, sqlite_url, tmp_path, FANOUT_MANAGEMENT_URL=where)
    await installation.migrate()
    return installation


@pytest.mark.parametrize(("remove", "words", "bindings"), BY_MANAGEMENT.values(), ids=BY_MANAGEMENT)
async def test_a_binding_that_is_removed_is_said_and_put_back(
    seen: Installation, remove: Remove, words: str, bindings: int
) -> None:
    """Within 5 s, visible for 5 s to whoever looks each second. Before: put back, and no word."""
    await _said_and_put_back(seen, remove, words, bindings)


@pytest.mark.parametrize(("remove", "words", "bindings"), BY_AMQP.values(), ids=BY_AMQP)
async def test_an_exchange_or_a_queue_is_missed_without_the_management_api(
    installation: Installation, remove: Remove, words: str, bindings: int
) -> None:
    """AMQP alone sees these. Before: put back, and no word.

    Whoever has lost its queue within 5 s of attaching rests for 5 s, not ready, and says it then.
    """
    installation.settings["FANOUT_MANAGEMENT_URL"] = "off"
    await _said_and_put_back(installation, remove, words, bindings)


@pytest.mark.parametrize("queue", ["events", "dead", "rejected"])
async def test_a_queue_that_is_declared_otherwise_is_named_with_the_way_out(
    installation: Installation, queue: str
) -> None:
    """While it runs; mended by what was said, it is ready again.

    Fails before: not attached to the queue, and no word of which and why.
    """
    name = installation.vhost.queue(queue)
    async with Receiver() as luma:
        await _register(installation, luma)
        async with installation.worker() as worker:
            async with amqp.channel(installation.vhost.url) as channel:
                await channel.queue_delete(name)
                await channel.declare_queue(name, durable=True)
            said = await worker.readyz_says(f"queue '{name}' exists with other", within=15)
            assert "delete it" in said
            async with amqp.channel(installation.vhost.url) as channel:
                await channel.queue_delete(name)
            await worker.ready(within=30)
            await installation.publish(disconnect("evt_1"))
            await luma.received(1)


async def test_a_mute_management_api_hinders_nothing(installation: Installation) -> None:
    """It takes the request and never answers: events are told, and what is removed is put back."""

    async def mute(_: Exchange) -> None:
        """Say nothing, and leave the connection open."""

    async with RawServer(mute) as server, Receiver() as luma:
        await _register(installation, luma)
        where = server.url(path="")
        async with installation.worker(FANOUT_MANAGEMENT_URL=where) as worker:
            await _remove(installation.vhost, _binding)
            await lasts(SAID_WITHIN_S)
            await installation.publish(disconnect("evt_1"))
            await luma.received(1)
            assert (await worker.readyz())[0] == 200
            assert (await worker.metrics()).value(RESTORED) == 0


async def _said_and_put_back(
    installation: Installation, remove: Remove, words: str, bindings: int
) -> None:
    async with Receiver() as luma:
        await _register(installation, luma)
        async with installation.worker() as worker:
            assert f"\n{RESTORED} 0.0" in await worker.exposition()
            await _remove(installation.vhost, remove)
            within = SAID_WITHIN_S * (2 if remove is _events else 1)
            said = await worker.readyz_says(words, within=within)
            assert "was gone at the broker and was put back" in said
            at = time.monotonic()
            await installation.publish(disconnect("evt_1"))  # mandatory: it is bound again
            await luma.received(1)
            await _counted_and_logged(worker, words, bindings)
            await worker.ready()
            assert time.monotonic() - at > SHOWN_S


async def _counted_and_logged(worker: WorkerProcess, words: str, bindings: int) -> None:
    assert (await worker.metrics()).value(RESTORED) == bindings
    lines = [one for one in worker.stderr.splitlines() if "was put back" in one]
    assert len(lines) == 1
    assert words in lines[0]


async def _register(installation: Installation, luma: Receiver) -> None:
    await installation.register("plat_luma", luma)
    await installation.link("alice@example.com", "plat_luma")


async def _remove(vhost: Vhost, remove: Remove) -> None:
    async with amqp.channel(vhost.url) as channel:
        await remove(channel, vhost)
