"""The sender against servers that are rude, slow, broken or in a forbidden place."""

import asyncio
import gzip
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network

import pytest
import uvloop
from tests.harness.servers.answer import Answer as Scripted
from tests.harness.servers.raw_server import Exchange as OnWire
from tests.harness.servers.raw_server import RawServer, answer_ok, ok
from tests.harness.servers.receiver import Receiver

from disconnect_fanout.adapters.http.answer_body import EXCERPT, MOST_OF_AN_ANSWER
from disconnect_fanout.adapters.http.sender import AiohttpSender
from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, FailureKind, Unable
from disconnect_fanout.flow.webhook import WebhookRequest

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
USER_AGENT = "disconnect-fanout/0.0.test"
HEADERS = {
    "webhook-id": "wh_del_1",
    "webhook-timestamp": "1763740000",
    "webhook-signature": "v1,c2lnbmF0dXJl",
    "X-Cal-Signature-256": "ab12",
    "content-type": "application/json",
    "fanout-attempt": "1",
}
BODY = '{"user_email":"zoë@exämple.com"}'.encode()
MIB = 1024 * 1024


def post(url: str, *, timeout_s: float = 20.0, fresh: bool = False) -> WebhookRequest:
    """The request of these tests."""
    return WebhookRequest("plat_luma", url, dict(HEADERS), BODY, timeout_s, fresh=fresh)


@pytest.fixture
async def sender() -> AsyncIterator[AiohttpSender]:
    """A sender that may reach this machine."""
    sender = AiohttpSender(USER_AGENT, LOOPBACK)
    yield sender
    await sender.close()


@pytest.fixture
async def guarded() -> AsyncIterator[AiohttpSender]:
    """A sender as in production: public addresses only."""
    sender = AiohttpSender(USER_AGENT, [])
    yield sender
    await sender.close()


def failed(outcome: Exchange | Unable) -> Failure:
    """The failure that it has to be."""
    assert isinstance(outcome, Failure), outcome
    return outcome


def says(*parts: bytes) -> Callable[[OnWire], Awaitable[None]]:
    """An answer that says this, whatever it is, and hangs up."""

    async def answer(exchange: OnWire) -> None:
        await exchange.say(*parts)
        exchange.hang_up()

    return answer


# ── the bytes on the wire ────────────────────────────────────────────────────────────────────


async def test_the_wire_holds_what_was_asked_and_nothing_else(sender: AiohttpSender) -> None:
    """Body byte for byte, our headers, and of the library's only what HTTP needs."""
    async with RawServer() as server:
        assert await sender.send(post(server.url(path="/hook?x=%2F1&y"))) == Answer(200)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert body == BODY
    assert line == "POST /hook?x=%2F1&y HTTP/1.1"
    assert sorted(headers) == sorted(
        [f"{name}: {value}" for name, value in HEADERS.items()]
        + [
            f"Host: 127.0.0.1:{server.port}",
            f"user-agent: {USER_AGENT}",
            "Accept: */*",
            "accept-encoding: identity",
            f"Content-Length: {len(BODY)}",
        ]
    )


async def test_no_cookie_is_kept(sender: AiohttpSender) -> None:
    """What a platform sets is not sent back to it, nor to another."""

    async def answer(exchange: OnWire) -> None:
        await exchange.say(ok(b"", b"set-cookie: a=b; path=/"))

    async with RawServer(answer) as server:
        for _ in range(2):
            await sender.send(post(server.url()))
    assert b"cookie" not in server.requests[1].lower()


async def test_one_connection_carries_many_webhooks(sender: AiohttpSender) -> None:
    """Keep-alive: a connection for each delivery would cost a TLS handshake each."""
    async with RawServer() as server:
        for _ in range(25):
            assert await sender.send(post(server.url())) == Answer(200)
    assert (server.connections, len(server.requests)) == (1, 25)


async def test_a_fresh_one_never_reuses_nor_is_reused(sender: AiohttpSender) -> None:
    """The second try says that it is the only one on its connection."""
    async with RawServer() as server:
        await sender.send(post(server.url()))
        for _ in range(2):
            await sender.send(post(server.url(), fresh=True))
        await sender.send(post(server.url()))
    assert server.connections == 3
    assert [b"Connection: close" in one for one in server.requests] == [False, True, True, False]


# ── answers ──────────────────────────────────────────────────────────────────────────────────


