"""A pooler in front of PostgreSQL: in session mode it works; in another it is refused by name."""

import asyncio
from pathlib import Path

import pytest
from tests.harness.servers.pgbouncer import PgBouncer, PoolMode
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.api_process import ApiProcess
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

EVENTS = 200
WORDS = "set its pool_mode to session"


async def test_two_hundred_events_through_a_pooler_in_session_mode(
    vhost: Vhost, postgres_url: str, tmp_path: Path
) -> None:
    """`check` says ok, and all of them are told: what is checked is the path that does the work.

    Fails before: `unsupported startup parameter: synchronous_commit`, and `check` was green.
    """
    async with PgBouncer(postgres_url, "session") as pooler, Receiver() as luma:
        installation = Installation(vhost, pooler.url, tmp_path)
        await installation.migrate()
        await installation.register("luma", luma)
        users = [f"user{n}@example.com" for n in range(EVENTS)]
        await installation.link(users, "luma")
        checked = await installation.fanout("check")
        assert checked.exit_code == 0, checked.stdout
        async with (
            installation.worker(),
            ApiProcess(installation.settings, tmp_path) as api,
        ):
            told = [disconnect(f"evt_{n}", user, google_id=None) for n, user in enumerate(users)]
            await installation.publish(*told)
            await luma.received(EVENTS, within=30)
            await installation.settled("delivered", EVENTS)
            assert (await api.ask("GET", "/readyz")).status == 200
        assert len(luma.requests) == EVENTS


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("verb", ["check", "run", "api", "platforms list", "migrate"])
async def test_a_pooler_that_shares_sessions_is_refused_by_name(
    vhost: Vhost, postgres_url: str, tmp_path: Path, mode: PoolMode, verb: str
) -> None:
    """Each command ends with 3 and says what to set; nothing is written into a shared session."""
    direct = Installation(vhost, postgres_url, tmp_path)
    await direct.migrate()
    async with PgBouncer(postgres_url, mode) as pooler:
        shared = Installation(vhost, pooler.url, tmp_path)
        shared.settings["FANOUT_SECRET_KEY"] = direct.settings["FANOUT_SECRET_KEY"]
        async with asyncio.timeout(30):
            result = await shared.fanout(*verb.split())
        assert result.exit_code == 3, result.stderr
        assert WORDS in " ".join((result.stdout + result.stderr).split())
