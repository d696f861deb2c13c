"""TLS towards platforms: verified, at least 1.2, and a refusal says which certificate is wrong."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

import pytest
import uvloop
from tests.harness.servers.certificates import Authority
from tests.harness.servers.raw_server import Exchange as OnWire
from tests.harness.servers.raw_server import RawServer, ok

from disconnect_fanout.adapters.http.sender import AiohttpSender
from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, FailureKind, Unable
from disconnect_fanout.flow.webhook import WebhookRequest

NewLoop = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The one authority that this machine trusts."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
async def sender(authority: Authority) -> AsyncIterator[AiohttpSender]:
    """A sender that may reach this machine."""
    assert authority.file.exists()
    sender = AiohttpSender("disconnect-fanout/test", [ip_network("127.0.0.0/8")])
    yield sender
    await sender.close()


async def sent(
    sender: AiohttpSender, server: RawServer, *, times: int = 1, authority: str | None = None
) -> list[Exchange | Unable]:
    """What becomes of requests to ``https://localhost``."""
    url = server.url("localhost")
    request = WebhookRequest("plat_luma", url, {}, b"{}", 10.0, authority)
    return [await sender.send(request) for _ in range(times)]


async def test_a_verified_platform_is_told(sender: AiohttpSender, authority: Authority) -> None:
    """With a certificate for its name, from an authority that we trust; over one handshake."""
    async with RawServer(tls=authority.server()) as server:
        assert await sent(sender, server, times=3) == [Answer(200)] * 3
    assert server.connections == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda ca: ca.self_signed(), "TLS: self-signed certificate"),
        (lambda ca: ca.server(expired=True), "TLS: certificate has expired"),
        (
            lambda ca: ca.server("another.example"),
            "TLS: Hostname mismatch, certificate is not valid for 'localhost'.",
        ),
    ],
    ids=["self-signed", "expired", "wrong host"],
)
async def test_a_wrong_certificate_is_refused_by_name(
    sender: AiohttpSender, authority: Authority, make: object, words: str
) -> None:
    """The operator reads what is wrong; the platform reads nothing."""
    assert callable(make)
    async with RawServer(tls=make(authority)) as server:
        assert await sent(sender, server) == [Failure(FailureKind.TLS_FAILED, words)]
    assert server.requests == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_tls_1_1_is_refused(sender: AiohttpSender, authority: Authority) -> None:
    """The least is 1.2."""
    context = authority.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    lenient = ssl.create_default_context()
    lenient.set_ciphers("ALL:@SECLEVEL=0")
    lenient.minimum_version = ssl.TLSVersion.TLSv1
    async with RawServer(tls=context) as server:
        (outcome,) = await sent(sender, server)
        assert isinstance(outcome, Failure)
        _, writer = await asyncio.open_connection("localhost", server.port, ssl=lenient)
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.1"  # it does serve somebody
        writer.close()
    assert server.requests == []


async def test_tls_1_2_is_accepted(sender: AiohttpSender, authority: Authority) -> None:
    """Old, but in order."""
    context = authority.server()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with RawServer(tls=context) as server:
        assert await sent(sender, server) == [Answer(200)]


async def test_plain_http_behind_an_https_url_is_refused(sender: AiohttpSender) -> None:
    """Nothing is sent in clear because the other side does not speak TLS."""
    async with RawServer() as server:
        request = WebhookRequest("p", f"https://localhost:{server.port}/", {}, b"{}", 0.5)
        outcome = await sender.send(request)
        assert isinstance(outcome, Failure)
        assert server.requests == []


async def test_a_platforms_own_authority_stands_in_the_place_of_the_machines(
    sender: AiohttpSender, authority: Authority, tmp_path: Path
) -> None:
    """Its certificates are believed, and nobody else's any more, over pooled connections too."""
    (tmp_path / "other").mkdir()
    own = Authority(tmp_path / "other")
    pem = own.file.read_text()
    stranger = Failure(FailureKind.TLS_FAILED, "TLS: certificate signature failure")
    async with RawServer(tls=own.server()) as server:
        assert await sent(sender, server, authority=pem) == [Answer(200)]
        assert await sent(sender, server) == [stranger]
        assert await sent(sender, server, times=2, authority=pem) == [Answer(200)] * 2
        assert server.connections == 1, "the one that was believed is kept alive"
    async with RawServer(tls=authority.server()) as server:
        assert await sent(sender, server) == [Answer(200)]
        assert await sent(sender, server, authority=pem) == [stranger]