async def test_a_redirect_is_not_followed(sender: AiohttpSender) -> None:
    """Neither elsewhere nor to the same server; a followed one turns POST into GET."""
    async with Receiver() as elsewhere:
        redirect = Scripted(status=302, headers={"Location": elsewhere.url}, body=b"over there")
        async with Receiver(redirect) as luma:
            assert await sender.send(post(luma.url)) == Answer(302, None, "over there")
            assert [one.method for one in luma.requests] == ["POST"]
    assert elsewhere.requests == []


async def test_an_endless_answer_is_cut_off(sender: AiohttpSender) -> None:
    """Of 1 GiB little more than the cap is taken; the attempt counts, the connection does not."""
    sent = 0

    async def answer(exchange: OnWire) -> None:
        nonlocal sent
        await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (1024 * MIB))
        while True:
            await exchange.say(b"x" * MOST_OF_AN_ANSWER)
            sent += MOST_OF_AN_ANSWER

    async with RawServer(answer) as server:
        assert await sender.send(post(server.url())) == Answer(200, None, "x" * EXCERPT)
        await asyncio.wait_for(server.ended.wait(), 5)
        await sender.send(post(server.url()))
    assert sent < 16 * MIB  # what the sockets' buffers hold
    assert server.connections == 2


async def test_an_answer_of_just_the_cap_keeps_its_connection(sender: AiohttpSender) -> None:
    """64 KiB are read to the end."""

    async def answer(exchange: OnWire) -> None:
        await exchange.say(ok(b"y" * MOST_OF_AN_ANSWER))

    async with RawServer(answer) as server:
        for _ in range(2):
            assert await sender.send(post(server.url())) == Answer(200, None, "y" * EXCERPT)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        (b"a\x00b", "a\ufffdb"),
        ("grüße".encode("latin-1"), "gr\ufffd\ufffde"),
        ("é".encode() * EXCERPT, "é" * (EXCERPT // 2)),
        (b"", ""),
    ],
    ids=["nul", "not utf-8", "the first KiB", "empty"],
)
async def test_the_excerpt_can_be_stored_and_shown(
    sender: AiohttpSender, body: bytes, excerpt: str
) -> None:
    """The first 1 KiB, without NUL (PostgreSQL takes none), whatever the platform sent."""

    async def answer(exchange: OnWire) -> None:
        await exchange.say(ok(body))

    async with RawServer(answer) as server:
        assert await sender.send(post(server.url())) == Answer(200, None, excerpt)


async def test_a_packed_answer_is_not_unpacked(sender: AiohttpSender) -> None:
    """A bomb stays small: what is kept is what came."""
    packed = gzip.compress(b"z" * MIB, mtime=0)

    async def answer(exchange: OnWire) -> None:
        await exchange.say(ok(packed, b"content-encoding: gzip"))

    async with RawServer(answer) as server:
        outcome = await sender.send(post(server.url()))
    expected = packed[:EXCERPT].decode(errors="replace").replace("\x00", "\ufffd")
    assert outcome == Answer(200, None, expected)


# ── time ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("timeout_s", "at_most_s"), [(30.0, 3.0), (0.3, 0.9)], ids=["long", "short"]
)
async def test_a_body_that_does_not_end_is_not_waited_for(
    sender: AiohttpSender, timeout_s: float, at_most_s: float
) -> None:
    """The head has decided; a slot is held for a second more at most, and within the time-out."""
    drip = Scripted(body=b"." * 1000, drip=0.02)
    async with Receiver(drip) as luma:
        began = time.monotonic()
        outcome = await sender.send(post(luma.url, timeout_s=timeout_s))
    assert time.monotonic() - began < at_most_s
    assert isinstance(outcome, Answer)
    assert outcome.status == 200
    late = "answered 200; the rest of its answer did not come in time: ..."
    assert outcome.words.startswith(late)


async def test_a_handshake_that_never_ends_is_timed_out(sender: AiohttpSender) -> None:
    """The time-out covers the connection as well."""

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    done = asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    outcome = failed(await sender.send(post(f"https://127.0.0.1:{port}/", timeout_s=0.3)))
    assert outcome.kind is FailureKind.TIMED_OUT
    done.set()
    server.close()


async def test_a_time_out_ends_the_connection(sender: AiohttpSender) -> None:
    """A late answer must not be taken for that of the next request."""

    async def answer(exchange: OnWire) -> None:
        if exchange.connection == 1:
            await late.wait()
        await exchange.say(ok(b"for connection %d" % exchange.connection))

    late = asyncio.Event()
    async with RawServer(answer) as server:
        assert isinstance(await sender.send(post(server.url(), timeout_s=0.2)), Failure)
        late.set()
        assert await sender.send(post(server.url())) == Answer(200, None, "for connection 2")


