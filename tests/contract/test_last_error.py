"""What dead letters are grouped by is written with each outcome."""

from tests.harness.store.examples import (
    DISCONNECTED_AT,
    LEASE_S,
    RETRY,
    attempted,
    claimed,
    registered,
)
from tests.harness.store.world import Ports, World

from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.policy.change import Attempted
from disconnect_fanout.policy.decide import Delivered


async def test_the_error_is_that_of_the_last_failure(worker: Ports, world: World) -> None:
    """Normalised: the class of a status, or words without numbers; a success has none."""
    await world.add_platform("luma")
    name = await registered(worker, lease="mine")
    assert (await world.row(name)).last_error is None
    await worker.ledger.commit([attempted(name, "mine", RETRY, answer="<html>4711")])
    assert (await world.row(name)).last_error == "5xx"

    await world.pass_time(RETRY.wait_s)
    again = await claimed(worker)
    words = "no complete answer within 30 s"
    attempt = Attempt(2, DISCONNECTED_AT, Result.TIMED_OUT, None, 30_000, words)
    await worker.ledger.commit([Attempted(name, "luma", again.lease, attempt, RETRY, 1)])
    assert (await world.row(name)).last_error == "no complete answer within …"

    await world.pass_time(RETRY.wait_s)
    last = await claimed(worker)
    await worker.ledger.commit([attempted(name, last.lease, Delivered(), number=3)])
    assert (await world.row(name)).last_error is None


async def test_an_interrupted_attempt_is_an_error_of_its_own(worker: Ports, world: World) -> None:
    """Its worker ended before it could say what had happened."""
    await world.add_platform("luma")
    name = await registered(worker, lease="a dead worker's")
    await world.pass_time(LEASE_S + 1)
    await claimed(worker)
    assert (await world.row(name)).last_error == "interrupted"
