"""A platform whose first answer has a shape, and who counts what two requests cost it."""

from dataclasses import dataclass

from tests.harness.servers.answer_shapes import Shape, Then
from tests.harness.servers.raw_server import Exchange as OnWire
from tests.harness.servers.raw_server import RawServer, ok

from disconnect_fanout.domain.outcome import Answer, Exchange, FailureKind, Unable
from disconnect_fanout.flow.deliver import Sender
from disconnect_fanout.flow.webhook import WebhookRequest

_BODY = b'{"to":"luma"}'


@dataclass(frozen=True, slots=True)
class Heard:
    """What the sender heard of two requests, and the platform of the sender.

    Attributes:
        first: the status, or the kind of failure.
        connections: None if nobody counts them.
    """

    first: int | FailureKind
    retry_after: str | None
    second: int | FailureKind
    requests: int
    connections: int | None


def expected(shape: Shape) -> Heard:
    """Return what has to be heard."""
    second = shape.heard if shape.tls else 200
    connections = 0 if shape.tls else shape.connections
    return Heard(shape.heard, shape.retry_after, second, shape.requests, connections)


async def play(shape: Shape, sender: Sender) -> Heard:
    """Send two requests to a platform on loopback that answers the first one so."""
    platform = _Platform(shape)
    async with RawServer(platform.answer, greet=platform.greet, early=shape.early) as server:
        url = f"http{'s' if shape.tls else ''}://127.0.0.1:{server.port}/hook"
        first = await sender.send(request(url, shape.timeout_s))
        if shape.later and platform.wire is not None:
            platform.wire.say_at_once(shape.later)
        second = await sender.send(request(url))
        connections = 0 if shape.tls else server.connections
        return heard(first, second, len(server.requests), connections)


def heard(
    first: Exchange | Unable,
    second: Exchange | Unable,
    requests: int,
    connections: int | None = None,
) -> Heard:
    """Put together what was heard."""
    assert not isinstance(first, Unable)
    assert not isinstance(second, Unable)
    asked = first.retry_after if isinstance(first, Answer) else None
    return Heard(_name(first), asked, _name(second), requests, connections)


def request(url: str, timeout_s: float = 20.0, platform_id: str = "luma") -> WebhookRequest:
    """A webhook."""
    return WebhookRequest(platform_id, url, {"webhook-id": "wh_del_1"}, _BODY, timeout_s)


def _name(exchange: Exchange) -> int | FailureKind:
    return exchange.status if isinstance(exchange, Answer) else exchange.kind


class _Platform:
    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.wire: OnWire | None = None

    async def greet(self, wire: OnWire) -> None:
        if self._shape.greets and (self._shape.tls or wire.connection == 1):
            await wire.say(self._shape.greets)
            self._leave(wire)

    async def answer(self, wire: OnWire) -> None:
        if self.wire is not None or self._shape.greets:
            await wire.say(ok())
            return
        self.wire = wire
        await wire.say(*self._shape.says)
        self._leave(wire)

    def _leave(self, wire: OnWire) -> None:
        if self._shape.then is Then.HANGS_UP:
            wire.hang_up()
        elif self._shape.then is Then.RESETS:
            wire.reset()