# ── connections that end ─────────────────────────────────────────────────────────────────────


async def test_a_stale_connection_is_told_from_a_failing_platform(sender: AiohttpSender) -> None:
    """A reused connection that ends before any answer is one; then a fresh try succeeds."""

    async def answer(exchange: OnWire) -> None:
        if len(server.requests) == 2:
            exchange.reset()
        else:
            await exchange.say(ok())

    async with RawServer(answer) as server:
        assert await sender.send(post(server.url())) == Answer(200)
        stale = failed(await sender.send(post(server.url())))
        assert (stale.kind, stale.reused) == (FailureKind.DISCONNECTED, True)
        assert await sender.send(post(server.url(), fresh=True)) == Answer(200)


async def test_a_head_that_arrived_is_never_called_stale(sender: AiohttpSender) -> None:
    """The platform heard us, and said yes: a second try at once would only be a second telling."""

    async def answer(exchange: OnWire) -> None:
        if len(server.requests) == 2:
            await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
            exchange.hang_up()
        else:
            await exchange.say(ok())

    async with RawServer(answer) as server:
        await sender.send(post(server.url()))
        broken = await sender.send(post(server.url()))
    assert server.connections == 1
    assert broken == Answer(200, None, "half", "the rest of its answer was cut short")
    assert broken.words == "answered 200; the rest of its answer was cut short: half"


async def test_half_a_head_is_no_stale_connection(sender: AiohttpSender) -> None:
    """It began to answer, so it has heard us: the schedule decides when it is told again."""

    async def answer(exchange: OnWire) -> None:
        await exchange.say(ok()[:20] if len(server.requests) == 2 else ok())
        if len(server.requests) == 2:
            exchange.hang_up()

    async with RawServer(answer) as server:
        await sender.send(post(server.url()))
        broken = failed(await sender.send(post(server.url())))
    assert (server.connections, broken.kind) == (1, FailureKind.DISCONNECTED)
    assert not broken.reused


async def test_a_connection_closed_while_idle_costs_nothing(sender: AiohttpSender) -> None:
    """Seen as closed, it is not used again."""

    async def answer(exchange: OnWire) -> None:
        await exchange.say(ok())
        exchange.hang_up()

    async with RawServer(answer) as server:
        for _ in range(3):
            assert await sender.send(post(server.url())) == Answer(200)
            await asyncio.sleep(0)
    assert server.connections == 3


async def test_nobody_listening_is_unreachable(sender: AiohttpSender, unused_port: int) -> None:
    """In the words of the system."""
    outcome = await sender.send(post(f"http://127.0.0.1:{unused_port}/"))
    assert outcome == Failure(FailureKind.UNREACHABLE, "Connection refused")


async def test_a_name_that_does_not_resolve_is_unreachable(sender: AiohttpSender) -> None:
    """DNS trouble passes, so it is retried."""
    outcome = await sender.send(post("http://nothing.invalid/"))
    assert outcome == Failure(FailureKind.UNREACHABLE, "the host name does not resolve")


@pytest.fixture
async def unused_port() -> int:
    """A port on which nobody listens."""
    async with RawServer() as server:
        return server.port


GARBAGE = {
    "nothing": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "noise": bytes(range(256)) * 8,
    "a broken status": b"HTTP/1.1 two hundred\r\n\r\n",
    "a long header": b"HTTP/1.1 200 OK\r\nx: " + b"h" * 100_000 + b"\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 50_000 + b"\r\n",
    "only promises": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3,
}
WORDS = (
    "what came back is no HTTP answer",
    "the head of its answer is longer than 64 KiB",
    "the connection ended without a complete answer (",
)


