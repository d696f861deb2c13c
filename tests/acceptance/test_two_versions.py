"""Two schema versions side by side: the old program goes on while the new one migrates."""

import asyncio
import shutil
from collections import Counter
from pathlib import Path

import pytest
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.vhost import Vhost
from tests.harness.store.examples import link
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.command import fanout as installed
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

import disconnect_fanout
from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.seals.event_seals import load_seals

USER = "alice@example.com"


NEXT_REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("next_column", sa.Text))
    op.create_table("next_table", sa.Column("id", sa.Integer, primary_key=True))
"""


@pytest.fixture
def next_program(tmp_path: Path) -> dict[str, str]:
    """This program with one revision more, as settings that make a command run it."""
    (package,) = disconnect_fanout.__path__
    copy = tmp_path / "next"
    shutil.copytree(
        package, copy / "disconnect_fanout", ignore=shutil.ignore_patterns("__pycache__")
    )
    newest = sorted((copy / "disconnect_fanout").rglob("migrations/versions/[0-9]*.py"))[-1]
    revision = NEXT_REVISION.format(newest=newest.name.partition("_")[0])
    newest.with_name("9999_next.py").write_text(revision)
    return {"PYTHONPATH": str(copy)}


async def link_to(luma: Receiver, installation: Installation) -> None:
    """Register and link behind the commands' back: theirs are this program's, with its audit."""
    url = installation.settings["FANOUT_DATABASE_URL"]
    vault = Vault([installation.settings["FANOUT_SECRET_KEY"]])
    database = Database(url)
    world = SqlWorld(url, vault, await load_seals(database, vault))
    try:
        await world.insert_platform("luma", url=luma.url)
        await world.add_links(link(USER, "luma"))
    finally:
        await world.close()
        await database.close()


async def test_an_old_worker_delivers_while_a_new_revision_is_applied(
    vhost: Vhost, database_url: str, tmp_path: Path, next_program: dict[str, str]
) -> None:
    """Not a pause, not a duplicate, not a restart; and the old program starts again afterwards."""
    then = Installation(vhost, database_url, tmp_path)
    now = Installation(vhost, database_url, tmp_path)
    now.settings, now.run = {**then.settings, **next_program}, installed
    await then.migrate()
    refused = await now.fanout("dlq", "list")
    assert refused.exit_code == 3
    assert "run: fanout migrate" in refused.stderr

    async with Receiver() as luma:
        await link_to(luma, now)
        async with then.worker() as worker:
            migration = asyncio.create_task(now.ask("migrate"))
            told = 0
            while not migration.done() or told < 10:
                await then.publish(disconnect(f"evt_{told}", USER))
                told += 1
                await luma.received(told)
            migrated = await migration
            assert migrated["database"] > migrated["database_before"]

            assert worker.running
            await then.publish(disconnect("evt_after", USER))
            await luma.received(told + 1)
            await now.settled("delivered", told + 1)
            await worker.sigkill()
            await worker.start()
    assert set(Counter(request.webhook_id for request in luma.requests).values()) == {1}
