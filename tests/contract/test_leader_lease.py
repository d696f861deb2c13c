"""The contract of duties: one holder at a time, for a limited time."""

import asyncio

from tests.harness.store.world import World


async def test_one_of_many_holds_a_duty(world: World) -> None:
    """Of workers that ask at once exactly one gets it; another duty is another matter."""
    other = await world.another_worker()
    answers = await asyncio.gather(
        *(
            ports.leader_lease.hold("sweep", f"worker-{n}-{m}", 30)
            for n in range(5)
            for m, ports in enumerate((world.worker, other))
        )
    )
    assert answers.count(True) == 1
    assert await world.worker.leader_lease.hold("prune", "worker-9", 30)


async def test_the_holder_may_go_on(world: World) -> None:
    """Renewing counts from now."""
    assert await world.worker.leader_lease.hold("sweep", "a", 30)
    await world.pass_time(20)
    assert await world.worker.leader_lease.hold("sweep", "a", 30)
    await world.pass_time(20)
    assert not await world.worker.leader_lease.hold("sweep", "b", 30)


async def test_a_dead_holders_duty_is_free_after_its_time(world: World) -> None:
    """Nobody has to be told that somebody died."""
    assert await world.worker.leader_lease.hold("sweep", "a", 30)
    await world.pass_time(31)
    assert await world.worker.leader_lease.hold("sweep", "b", 30)
    assert not await world.worker.leader_lease.hold("sweep", "a", 30)
