"""The relay: what can't be written as a message is set aside alone, an outage hits nobody."""

from collections.abc import Mapping, Sequence

import pytest
from tests.harness.store.examples import event

from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.flow.fact import Fact
from disconnect_fanout.flow.outage import BrokerUnreachable
from disconnect_fanout.flow.relay import Promise, Relay


class ShortOutbox:
    """``flow.relay.Outbox`` in memory."""

    def __init__(self, *events: DisconnectEvent) -> None:
        self.promises = [Promise(number, one) for number, one in enumerate(events)]
        self.aside: dict[int, str] = {}

    async def take(self, limit: int, for_s: float) -> Sequence[Promise]:  # noqa: ARG002 - the port's
        taken, self.promises = self.promises[:limit], self.promises[limit:]
        self.taken = {one.number: one for one in taken}
        return taken

    async def set_aside(self, problems: Mapping[int, str]) -> None:
        self.aside |= problems

    async def give_back(self, numbers: Sequence[int]) -> None:
        self.promises = [self.taken[one] for one in numbers] + self.promises

    async def kept(self, numbers: Sequence[int]) -> None:
        for one in numbers:
            del self.taken[one]


def relay(outbox: ShortOutbox, ends: Mapping[str, Exception], sent: list[str]) -> Relay:
    """Return one whose publishing ends so, by event."""

    async def publish(one: DisconnectEvent) -> None:
        if one.id in ends:
            raise ends[one.id]
        sent.append(one.id)

    return Relay(outbox, publish, list[Fact]().append)


@pytest.mark.parametrize("error", [ValueError("alice"), TypeError("alice"), KeyError("alice")])
async def test_a_row_that_can_t_be_written_is_set_aside_alone(error: Exception) -> None:
    """Its neighbours are published, nothing is raised, and the error's words are not kept."""
    first, bad, last = [event() for _ in range(3)]
    outbox, sent = ShortOutbox(first, bad, last), list[str]()
    assert await relay(outbox, {bad.id: error}, sent).turn() == 3
    assert sent == [first.id, last.id]
    assert outbox.aside == {1: f"sealed: can't be written as a message: {type(error).__name__}"}
    assert outbox.promises == []


async def test_an_outage_sets_nothing_aside() -> None:
    """What hits everything is nobody's fault: the rows are given back."""
    one, bad, other = [event() for _ in range(3)]
    away = BrokerUnreachable("away")
    outbox, sent = ShortOutbox(one, bad, other), list[str]()
    ends = {one.id: away, bad.id: ValueError(), other.id: away}
    with pytest.raises(BrokerUnreachable):
        await relay(outbox, ends, sent).turn()
    assert list(outbox.aside) == [1]
    assert [promise.event for promise in outbox.promises] == [one, other]
