"""The proxy does the harm that it says, and no other."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.faults.proxy import Proxy, Way


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """In front of a server that says everything twice."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while word := await reader.read(100):
            writer.write(word * 2)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def test_what_is_held_back_arrives_when_the_wire_is_whole(proxy: Proxy) -> None:
    """Each direction by itself; nothing is lost, and the bytes are counted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    for way in Way:
        held_before = proxy.held_bytes
        proxy.hold(way)
        writer.write(b"ab")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(4), 0.2)
        assert proxy.held_bytes > held_before
        proxy.heal()
        assert await reader.readexactly(4) == b"abab"
    writer.close()


async def test_a_cut_ends_connections_and_takes_new_ones(proxy: Proxy) -> None:
    """A reset, and counted; a refusal takes no new connection until it is lifted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"a")
    assert await reader.readexactly(2) == b"aa"
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    assert proxy.cut_off == 2
    await proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)
    await proxy.accept()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"b")
    assert await reader.readexactly(2) == b"bb"
    writer.close()


async def test_a_delay_is_felt_and_counted(proxy: Proxy) -> None:
    """Both ways, so an exchange takes twice as long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    proxy.delay_s = 0.1
    began = asyncio.get_running_loop().time()
    writer.write(b"a")
    await reader.readexactly(2)
    assert asyncio.get_running_loop().time() - began >= 0.2
    assert proxy.delayed_pieces == 2
    writer.close()


async def test_a_mute_connection_says_nothing_and_new_ones_are_served(proxy: Proxy) -> None:
    """Neither that it is lost, nor anything else; for ever."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"a")
    assert await reader.readexactly(2) == b"aa"
    proxy.mute()
    writer.write(b"b")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.2)
    assert proxy.muted == 1
    other, another = await asyncio.open_connection("127.0.0.1", proxy.port)
    another.write(b"c")
    assert await other.readexactly(2) == b"cc"
    for one in (writer, another):
        one.close()


@pytest.mark.parametrize("heard", [True, False])
async def test_a_connection_goes_mute_at_a_word(proxy: Proxy, *, heard: bool) -> None:
    """The server hears it or not; the client hears nothing more."""
    proxy.mute_at(b"COMMIT", heard=heard)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"BEGIN")
    assert await reader.readexactly(10) == b"BEGINBEGIN"
    writer.write(b"COMMIT")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.2)
    assert proxy.muted == 1
    writer.close()
