"""What the flow may expect of a ``Sender``: the real one, and the fake that stands in for it."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Protocol

import pytest
from tests.harness.fakes import sender as fake_sender
from tests.harness.fakes.sender import FakeSender
from tests.harness.servers import answer as wire
from tests.harness.servers.receiver import Receiver

from disconnect_fanout.adapters.http.sender import AiohttpSender
from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, FailureKind, Unable
from disconnect_fanout.flow.deliver import Sender
from disconnect_fanout.flow.webhook import WebhookRequest

HEADERS = {"content-type": "application/json", "webhook-id": "wh_del_1", "fanout-attempt": "1"}
LONG, SHORT = 30.0, 0.2


@dataclass(frozen=True)
class Told:
    """What a platform saw of one request."""

    webhook_id: str
    body: bytes


class Stage(Protocol):
    """A sender, and platforms that answer it."""

    sender: Sender

    @abstractmethod
    async def platform(self, name: str, *script: wire.Answer) -> str:
        """Set up a platform and return its URL."""

    @abstractmethod
    def told(self, name: str) -> list[Told]:
        """Return what it was told."""

    @abstractmethod
    async def awaited(self, name: str) -> None:
        """Wait until it was told something."""


class RealStage(Stage):
    """aiohttp, and real servers on loopback."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.sender = AiohttpSender("disconnect-fanout/test", [ip_network("127.0.0.0/8")])
        self._receivers: dict[str, Receiver] = {}
        self._stack = stack
        stack.push_async_callback(self.sender.close)

    async def platform(self, name: str, *script: wire.Answer) -> str:
        receiver = await self._stack.enter_async_context(Receiver(script))
        self._receivers[name] = receiver
        return receiver.url

    def told(self, name: str) -> list[Told]:
        return [Told(one.webhook_id, one.body) for one in self._receivers[name].requests]

    async def awaited(self, name: str) -> None:
        await self._receivers[name].received(1)


class FakeStage(Stage):
    """The fake, with scripts that say the same."""

    def __init__(self, sender: FakeSender) -> None:
        self.sender: Sender = sender
        self._fake = sender

    async def platform(self, name: str, *script: wire.Answer) -> str:
        self._fake.answers(name, [_step(one) for one in script])
        return f"https://{name}.example/hook"

    def told(self, name: str) -> list[Told]:
        return [Told(one.headers["webhook-id"], one.body) for one in self._fake.sent_to(name)]

    async def awaited(self, name: str) -> None:
        await self._fake.sent(1, name)


def _step(answer: wire.Answer) -> fake_sender.Step:
    if answer.hang:
        return fake_sender.HANG
    if answer.reset:
        return Failure(FailureKind.DISCONNECTED, "reset")
    return Answer(answer.status, answer.headers.get("Retry-After"), answer.body.decode())


@pytest.fixture(params=["real", "fake"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """A stage of each kind."""
    async with AsyncExitStack() as stack:
        yield RealStage(stack) if request.param == "real" else FakeStage(FakeSender())


def post(url: str, name: str = "luma", timeout_s: float = LONG) -> WebhookRequest:
    """A request to a platform."""
    headers = {**HEADERS, "webhook-id": f"wh_del_{name}"}
    return WebhookRequest(name, url, headers, f'{{"to":"{name}"}}'.encode(), timeout_s)


async def test_an_answer_is_told_as_it_was_given(stage: Stage) -> None:
    """Status, Retry-After and the first words arrive, whatever the status."""
    url = await stage.platform(
        "luma",
        wire.Answer(status=200, body=b"thanks"),
        wire.Answer(status=503, headers={"Retry-After": "120"}, body=b"busy"),
        wire.Answer(status=410),
    )
    answers = [await stage.sender.send(post(url)) for _ in range(3)]
    assert answers == [Answer(200, None, "thanks"), Answer(503, "120", "busy"), Answer(410)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer(stage: Stage, status: int) -> None:
    """Nobody is sent elsewhere: the platform it points to hears nothing."""
    elsewhere = await stage.platform("elsewhere", wire.Answer())
    url = await stage.platform("luma", wire.Answer(status=status, headers={"Location": elsewhere}))
    assert await stage.sender.send(post(url)) == Answer(status)
    assert len(stage.told("luma")) == 1
    assert stage.told("elsewhere") == []


async def test_a_platform_that_says_nothing_is_timed_out(stage: Stage) -> None:
    """After the request's own time-out, and as a value."""
    url = await stage.platform("luma", wire.HANG)
    outcome = await stage.sender.send(post(url, timeout_s=SHORT))
    assert outcome == Failure(FailureKind.TIMED_OUT, "no complete answer within 0.2 s")


async def test_a_platform_that_breaks_off_is_a_failure(stage: Stage) -> None:
    """A reset connection is a value, and not one that a stale pool explains."""
    url = await stage.platform("luma", wire.RESET)
    outcome = await stage.sender.send(post(url))
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.reused) == (FailureKind.DISCONNECTED, False)


async def test_requests_run_side_by_side(stage: Stage) -> None:
    """A platform that hangs keeps nobody else waiting."""
    hanging = await stage.platform("hanging", wire.HANG)
    url = await stage.platform("luma", wire.Answer())
    slow = asyncio.create_task(stage.sender.send(post(hanging, "hanging", timeout_s=LONG)))
    await stage.awaited("hanging")
    answers = await asyncio.gather(*(stage.sender.send(post(url)) for _ in range(20)))
    assert answers == [Answer(200)] * 20
    assert not slow.done()
    slow.cancel()


async def test_each_platform_sees_its_own_bytes(stage: Stage) -> None:
    """Id and body arrive as they were handed over, in the order in which they were sent."""
    names = ["luma", "cal"]
    urls = {name: await stage.platform(name, wire.Answer()) for name in names}
    for name in [*names, *names]:
        await stage.sender.send(post(urls[name], name))
    for name in names:
        assert stage.told(name) == [Told(f"wh_del_{name}", b'{"to":"%s"}' % name.encode())] * 2


async def test_a_cancelled_send_is_cancelled(stage: Stage) -> None:
    """A shutdown is not an outcome: nothing is returned that could be recorded as an attempt."""
    url = await stage.platform("luma", wire.HANG)
    sending: asyncio.Task[Exchange | Unable] = asyncio.create_task(stage.sender.send(post(url)))
    await stage.awaited("luma")
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
