"""Secret keys from outside: one that lacks ends nobody, and one that was replaced can go."""

from tests.harness.servers.receiver import Receiver
from tests.harness.worker.api_process import ApiProcess
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

from disconnect_fanout.adapters.crypto.vault import fingerprint, new_key

ALICE = "alice@example.com"


async def test_a_worker_and_an_api_that_lack_a_key_wait_and_reject_nothing(
    any_installation: Installation,
) -> None:
    """A command with NEW first makes both unready; with NEW they go on, and nothing is lost."""
    installation = any_installation
    old, new = installation.settings["FANOUT_SECRET_KEY"], new_key()
    async with Receiver() as luma, Receiver() as boardy:
        await installation.register("luma", luma)
        key = (await installation.ask("keys", "create", "--platform", "luma"))["key"]
        await installation.link([ALICE, "bob@example.com"], "luma")
        async with (
            installation.worker() as worker,
            ApiProcess(installation.settings, installation.folder) as api,
        ):
            installation.settings["FANOUT_SECRET_KEY"] = f"{new},{old}"
            await installation.register("boardy", boardy)
            for process in (api, worker):
                assert fingerprint(new) in await process.readyz_says("lacks a key")
            await installation.publish(disconnect("evt_1", ALICE))
            told = await api.ask(
                "DELETE", "/v1/calendars/bob@example.com", ("Authorization", f"Bearer {key}")
            )
            assert told.status == 200
            await luma.stays_at(0, during=3.0)
            assert worker.running
            assert await installation.depth("rejected") == 0
            worker.sigterm()
            assert await worker.wait() == 0
        async with installation.worker("again") as again:
            await luma.received(2, within=30)
            again.sigterm()
            assert await again.wait() == 0
        assert await installation.depth("rejected") == 0
        assert await installation.depth("events") == 0
        assert len(luma.requests) == 2


async def test_after_resealing_the_new_key_alone_does_everything(
    any_installation: Installation,
) -> None:
    """Links, secrets and a waiting row that the old key sealed: told with NEW alone."""
    installation = any_installation
    old, new = installation.settings["FANOUT_SECRET_KEY"], new_key()
    async with Receiver() as luma:
        await installation.register("luma", luma)
        await installation.link(ALICE, "luma")
        await installation.ask("platforms", "pause", "luma")
        async with installation.worker():
            await installation.publish(disconnect("evt_1", ALICE))
            await installation.settled("pending", 1)
            installation.settings["FANOUT_SECRET_KEY"] = f"{old},{new}"
        async with installation.worker("first"):
            pass
        installation.settings["FANOUT_SECRET_KEY"] = f"{new},{old}"
        async with installation.worker("second"):
            done = await installation.fanout("secret-key", "reseal", "-o", "json")
            assert done.exit_code == 0, done.stderr
            assert fingerprint(old) in done.stderr
        installation.settings["FANOUT_SECRET_KEY"] = new
        async with installation.worker("third"):
            await installation.publish(disconnect("evt_2", ALICE))
            await installation.ask("platforms", "resume", "luma")
            await luma.received(2, within=30)
