"""What we use of aiohttp that it does not document: this fails when an update changes it."""

import inspect
import ssl
from ipaddress import ip_network

import aiohttp
from tests.harness.servers.raw_server import RawServer
from yarl import URL

from disconnect_fanout.adapters.http.connection import PlatformConnection
from disconnect_fanout.adapters.http.dialer import Dialer
from disconnect_fanout.adapters.http.guard import AddressGuard


async def test_aiohttps_connector_is_what_we_took_it_for() -> None:
    """One attribute makes the protocol, one method connects, and the request is as we make it."""
    connector = aiohttp.TCPConnector()
    assert callable(connector._factory)
    await connector.close()
    made = inspect.signature(aiohttp.TCPConnector._create_direct_connection).parameters
    assert list(made) == ["self", "req", "traces", "timeout", "client_error"]
    asked = inspect.signature(aiohttp.ClientRequest.__init__).parameters
    assert {"method", "url", "ssl", "loop"} <= set(asked)


async def test_a_connection_is_ours_from_its_first_byte() -> None:
    """The connector makes our protocol, keeps no connection, and counts none as its own."""
    dialer = Dialer(AddressGuard([ip_network("127.0.0.0/8")]))
    async with RawServer() as server:
        url = URL(server.url()).origin()
        connection = await dialer.dial(url, ssl.create_default_context())
        assert isinstance(connection, PlatformConnection)
        assert connection.silent
        assert not dialer._conns
        assert not dialer._acquired
        await dialer.hang_up()
        assert connection.lost.done()
        assert not connection.silent
