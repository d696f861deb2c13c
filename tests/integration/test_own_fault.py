"""A machine that has nothing left: what the real adapters make of it, and on whom it is booked."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest
import uvloop
from aiohttp.client_reqrep import ConnectionKey
from sqlalchemy import text
from tests.harness.servers.receiver import Receiver
from tests.harness.worker.shortage import no_descriptors, no_threads

from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.http.connection import PlatformConnection
from disconnect_fanout.adapters.http.guard import Sightings
from disconnect_fanout.adapters.http.own_fault import own_fault
from disconnect_fanout.adapters.http.sender import AiohttpSender
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.driver_error import named_errors
from disconnect_fanout.domain.outcome import Answer, Failure, FailureKind, Shortage, Unable
from disconnect_fanout.flow.outage import BrokerUnreachable, StoreUnreachable
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.telemetry.metrics import Metrics

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
KEY = ConnectionKey("h", 80, is_ssl=False, ssl=True, proxy=None, proxy_auth=None,
                    proxy_headers_hash=None)  # fmt: skip
V4 = (socket.AF_INET, ("127.0.0.1", 9))
V6_WITHOUT_SOURCE = (socket.AF_INET6, ("fe80::1", 9, 0, socket.if_nametoindex("lo")))
NO_PORT = aiohttp.ClientConnectorError(KEY, OSError(errno.EADDRNOTAVAIL, "no address"))
NO_NAME = aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(socket.EAI_AGAIN, "again"))
NO_MEMORY_FOR_A_NAME = aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(socket.EAI_MEMORY, "m"))
NO_TRUST = aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("no issuer"))
REFUSED = aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(errno.ECONNREFUSED, "refused"))


def post(url: str) -> WebhookRequest:
    """A request of these tests."""
    return WebhookRequest("plat_luma", url, {}, b"{}", 10.0)


@pytest.fixture
async def sender() -> AsyncIterator[AiohttpSender]:
    """A sender that may reach this machine."""
    made = AiohttpSender("disconnect-fanout/test", LOOPBACK)
    yield made
    await made.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_no_descriptor_for_a_request_is_no_failure_of_the_platform(
    sender: AiohttpSender, host: str
) -> None:
    """No socket, by address or by name: no request was made; with a descriptor one is."""
    async with Receiver() as receiver:
        url = f"http://{host}:{receiver.port}/hook"
        with no_descriptors():
            assert await sender.send(post(url)) == Unable(Shortage.DESCRIPTORS)
        assert not receiver.requests
        assert isinstance(await sender.send(post(url)), Answer)


def test_nor_is_it_on_uvloop() -> None:
    """The loop that runs in production wraps other errors around the same want."""

    async def story() -> None:
        sender = AiohttpSender("disconnect-fanout/test", LOOPBACK)
        async with Receiver() as receiver:
            for host in ("127.0.0.1", "localhost"):
                with no_descriptors():
                    exchange = await sender.send(post(f"http://{host}:{receiver.port}/hook"))
                assert exchange == Unable(Shortage.DESCRIPTORS)
            assert not receiver.requests
        await sender.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story())


async def test_a_kept_connection_needs_no_descriptor(sender: AiohttpSender) -> None:
    """Who is connected is told all the same."""
    async with Receiver() as receiver:
        await sender.send(post(receiver.url))
        with no_descriptors():
            assert isinstance(await sender.send(post(receiver.url)), Answer)


@pytest.mark.parametrize(
    ("error", "seen", "shortage"),
    [
        (NO_PORT, Sightings(permitted=1, targets=[V4]), Shortage.PORTS),
        (NO_PORT, Sightings(permitted=1, targets=[V6_WITHOUT_SOURCE]), None),
        (REFUSED, Sightings(permitted=2, shortage=Shortage.DESCRIPTORS), Shortage.DESCRIPTORS),
        (REFUSED, Sightings(permitted=1, targets=[V4]), None),
        (NO_MEMORY_FOR_A_NAME, Sightings(), Shortage.MEMORY),
        (NO_NAME, Sightings(), None),
        (NO_TRUST, Sightings(permitted=1), None),
        (MemoryError(), Sightings(permitted=1), Shortage.MEMORY),
        (MemoryError(), Sightings(permitted=1, written=True), None),
        (RuntimeError("can't start new thread"), Sightings(), Shortage.THREADS),
    ],
)
def test_what_hides_behind_a_connectors_error(
    error: Exception, seen: Sightings, shortage: Shortage | None
) -> None:
    """No port is not no IPv6; one address of two counts; a written request is an attempt."""
    assert own_fault(error, seen) is shortage


@pytest.mark.parametrize("error", [NO_NAME, NO_TRUST], ids=["name", "trust"])
def test_what_swallows_its_want_is_asked_about_it(error: Exception) -> None:
    """A resolver and OpenSSL that can't open their files say only that they found nothing."""
    with no_descriptors():
        assert own_fault(error, Sightings(permitted=1)) is Shortage.DESCRIPTORS
    assert own_fault(error, Sightings(permitted=1)) is None


