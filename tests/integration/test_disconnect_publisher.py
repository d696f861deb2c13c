"""``disconnect_events.DisconnectPublisher``: what upstream services publish with."""

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from tests.harness.servers import amqp
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.running_broker import running_broker
from tests.harness.servers.vhost import Vhost

from disconnect_events import (
    BrokerRefused,
    ConnectEventV1,
    DisconnectDataV1,
    DisconnectEventV1,
    DisconnectPublisher,
    EventTooLarge,
    NobodyListens,
    NotConfirmed,
    PublishFailed,
    example,
)
from disconnect_fanout.adapters.broker.codec import decode_event
from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.domain.event import DisconnectEvent

NAMES = Topology()
AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)


def disconnect(event_id: str | None = None, **changes: Any) -> DisconnectEventV1:
    """An event, valid unless the changes are not."""
    return DisconnectEventV1(
        id=event_id or f"evt_{uuid.uuid4().hex}",
        event_type="user.calendar.disconnected",
        timestamp=AT,
        api_version="v1",
        data=DisconnectDataV1(
            user_email="alice@example.com",
            google_id="105942374304",
            disconnected_at=AT,
            reason="revoked",
        ),
        **changes,
    )


@pytest.fixture
async def names(vhost: Vhost, amqp_url: str) -> Topology:
    """Everything declared in a fresh vhost."""
    topology = Topology(vhost.exchange, vhost.prefix)
    async with await open_connection(amqp_url, "test") as connection:
        await declare(connection, topology)
    return topology


@pytest.fixture
async def publisher(names: Topology, amqp_url: str) -> AsyncIterator[DisconnectPublisher]:
    """A publisher there."""
    async with DisconnectPublisher(amqp_url, exchange=names.exchange) as publisher:
        yield publisher


async def test_what_is_published_is_what_the_worker_reads(
    publisher: DisconnectPublisher, names: Topology, amqp_url: str
) -> None:
    """Persistent JSON under the event's id; also with an id that no property could hold."""
    events = [disconnect("evt_1"), disconnect("é" * 128, platform_ids=["plat_luma"])]
    await asyncio.gather(*(publisher.publish(one) for one in events))
    kept = await amqp.browse(amqp_url, names.events_queue)
    read = [decode_event(one.body, one.content_type) for one in kept]
    assert {one.id for one in read if isinstance(one, DisconnectEvent)} == {"evt_1", "é" * 128}
    assert {one.delivery_mode for one in kept} == {2}
    assert "evt_1" in {one.message_id for one in kept}


async def test_an_event_that_nobody_takes_is_an_error(
    publisher: DisconnectPublisher, amqp_url: str
) -> None:
    """No binding for connects, or no exchange: it says what to run, and nothing is stored."""
    connect = ConnectEventV1.model_validate_json(json.dumps(example.CONNECT))
    with pytest.raises(NobodyListens, match=r"takes 'user\.calendar\.connected'") as caught:
        await publisher.publish(connect)
    assert caught.value.event_id == connect.id
    async with DisconnectPublisher(amqp_url, exchange="nowhere") as lost:
        with pytest.raises(NobodyListens, match="exchange 'nowhere'; run `fanout migrate`"):
            await lost.publish(disconnect())


async def test_nothing_that_the_worker_would_reject_is_sent(
    publisher: DisconnectPublisher, names: Topology, amqp_url: str
) -> None:
    """An event made past its validation, and one over 1 MiB."""
    made_up = DisconnectEventV1.model_construct(**{**dict(disconnect()), "id": "with space"})
    with pytest.raises(ValidationError):
        await publisher.publish(made_up)
    many = [f"{n:0128}" for n in range(9000)]
    with pytest.raises(EventTooLarge, match="at most 1048576"):
        await publisher.publish(disconnect(platform_ids=many))
    assert await amqp.depth(amqp_url, names.events_queue) == 0


def test_a_url_of_something_else_is_refused_at_once() -> None:
    """Before anything is published; the words hold none of it."""
    with pytest.raises(ValueError, match="must start with amqp") as caught:
        DisconnectPublisher("https://user:hidden@example.com")
    assert "hidden" not in str(caught.value)


