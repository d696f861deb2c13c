"""A discarded dead letter is closed everywhere: in the rows, in the queue, in the balance."""

from tests.harness.servers.receiver import Receiver
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation


async def test_the_letters_of_discarded_dead_letters_leave_the_queue(
    any_installation: Installation,
) -> None:
    """Within 10 s, by the worker's own care; the other letter stays, and nobody is told."""
    installation = any_installation
    async with Receiver(410) as luma, Receiver() as boardy:
        await installation.register("luma", luma)
        await installation.register("boardy", boardy)
        await installation.ask("platforms", "disable", "boardy")
        await installation.link("alice@example.com", "luma", "boardy")
        async with installation.worker():
            await installation.publish(disconnect("evt_1"))
            await installation.depth_becomes("dead", 2)
            done = await installation.ask(
                "dlq", "discard", "--platform", "boardy", "--because", "closed down", "--yes"
            )
            assert done["discarded"] == 1
            await installation.depth_becomes("dead", 1, within=10)
            (left,) = await installation.ask("dlq", "list")
            assert left["reason"] == "gone"
            await installation.ask("platforms", "enable", "boardy")
            await installation.depth_becomes("dead", 1)
    assert boardy.requests == []
    assert len(luma.requests) == 1
