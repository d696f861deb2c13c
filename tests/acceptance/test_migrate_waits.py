"""``fanout migrate`` at a terminal, while somebody else has a table."""

import asyncio
import json
import signal
from pathlib import Path

from tests.harness.servers.vhost import Vhost
from tests.harness.store.busy_database import holding
from tests.harness.store.older_schema import older_schema
from tests.harness.worker.command import FANOUT, environment
from tests.harness.worker.installation import Installation

from disconnect_fanout.adapters.crypto.vault import Vault


async def begun(installation: Installation) -> asyncio.subprocess.Process:
    """Begin to migrate, and read along until it says for whom it waits."""
    command = await asyncio.create_subprocess_exec(
        *(FANOUT, "migrate", "-o", "json"),
        env=environment(installation.settings),
        cwd=installation.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert command.stderr is not None
    said = ""
    try:
        async with asyncio.timeout(30):  # the one before may not have ended at the server yet
            while "waiting for a lock" not in said:
                said = (await command.stderr.readuntil(b"\n")).decode()  # an end is an error
        assert said.startswith("fanout: waiting for a lock: ALTER TABLE"), said
        assert "; held by process " in said
        assert "(a-dump)" in said
    except BaseException:
        command.kill()
        await command.communicate()
        raise
    return command


async def test_it_says_for_whom_it_waits_and_may_be_interrupted(
    vhost: Vhost, postgres_url: str, tmp_path: Path
) -> None:
    """Words on standard error; Ctrl-C ends with 130; begun again it ends with the newest schema."""
    installation = Installation(vhost, postgres_url, tmp_path)
    vault = Vault([installation.settings["FANOUT_SECRET_KEY"]])
    await older_schema(postgres_url, vault, "0005")
    async with holding(postgres_url):
        interrupted = await begun(installation)
        interrupted.send_signal(signal.SIGINT)
        out, words = await asyncio.wait_for(interrupted.communicate(), 20)
        assert (interrupted.returncode, out) == (130, b""), words
        assert b"fanout: interrupted; what was done stays" in words, words
        assert b"Traceback" not in words, words
        again = await begun(installation)
    out, words = await asyncio.wait_for(again.communicate(), 60)
    assert again.returncode == 0, words
    migrated = json.loads(out)
    assert (migrated["database_before"], migrated["database"] > "0005") == ("0005", True)
    assert (await installation.fanout("check")).exit_code == 0