@pytest.mark.parametrize("pem", ["", " ", "nonsense", "x" * 70_000])
async def test_an_unreadable_authority_tells_nobody(
    sender: AiohttpSender, authority: Authority, pem: str
) -> None:
    """Written past the command that checks it: a failure of TLS, never a fall back to others."""
    async with RawServer(tls=authority.server()) as server:
        words = "TLS: the platform's authority can't be read"
        assert await sent(sender, server, authority=pem) == [Failure(FailureKind.TLS_FAILED, words)]
    assert server.requests == []


@pytest.fixture
def asking(authority: Authority) -> Iterator[int]:
    """The port of a platform that lets in whom it knows; asyncio's servers send no alert."""
    context = authority.server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        peer, _ = listener.accept()
        with peer, suppress(ssl.SSLError):
            context.wrap_socket(peer, server_side=True)

    thread = threading.Thread(target=refuse)
    thread.start()
    yield listener.getsockname()[1]
    thread.join(5)
    listener.close()


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_platform_that_asks_for_a_client_certificate_is_named(
    asking: int, loop_factory: NewLoop
) -> None:
    """TLS 1.3 says so after the handshake, at the first read: still a failure of TLS."""

    async def main() -> Exchange | Unable:
        sender = AiohttpSender("disconnect-fanout/test", [ip_network("127.0.0.0/8")])
        request = WebhookRequest("p", f"https://localhost:{asking}/", {}, b"{}", 10.0)
        outcome = await sender.send(request)
        await sender.close()
        return outcome

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        words = "TLS: the platform asks for a client certificate"
        assert runner.run(main()) == Failure(FailureKind.TLS_FAILED, words)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_one_handshake_carries_many_webhooks(
    authority: Authority, version: ssl.TLSVersion, loop_factory: NewLoop
) -> None:
    """The tickets that TLS 1.3 sends are no answer, and cost no connection."""

    async def main() -> int:
        sender = AiohttpSender("disconnect-fanout/test", [ip_network("127.0.0.0/8")])
        context = authority.server()
        context.minimum_version = context.maximum_version = version
        async with RawServer(tls=context) as server:
            assert await sent(sender, server, times=50) == [Answer(200)] * 50
        await sender.close()
        return server.connections

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(main()) == 1


@pytest.mark.parametrize("later", [b"HTTP/1.1 410 Gone\r\n\r\n", b"HTTP/1.1 408 Timeout\r\n\r\n"])
async def test_an_unasked_answer_over_tls_is_nobodys(
    sender: AiohttpSender, authority: Authority, later: bytes
) -> None:
    """What lies encrypted in the kernel counts as well."""
    wires: list[OnWire] = []

    async def answer(wire: OnWire) -> None:
        wires.append(wire)
        await wire.say(ok(b"%d" % wire.connection))

    async with RawServer(answer, tls=authority.server()) as server:
        assert await sent(sender, server) == [Answer(200, None, "1")]
        wires[0].say_at_once(later)
        assert await sent(sender, server) == [Answer(200, None, "2")]


async def test_a_head_before_an_end_without_farewell_is_heard(
    sender: AiohttpSender, authority: Authority
) -> None:
    """TLS that breaks behind the head takes nothing away from it."""

    async def answer(wire: OnWire) -> None:
        await wire.say(b"HTTP/1.1 410 Gone\r\ncontent-length: 9\r\n\r\nhalf")
        wire.reset()

    async with RawServer(answer, tls=authority.server()) as server:
        remark = "the rest of its answer was cut short"
        assert await sent(sender, server) == [Answer(410, None, "half", remark)]