@pytest.mark.parametrize("said", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_is_a_disconnect(sender: AiohttpSender, said: bytes) -> None:
    """What is no HTTP answer is retried, and its words stay out of ours."""
    async with RawServer(says(said)) as server:
        outcome = failed(await sender.send(post(server.url())))
    assert outcome.kind is FailureKind.DISCONNECTED
    assert outcome.detail.startswith(WORDS)


async def _babble(sender: AiohttpSender, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    said = bytearray(chance.choice([ok(b"body"), *GARBAGE.values()])[:2000])
    for _ in range(chance.randrange(8)):
        said.insert(chance.randrange(len(said) + 1), chance.randrange(256))
    async with RawServer(says(bytes(said))) as server:
        assert isinstance(await sender.send(post(server.url(), timeout_s=2)), Answer | Failure)


async def test_no_bytes_of_a_platform_raise(sender: AiohttpSender) -> None:
    """200 mutilated answers: each is an answer or a failure."""
    await asyncio.gather(*(_babble(sender, seed) for seed in range(200)))


def test_nor_do_they_on_uvloop(unused_port: int) -> None:
    """The loop that runs in production raises other errors, and they are values as well."""

    async def main() -> None:
        sender = AiohttpSender(USER_AGENT, LOOPBACK)
        await asyncio.gather(*(_babble(sender, seed) for seed in range(100)))
        refused = await sender.send(post(f"http://127.0.0.1:{unused_port}/"))
        assert refused == Failure(FailureKind.UNREACHABLE, "Connection refused")
        guarded = AiohttpSender(USER_AGENT, [])
        blocked = failed(await guarded.send(post("http://127.0.0.1:1/")))
        assert blocked.kind is FailureKind.BLOCKED
        await guarded.close()
        async with RawServer() as server:
            assert await sender.send(post(server.url())) == Answer(200)
            await sender.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


SECRET_URLS = [
    "http://127.0.0.1:{port}/s3cret-path?token=s3cret",
    "https://127.0.0.1:{port}/s3cret-path?token=s3cret",
    "http://s3cret:s3cret@127.0.0.1:{port}/",
    "http://nothing.invalid/s3cret?s3cret",
    "http://[::s3cret/",
    "ftp://127.0.0.1/s3cret",
    "s3cret",
]


@pytest.mark.parametrize("url", SECRET_URLS)
@pytest.mark.parametrize("said", [GARBAGE["noise"], b""], ids=["noise", "nothing"])
async def test_no_failure_tells_the_url(
    sender: AiohttpSender, guarded: AiohttpSender, url: str, said: bytes
) -> None:
    """A path or query may be the platform's secret, and failures are logged."""
    async with RawServer(says(said)) as server:
        for one in (sender, guarded):
            outcome = failed(await one.send(post(url.format(port=server.port), timeout_s=0.5)))
            assert "s3cret" not in outcome.detail


# ── the address guard ────────────────────────────────────────────────────────────────────────

FORBIDDEN = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "0",
    "0.0.0.0",  # noqa: S104 - where nobody binds
    "[::]",
    "2130706433",
    "017700000001",
    "0x7f.1",
    "127.1",
    "169.254.169.254",
    "10.0.0.1",
    "100.64.0.1",
]


@pytest.mark.parametrize("host", FORBIDDEN)
@pytest.mark.parametrize("fresh", [False, True], ids=["pooled", "fresh"])
async def test_a_forbidden_address_is_blocked(
    guarded: AiohttpSender,
    host: str,
    fresh: bool,  # noqa: FBT001
) -> None:
    """In whatever form it is written, and before a socket is opened."""
    async with RawServer(host="127.0.0.1") as server:
        url = f"http://{host}:{server.port}/hook"
        outcome = failed(await guarded.send(post(url, timeout_s=5, fresh=fresh)))
        assert outcome.kind is FailureKind.BLOCKED
        assert server.connections == 0


async def test_an_allowed_network_is_reached(sender: AiohttpSender) -> None:
    """``FANOUT_ALLOW_NETWORKS`` lets tests and private platforms in, by any name."""
    async with RawServer() as server:
        for host in ("127.0.0.1", "localhost"):
            assert await sender.send(post(server.url(host))) == Answer(200)


async def test_a_cancelled_send_ends_its_connection(sender: AiohttpSender) -> None:
    """A shutdown leaves no request hanging at a platform."""

    async def answer(_exchange: OnWire) -> None:
        arrived.set()

    arrived = asyncio.Event()
    async with RawServer(answer) as server:
        sending = asyncio.create_task(sender.send(post(server.url())))
        await arrived.wait()
        sending.cancel()
        await asyncio.wait_for(server.ended.wait(), 5)


async def test_closing_ends_idle_connections() -> None:
    """Nothing is left open."""
    sender = AiohttpSender(USER_AGENT, LOOPBACK)
    async with RawServer(answer_ok) as server:
        await sender.send(post(server.url()))
        await sender.close()
        await asyncio.wait_for(server.ended.wait(), 5)