async def test_no_memory_once_a_request_is_written_is_an_attempt(
    sender: AiohttpSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform may have heard: a failure is recorded, so that requests and attempts agree."""
    async with Receiver() as receiver:

        async def fails(_self: PlatformConnection) -> None:
            raise MemoryError

        monkeypatch.setattr(PlatformConnection, "_news", fails)
        exchange = await sender.send(post(receiver.url))
        assert isinstance(exchange, Failure)
        assert exchange.kind is FailureKind.DISCONNECTED


def test_what_is_given_back_is_counted_from_zero() -> None:
    """Each label of the closed set is there before the first one happens."""
    text = Metrics().exposition().decode()
    for shortage in Shortage:
        assert f'fanout_attempts_given_back_total{{why="{shortage.value}"}} 0.0' in text


async def test_a_database_file_that_can_not_be_opened_is_an_outage(tmp_path: Path) -> None:
    """SQLite says that it can't open the file; that passes, and what waits for it waits."""
    file = tmp_path / "some.db"
    file.touch()
    database = Database(f"sqlite+aiosqlite:///{file}")
    with no_descriptors(), pytest.raises(StoreUnreachable):
        await _look(database)
    await _look(database)
    await database.close()


async def test_a_postgres_connection_that_can_not_be_made_is_an_outage(postgres_url: str) -> None:
    """No socket for one more connection."""
    database = Database(postgres_url)
    with no_descriptors(), pytest.raises(StoreUnreachable):
        await _look(database)
    await _look(database)
    await database.close()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        OSError(errno.EMFILE, "Too many open files"),
        ExceptionGroup("several", [OSError(errno.ENFILE, "of all")]),
    ],
    ids=repr,
)
async def test_what_a_driver_lacks_is_an_outage(error: Exception) -> None:
    """A driver's thread that can't be started, memory that a row would need: tried again."""
    with pytest.raises(StoreUnreachable):
        async with named_errors():
            raise error


async def test_a_database_without_threads_is_an_outage(tmp_path: Path) -> None:
    """SQLite's driver has a thread for each connection; none can be started for a while."""
    file = tmp_path / "some.db"
    file.touch()
    database = Database(f"sqlite+aiosqlite:///{file}")
    with no_threads(), pytest.raises(StoreUnreachable):
        await _look(database)
    await _look(database)
    await database.close()


async def test_a_broker_that_can_not_be_dialled_is_an_outage(amqp_url: str) -> None:
    """No socket for it: tried again, as when it does not answer."""
    with no_descriptors(), pytest.raises(BrokerUnreachable):
        await open_connection(amqp_url, "test")
    await (await open_connection(amqp_url, "test")).close()


async def _look(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(text("SELECT 1"))
