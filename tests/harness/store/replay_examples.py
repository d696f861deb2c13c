"""Dead letters by the hundred, and jobs, as the contract tests of replays need them."""

from tests.harness.store.examples import (
    LEASE_S,
    attempted,
    event,
    intent,
    planned,
    registered,
)
from tests.harness.store.world import World

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.replay import ReplayProgress
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered

HORIZON_S = 2.0


async def many_dead(world: World, count: int) -> list[str]:
    """Return the ids of so many dead deliveries."""
    events = [event() for _ in range(count)]
    gone = DeadReason.EXHAUSTED
    plans = [planned(one, "luma", dead=gone) for one in events]
    await world.worker.events.register(
        [intent(one, plan) for one, plan in zip(events, plans, strict=True)]
    )
    names = [plan.id for plan in plans]
    for start in range(0, count, 500):
        some = names[start : start + 500]
        await world.worker.ledger.commit([LetterConfirmed(name, replays=0) for name in some])
    return names


async def claimed_some(world: World, count: int) -> dict[str, str]:
    """Claim so many deliveries; return their leases by id."""
    claims = await world.worker.due.claim(
        "luma", limit=count, lease_s=LEASE_S, holding=(), reclaim=True
    )
    assert len(claims) == count
    return {one.delivery.id: one.delivery.lease for one in claims}


async def told(world: World) -> str:
    """Return a delivery that was delivered."""
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([attempted(name, "mine", Delivered())])
    return name


async def progress(world: World, job: str) -> ReplayProgress:
    """Return a job's progress, which must be there."""
    found = await world.worker.jobs.progress(job)
    assert found is not None
    return found
