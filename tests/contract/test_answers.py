"""What the flow may expect of a ``Sender`` when a platform answers in an odd shape, or unasked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from ipaddress import ip_network
from typing import Any, cast

import pytest
import uvloop
from tests.harness.fakes.sender import FakeSender
from tests.harness.servers.answer_shapes import SHAPES, Shape
from tests.harness.servers.raw_server import Exchange as OnWire
from tests.harness.servers.raw_server import RawServer, ok
from tests.harness.servers.shaped_platform import Heard, expected, heard, play, request

from disconnect_fanout.adapters.http.answer_reader import AnswerReader
from disconnect_fanout.adapters.http.connection import PlatformConnection
from disconnect_fanout.adapters.http.sender import AiohttpSender
from disconnect_fanout.domain.outcome import Answer, Exchange, Failure

LOOPBACK = [ip_network("127.0.0.0/8")]


def make() -> AiohttpSender:
    """The real one, for this machine."""
    return AiohttpSender("disconnect-fanout/test", LOOPBACK)


_AT_ONCE = 10


@pytest.fixture
async def sender() -> AsyncIterator[AiohttpSender]:
    """A sender, closed after the test."""
    sender = make()
    yield sender
    await sender.close()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
async def test_the_head_of_the_answer_decides(sender: AiohttpSender, shape: Shape) -> None:
    """Status heard, requests made, connections made: whatever is odd around the status line.

    The second request is always answered by its own answer.
    """
    assert await play(shape, sender) == expected(shape)


def test_it_decides_on_uvloop_too() -> None:
    """The loop that runs in production hears the same of every shape."""

    async def main() -> dict[str, Heard]:
        sender, places = make(), asyncio.Semaphore(_AT_ONCE)

        async def heard(shape: Shape) -> Heard:
            async with places:  # all at once would spend the short time-outs on waiting for us
                return await play(shape, sender)

        shapes = await asyncio.gather(*(heard(shape) for shape in SHAPES.values()))
        await sender.close()
        return dict(zip(SHAPES, shapes, strict=True))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == {name: expected(shape) for name, shape in SHAPES.items()}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
async def test_the_fake_tells_them_alike(shape: Shape) -> None:
    """A test of the flow may give any of them to the fake; it has no connections to count."""
    want = expected(shape)
    sender = FakeSender([_said(want.first, want.retry_after), _said(want.second, None)])
    first = await sender.send(request("https://luma.example/hook"))
    second = await sender.send(request("https://luma.example/hook"))
    got = heard(first, second, len(sender.requests))
    assert (got.first, got.retry_after, got.second) == (want.first, want.retry_after, want.second)


def _said(what: object, retry_after: str | None) -> Exchange:
    return Answer(what, retry_after) if isinstance(what, int) else Failure(what, "odd")  # type: ignore[arg-type]


# ── the contract catches senders that break it ───────────────────────────────────────────────


class TakesUnasked(PlatformConnection):
    """What lies unread is the answer to the next request, as aiohttp's pool has it."""

    _lying = b""

    @property
    def silent(self) -> bool:
        """It does not look."""
        return not self._ended

    def data_received(self, data: bytes) -> None:
        """It keeps them for whoever asks next."""
        if self._reader is None:
            self._lying += data
        else:
            super().data_received(data)

    async def ask(self, request: bytes, reader: AnswerReader) -> None:
        """It feeds what lay there first."""
        lying, self._lying = self._lying, b""
        if lying:
            reader.feed(lying)
        await super().ask(request, reader)


class LooksAtNoKernel(PlatformConnection):
    """It ends a connection on which something came, once the loop has told it so."""

    @property
    def silent(self) -> bool:
        """It does not ask the kernel."""
        return not self._ended and not self._unasked


class KeepsAll(AnswerReader):
    """It keeps every connection, whatever was answered."""

    @property
    def reusable(self) -> bool:
        """Yes."""
        return self.head is not None


UNASKED = ["another later", "a 408 while idle", "half a head while idle"]


@pytest.mark.parametrize("mutant", [TakesUnasked, LooksAtNoKernel])
@pytest.mark.parametrize("name", UNASKED)
async def test_a_sender_that_takes_an_unasked_answer_is_caught(
    sender: AiohttpSender, mutant: type[PlatformConnection], name: str
) -> None:
    """A mutant on whose connections unread bytes answer the next request fails the table."""
    sender._dialer._factory = cast("Any", partial(mutant, sender._dialer._open))
    assert await play(SHAPES[name], sender) != expected(SHAPES[name])


LEFT = ["500", "504 and 200 at once", "another behind it", "408", "says close among others"]


@pytest.mark.parametrize("name", LEFT)
async def test_a_sender_that_keeps_every_connection_is_caught(
    sender: AiohttpSender, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A mutant that goes on where a platform may still owe something fails the table."""
    monkeypatch.setattr("disconnect_fanout.adapters.http.sender.AnswerReader", KeepsAll)
    assert await play(SHAPES[name], sender) != expected(SHAPES[name])


# ── whose answer ─────────────────────────────────────────────────────────────────────────────


async def test_platforms_behind_one_gateway_share_no_connection(sender: AiohttpSender) -> None:
    """What the gateway says to one while it is idle is nobody's, least of all the other's."""
    wires: list[OnWire] = []

    async def answer(wire: OnWire) -> None:
        wires.append(wire)
        await wire.say(ok(b"%d" % wire.connection))

    async with RawServer(answer) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert await sender.send(request(url, platform_id="luma")) == Answer(200, None, "1")
        wires[0].say_at_once(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n")
        assert await sender.send(request(url, platform_id="boardy")) == Answer(200, None, "2")
        assert await sender.send(request(url, platform_id="luma")) == Answer(200, None, "3")
        assert await sender.send(request(url, platform_id="boardy")) == Answer(200, None, "2")


@pytest.mark.parametrize("later", [b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", b"x"])
async def test_what_comes_while_idle_ends_the_connection(
    sender: AiohttpSender, later: bytes
) -> None:
    """At once, not only when it is needed again."""
    wires: list[OnWire] = []

    async def answer(wire: OnWire) -> None:
        wires.append(wire)
        await wire.say(ok())

    async with RawServer(answer) as server:
        await sender.send(request(f"http://127.0.0.1:{server.port}/"))
        await wires[0].say(later)
        await asyncio.wait_for(server.ended.wait(), 5)


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1", ok(b"yours")[:-2]], ids=["no", "half", "all"])
async def test_a_request_cancelled_at_any_head_leaves_nothing_behind(
    sender: AiohttpSender, part: bytes
) -> None:
    """Its answer is not the next one's, and when the sender is closed nothing stays open."""
    answered = asyncio.Event()

    async def answer(wire: OnWire) -> None:
        await wire.say(part if wire.connection == 1 else ok(b"mine"))
        answered.set()

    async with RawServer(answer) as server:
        url = f"http://127.0.0.1:{server.port}/"
        sending = asyncio.create_task(sender.send(request(url)))
        await answered.wait()
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        assert await sender.send(request(url)) == Answer(200, None, "mine")
        await sender.close()
        assert not sender._dialer._open