async def test_where_nobody_answers_it_gives_up_in_time() -> None:
    """Nothing was sent, and it says so; the waits between grow and are not real here."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    publisher = DisconnectPublisher("amqp://127.0.0.1:1", give_up_after_s=1, sleep=sleep)
    with pytest.raises(NotConfirmed, match=r"within 1 s \(nothing was sent\)") as caught:
        await publisher.publish(disconnect())
    assert not caught.value.sent
    assert len(waits) > 3
    assert waits[0] < waits[3]


def test_it_takes_nothing_of_the_worker_along() -> None:
    """Imported by itself it knows no worker and no database; the contracts alone no broker."""
    check = (
        "import sys, disconnect_events as d; a = set(sys.modules); d.DisconnectPublisher; "
        "b = set(sys.modules); print('aio_pika' in a, 'aio_pika' in b, "
        "[m for m in ('disconnect_fanout', 'sqlalchemy', 'aiohttp', 'typer') if m in b])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "False True []\n"


@pytest.fixture(scope="module")
def broker() -> Iterator[PrivateRabbitMQ]:
    """A broker for what follows, with everything declared."""
    with running_broker(declared=NAMES) as broker:
        yield broker


@pytest.mark.parametrize(
    ("user", "vhost", "words"),
    [
        ("guest:wrong", "", "refused the user"),
        ("guest:guest", "nowhere", "refused the user, the password or the vhost"),
        ("reader:secret", "", "may not write to exchange 'calendar.events'"),
    ],
    ids=["password", "vhost", "permission"],
)
async def test_a_refusal_is_not_tried_again(
    broker: PrivateRabbitMQ, user: str, vhost: str, words: str
) -> None:
    """It would be refused for ever; the words hold no password."""
    if user.startswith("reader"):
        await broker.rabbitmqctl("add_user", *user.split(":"))
        await broker.rabbitmqctl("set_permissions", "reader", "", "", ".*")
    where = broker.base_url.split("@")[-1].removeprefix("amqp://").rstrip("/")
    async with DisconnectPublisher(f"amqp://{user}@{where}/{vhost}") as publisher:
        with pytest.raises(BrokerRefused, match=words) as caught:
            await publisher.publish(disconnect())
    assert "secret" not in str(caught.value)


async def test_a_crash_in_the_middle_is_waited_for(broker: PrivateRabbitMQ) -> None:
    """Each publish returns in the end, and each event is in the queue, under its own id."""
    events = [disconnect(f"evt_{n}") for n in range(300)]
    one_is_in = asyncio.Event()

    async def publish(publisher: DisconnectPublisher, event: DisconnectEventV1) -> None:
        await publisher.publish(event)
        one_is_in.set()

    async with DisconnectPublisher(broker.url, give_up_after_s=60) as publisher:
        running = [asyncio.create_task(publish(publisher, one)) for one in events]
        await one_is_in.wait()
        await broker.crash()
        await broker.restart()
        await asyncio.gather(*running)
    kept = {one.message_id for one in await amqp.browse(broker.url, NAMES.events_queue)}
    assert kept == {one.id for one in events}


@pytest.mark.parametrize(
    ("query", "confirm_timeout_s", "give_up_after_s"),
    [("", 0.5, 2.0), ("?heartbeat=1", 30.0, 8.0)],
    ids=["time-out", "heartbeat"],
)
async def test_a_frozen_broker_is_given_up_in_time(
    broker: PrivateRabbitMQ, query: str, confirm_timeout_s: float, give_up_after_s: float
) -> None:
    """It may have arrived, and says so; a real cancellation is one. Thawed, it publishes again."""
    publisher = DisconnectPublisher(
        f"{broker.url}{query}",
        give_up_after_s=give_up_after_s,
        confirm_timeout_s=confirm_timeout_s,
    )
    await publisher.publish(disconnect())
    broker.freeze()
    try:
        with pytest.raises(PublishFailed, match=r"\(it may have arrived all the same\)") as one:
            await publisher.publish(disconnect())
        cancelled = asyncio.create_task(publisher.publish(disconnect()))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
    finally:
        broker.thaw()
    assert "alice" not in str(one.value)
    await publisher.publish(disconnect())
    await publisher.close()
