"""A replay is held up, a user comes back meanwhile, the replay goes on: he is not cut off."""

from tests.harness.servers.receiver import Receiver
from tests.harness.worker.installation import Installation
from tests.harness.worker.replay_scene import dead_letters, job_becomes

LUMA = "plat_luma"
COUNT = 40


def users(receiver: Receiver) -> set[str]:
    """Return whom a platform was told about."""
    return {one.json()["data"]["user_email"] for one in receiver.requests}


async def test_who_comes_back_while_a_replay_is_paused_is_not_told_of(
    any_installation: Installation,
) -> None:
    """All others are; he is counted, his dead letter stays, and only the option sends it."""
    installation = any_installation
    async with Receiver() as luma:
        await installation.register(LUMA, luma)
        await dead_letters(installation, COUNT)
        async with installation.worker():
            how = ("--all", "--yes", "--detach", "--rate", "5/s")
            job = (await installation.ask("dlq", "replay", *how))["job"]
            await luma.received(3)
            await installation.ask("replays", "pause", job)
            everyone = {f"user{n}@example.com" for n in range(COUNT)}
            # Some had their turn before the pause and wait for a request, some had not.
            back = sorted(everyone - users(luma))[-15:]
            await installation.link(back, LUMA, linked_at="2025-11-22T00:00:00Z")
            left_out = set(back) - users(luma)
            assert left_out
            await installation.ask("replays", "resume", job)
            done = await job_becomes(installation, job, "done")
            assert users(luma) == everyone - left_out
            told = COUNT - len(left_out)
            assert (done["reconnected"], done["delivered"]) == (COUNT - told, told)
            assert (done["selected"], done["failed"], done["pending"]) == (told, 0, 0)
            await installation.settled("dead", COUNT - told)
            assert len(luma.requests) == told
            again = await installation.ask("dlq", "replay", "--all", "--yes")
            assert (again["state"], again["reconnected"]) == ("nothing_to_do", COUNT - told)
            every = ("--all", "--yes", "--include-reconnected")
            sent = await installation.ask("dlq", "replay", *every)
            assert (sent["delivered"], sent["reconnected"]) == (COUNT - told, 0)
            await installation.depth_becomes("dead", 0, within=10)
    assert users(luma) == everyone
