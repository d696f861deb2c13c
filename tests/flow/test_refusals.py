"""What the database refuses, or our code fails on: an outage, unless one event is guilty alone."""

import asyncio
from dataclasses import replace

import pytest
from tests.harness.flow.stage import FakeMessage, FlowStage, Outside, event
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.rejection import RejectReason
from disconnect_fanout.flow.database_health import Ask, DatabaseHealth
from disconnect_fanout.flow.fact import DutyFailed, DutyResumed, Fact
from disconnect_fanout.flow.outage import (
    BrokerUnreachable,
    DataRefused,
    EverythingCrashes,
    StoreRefuses,
    StoreUnreachable,
)
from disconnect_fanout.flow.supervision.stumbles import LONGEST_REST_S, Stumbles


def _outside() -> Outside:
    outside = Outside()
    outside.register("luma")
    outside.link("alice@example.com", "luma")
    return outside


@pytest.mark.parametrize(
    "refusal",
    [
        StoreRefuses("InsufficientPrivilegeError: permission denied for table events", "42501"),
        StoreRefuses("RaiseError: no", "P0001"),
        StoreUnreachable("LockNotAvailableError: canceling statement due to lock timeout"),
        DataRefused("CheckViolationError: violates check constraint", "23514"),
        DataRefused("NotNullViolationError: null value in column", "23502"),
    ],
)
@pytest.mark.parametrize("events", [1, 2, 40])
def test_what_is_refused_for_all_is_booked_on_no_event(refusal: Exception, events: int) -> None:
    """I12: held, whatever the code says, whether one comes alone or many; then all are told."""

    async def story() -> None:
        outside = _outside()
        outside.tables.refusal = refusal
        async with FlowStage(outside) as worker:
            taken = [worker.take(event(f"evt_{n}")) for n in range(events)]
            for message, task in taken:
                with pytest.raises(StoreUnreachable):
                    await task
                assert not message.acked
            assert outside.rejects.rejected == []
            assert not worker.crashes
            outside.tables.refusal = None
            await asyncio.gather(*(worker.handle(event(f"evt_{n}")) for n in range(events)))
            await pass_time(1)
            assert outside.states() == {"delivered": events}
            assert worker.bulkheads.in_flight("luma") == 0

    in_virtual_time(story())


@pytest.mark.parametrize("neighbours", [0, 1, 40])
def test_what_is_refused_for_what_it_holds_is_set_aside_alone(neighbours: int) -> None:
    """The neighbours in its batch are told; without any, a probe tells that others would pass."""

    async def story() -> None:
        outside = _outside()
        outside.tables.guilty.add("evt_bad")
        async with FlowStage(outside) as worker:
            names = [*(f"evt_{n}" for n in range(neighbours)), "evt_bad"]
            messages = await asyncio.gather(*(worker.handle(event(name)) for name in names))
            assert all(message.acked for message in messages)
            (rejection,) = outside.rejects.rejected
            assert rejection.reason is RejectReason.UNPROCESSABLE
            assert "CheckViolationError" in rejection.detail
            await pass_time(5)  # no more than sixteen of them have a slot at once
            assert outside.states() == ({"delivered": neighbours} if neighbours else {})

    in_virtual_time(story())


def _broken(name: str) -> tuple[FakeMessage, DisconnectEvent]:
    """Return a message whose event our code can't handle."""
    broken = replace(event(name), user=None)  # type: ignore[arg-type]
    return FakeMessage(broken, message_id=name), broken


def test_a_bug_that_hits_one_event_after_the_other_holds_them() -> None:
    """The third in a row is held and said, not rejected; once others pass, one alone is again."""

    async def story() -> None:
        outside = _outside()
        async with FlowStage(outside) as worker:
            for name in ("a", "b"):
                await worker.fan_out.handle(_broken(name)[0])
            assert worker.fan_out.problem is None
            for name in ("c", "d", "a"):
                message, _ = _broken(name)
                with pytest.raises(EverythingCrashes):
                    await worker.fan_out.handle(message)
                assert not message.acked
            assert [one.reason for one in outside.rejects.rejected] == ["unprocessable"] * 2
            assert "AttributeError" in str(worker.fan_out.problem)
            assert (await worker.handle(event("evt_1"))).acked
            assert worker.fan_out.problem is None
            await worker.fan_out.handle(_broken("e")[0])
            assert len(outside.rejects.rejected) == 3

    in_virtual_time(story())


def test_a_duty_that_stumbles_says_so_once_and_rests_longer() -> None:
    """Nothing is repeated in the log; a refusal is visible until it is over."""
    facts: list[Fact] = []
    stumbles = Stumbles("scheduler", facts.append)
    rests = [stumbles.stumbled(StoreRefuses("permission denied", "42501")) for _ in range(8)]
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST_S
    assert facts == [DutyFailed("scheduler", "permission denied")]
    assert stumbles.problem == "scheduler waits: permission denied"
    stumbles.went_well()
    stumbles.went_well()
    assert facts[1:] == [DutyResumed("scheduler")]
    assert stumbles.problem is None
    stumbles.stumbled(BrokerUnreachable("away"))
    assert stumbles.problem is None  # the consumer says that already


def test_health_says_what_the_database_says() -> None:
    """A refusal of what events need outlives the success of other statements."""
    health = DatabaseHealth(lambda: 0.0)
    with pytest.raises(StoreRefuses), health.asking(Ask.EVENT), health.asking(Ask.INTEND):
        raise StoreRefuses("permission denied for table events", "42501")
    with health.asking(Ask.INTEND):
        pass
    assert health.problem == "the database takes no event: permission denied for table events"
    with health.asking(Ask.EVENT):
        pass
    assert health.problem is None
